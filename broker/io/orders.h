/* orders.h - what the control thread and the data thread tell each other
 *
 * Messages are pointers sent over an inproc PAIR: who receives one owns it. Orders go to the data thread, notices come
 * back.
 */
#ifndef DROVER_IO_ORDERS_H
#define DROVER_IO_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

#include "broker/core/core.h"

enum order_kind {
    ORDER_SET_SERVICE,
    ORDER_REMOVE_SERVICE, /* new calls are NOT_FOUND, what waits ends, what runs goes on */
    ORDER_REFUSE_SERVICE,
    ORDER_EXPECT_WORKER,
    ORDER_SWITCH,      /* calls go to `generation` from now on */
    ORDER_PROBE,       /* ask `worker` for `text` with `data`, within `limits.deadline_ms`; NOTICE_PROBED comes back.
                        * `text` NULL or "": for nothing, any answer will do */
    ORDER_RECONFIGURE, /* give `worker` the settings `data`, within `limits.deadline_ms` (0: 10 s); NOTICE_RECONFIGURED
                        * comes back, at once when it cannot take any */
    ORDER_COUNT,       /* how do `generation` of `service` and the one before it, `started`, get on; NOTICE_COUNTED */
    ORDER_WORKER_CLOSED,
    ORDER_WORKER_LOST,
    ORDER_ANSWER_ADMIN,
    ORDER_STOP, /* refuse what waits and what comes */
    ORDER_QUIT, /* flush and end the thread */
};

/* One order; strings and `data` belong to it. Which members count depends on the kind, as in core.h. */
struct order {
    enum order_kind kind;
    char *service;
    char *text; /* interface, reason, or artefact */
    struct core_service limits;
    uint64_t worker, generation, started;
    uint8_t token[WIRE_TOKEN_SIZE];
    uint64_t peer, session, call;
    struct drover_error error;
    void *data; /* settings, or the answer */
    size_t size;
};

/* The figures of the core at the moment of a request. */
struct figures {
    struct core_stats core;
    struct core_service_stats *services; /* their names are not valid any more outside the core: use `names` */
    char **names;
    size_t service_count;
    struct core_worker_stats *workers;
    size_t worker_count;
};

enum notice_kind {
    NOTICE_WORKER_READY,
    NOTICE_WORKER_CONFIG_ERROR,
    NOTICE_WORKER_HUNG,
    NOTICE_WORKER_DRAINED,
    NOTICE_PROBED,       /* `call` is the status, `text` why */
    NOTICE_RECONFIGURED, /* `call` is 1 when `worker` has taken the settings; else it has its old ones, `text` says why
                          */
    NOTICE_COUNTED,      /* `previous` and `fresh` of the `generation` of `service` */
    NOTICE_ADMIN,
    NOTICE_FAILED, /* the data thread has ended because of a fault: the broker must too */
};

struct notice {
    enum notice_kind kind;
    uint64_t worker;
    char *text; /* reason, or the verb of an admin request */
    uint64_t peer, session, call;
    char *service;
    uint64_t generation;
    struct core_generation_stats previous, fresh; /* all zero where the core knows of no call */
    void *data;                                   /* the request */
    size_t size;
    struct figures figures;
};

/* Allocated with all strings NULL; abort when there is no memory (a lost order would be a lie to some caller). */
struct order *order_new(enum order_kind kind);
struct notice *notice_new(enum notice_kind kind);
struct order *order_free(struct order *order);
struct notice *notice_free(struct notice *notice);

/* Send over the PAIR; takes the message. */
void order_send(void *pair, struct order *order);
void notice_send(void *pair, struct notice *notice);

/* The next one, or NULL when there is none now. */
struct order *order_receive(void *pair);
struct notice *notice_receive(void *pair);

#endif
