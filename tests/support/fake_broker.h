/* fake_broker.h - a broker of a few lines on a thread of its own, for tests of what connects to one
 *
 * It welcomes every HELLO, answers HELLO_FIRST to sessions that are not its own, PONG to PING, and does with a CALL
 * what the method says:
 *
 *   echo     REPLY with the body of the call
 *   error    ERROR NOT_FOUND, answered, origin driver, "no such thing"
 *   silent   nothing; a CANCEL for it is answered ERROR CANCELLED, unknown
 *   garbage  a dozen damaged messages, then as echo
 *   late     a REPLY to a call that never was, another to this call in another session, then as echo
 *
 * An ADMIN request is answered with a copy of its body, or with what `admin` of the options writes. A broker that is
 * stopped leaves its ipc path as a killed one would; one that is started on the same path knows none of the sessions of
 * before.
 */
#ifndef FAKE_BROKER_H
#define FAKE_BROKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <drover/value.h>

struct fake_broker;

/* Write the answer to a request, on the broker's thread. */
typedef void fake_broker_admin(struct drover_text verb, const struct drover_value *request,
                               struct drover_writer *answer);

struct fake_broker_options {
    fake_broker_admin *admin;
    bool mute;         /* answers nothing at all */
    bool refuse;       /* REFUSED PERMISSION_DENIED, never try again, to every HELLO */
    uint64_t max_body; /* of WELCOME; 0: 1 MiB */
    uint64_t open_max; /* of WELCOME; 0: 1024 */
};

/* How many of each came. */
struct fake_broker_counts {
    atomic_uint hellos, calls, admins, pings, cancels, byes;
    atomic_uint idempotent, metadata;     /* calls with that flag, with that field */
    atomic_ullong read_count, read_bytes; /* the newest said by a client */
};

/* An ipc endpoint in a new private folder, for the caller to give to fake_broker_forget_endpoint(). */
char *fake_broker_endpoint(void);
void fake_broker_forget_endpoint(char *endpoint);

/* Bind and serve; ends the test process when that does not work. */
struct fake_broker *fake_broker_start(const char *endpoint, const struct fake_broker_options *options);
void fake_broker_stop(struct fake_broker *broker);

const struct fake_broker_counts *fake_broker_counts(const struct fake_broker *broker);

#endif
