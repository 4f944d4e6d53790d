/* effects.h - what the core wants done, in order
 *
 * Invariant: effects and the headers they hold stay valid until effects_clear().
 */
#ifndef DROVER_CORE_EFFECTS_H
#define DROVER_CORE_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/body.h"
#include "common/wire/header.h"

enum effect_kind {
    EFFECT_SEND,                /* header and body to `peer` */
    EFFECT_WORKER_READY,        /* `worker` is configured */
    EFFECT_WORKER_CONFIG_ERROR, /* `worker` refused its configuration: `text` */
    EFFECT_WORKER_HUNG,         /* `worker` holds a call too long, or broke the protocol: `text` */
    EFFECT_WORKER_DRAINED,      /* `worker` was closed and has no lease left */
    EFFECT_PROBED,              /* `worker` has answered a probe, or not in time: `call` is the status, `text` why */
    EFFECT_RECONFIGURED,        /* `worker` has taken new settings (`call` 1), or not: `text` says why */
    EFFECT_ADMIN,               /* `text` is the verb, body the request; answer with core_answer_admin() */
};

struct effect {
    enum effect_kind kind;
    uint64_t peer;    /* SEND, ADMIN */
    uint64_t session; /* ADMIN */
    uint64_t call;    /* ADMIN; what PROBED and RECONFIGURED say */
    uint64_t worker;  /* WORKER_... */
    struct body body; /* SEND, ADMIN; whoever acts on the effect takes it */
    size_t at;        /* where its header or text stands; see effects_octets() */
    size_t size;
};

struct effects {
    struct effect *items;
    size_t count, capacity;
    uint8_t *octets;
    size_t used, room;
    bool failed; /* no memory: something that had to be done is lost, the broker must give up */
};

/* The encoded header of SEND, or the NUL-terminated text of the others. */
static inline const uint8_t *effects_octets(const struct effects *effects, const struct effect *effect)
{
    return effects->octets + effect->at;
}

/* Add a message. `body` (or NULL for none) is taken. */
void effects_send(struct effects *effects, uint64_t peer, const struct wire_header *header, struct body *body,
                  const struct body_ops *bodies);

/* Add a message whose body is a copy of `size` bytes. */
void effects_send_copy(struct effects *effects, uint64_t peer, const struct wire_header *header, const void *data,
                       size_t size, const struct body_ops *bodies);

/* Add an event about a worker, with a text that is copied. */
void effects_worker(struct effects *effects, enum effect_kind kind, uint64_t worker, const char *text);

/* Add PROBED or RECONFIGURED, with a text that is copied. */
void effects_asked(struct effects *effects, enum effect_kind kind, uint64_t worker, uint64_t call,
                   struct drover_text text);

/* Add a request for the control thread. `body` is taken, `verb` is copied. */
void effects_admin(struct effects *effects, uint64_t peer, uint64_t session, uint64_t call, struct drover_text verb,
                   struct body *body, const struct body_ops *bodies);

/* Forget all effects; bodies that nobody took are released. The memory is kept. */
void effects_clear(struct effects *effects, const struct body_ops *bodies);

/* effects_clear(), and the memory too. */
void effects_done(struct effects *effects, const struct body_ops *bodies);

#endif
