/* caller.h - a client that keeps books: every call gets exactly one outcome
 *
 * START: caller_init(). OPERATION: caller_send(), caller_take(), caller_take_all(). END: caller_done().
 * An outcome for a call that has one already, or for none of ours, ends the test by abort(), as does a wait without
 * end.
 */
#ifndef DROVER_TESTS_CALLER_H
#define DROVER_TESTS_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/client.h>

#define CALLER_PATIENCE_MS 30000

/* What became of one call. */
struct caller_end {
    size_t index; /* calls are counted from 0 in the order of caller_send() */
    struct drover_error error;
    uint64_t sent_us, ended_us;
};

struct caller_record;

struct caller {
    struct drover_client *client;
    struct caller_record *records;
    size_t sent, ended, capacity;
    size_t ok, not_started, unknown, answered; /* ends; `answered` are driver's errors */
    uint64_t last_ok_us;
};

/* A request with a map of at most one entry. */
struct caller_request {
    const char *service, *method;
    const char *key;    /* NULL: an empty map */
    const char *string; /* the value of `key`; NULL: `number` */
    uint64_t number;
    uint32_t deadline_ms;
    bool idempotent;
};

void caller_init(struct caller *caller, const char *endpoint);
void caller_done(struct caller *caller);

/* Send a call; it must be accepted by the library. */
void caller_send(struct caller *caller, const struct caller_request *request);

/* Take the next outcome, waiting up to `timeout_ms`; false when there is none. */
bool caller_take(struct caller *caller, int timeout_ms, struct caller_end *ret);

/* Take outcomes until `ended` calls have ended. */
void caller_take_until(struct caller *caller, size_t ended);

/* Take all outcomes. */
void caller_take_all(struct caller *caller);

/* What became of call `index`; it must have ended. */
const struct caller_end *caller_end_of(const struct caller *caller, size_t index);

/* Read one octet from `fd`, going on with the calls meanwhile: a client does something only when it is called. Outcomes
 * that come are booked; caller_end_of() knows them. */
void caller_await_octet(struct caller *caller, int fd);

/* Give a call up. */
void caller_cancel(struct caller *caller, size_t index);

/* A blocking call. Returns its status; `ret_error` is filled in in any case. */
enum drover_status caller_call(struct caller *caller, const struct caller_request *request,
                               struct drover_error *ret_error);

/* A blocking call whose reply has a number (or a string, copied to `text`) under `key`; it must succeed. */
uint64_t caller_ask_number(struct caller *caller, const struct caller_request *request, const char *key);
void caller_ask_text(struct caller *caller, const struct caller_request *request, const char *key, char *text,
                     size_t size);

/* The pid of the worker that answers `SERVICE.whoami`. */
pid_t caller_ask_pid(struct caller *caller, const char *service);

#endif
