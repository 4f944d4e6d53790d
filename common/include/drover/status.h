/* status.h - what became of a call: status, outcome, origin, and an error's text
 *
 * Every call ends in exactly one outcome. The status says why, the outcome says whether the driver's
 * code may have run, the origin says who found out.
 */
#ifndef DROVER_STATUS_H
#define DROVER_STATUS_H

#include <stdint.h>

#if defined(__GNUC__)
#define DROVER_MUST_CHECK __attribute__((warn_unused_result))
#define DROVER_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define DROVER_EXPORT __attribute__((visibility("default")))
#else
#define DROVER_MUST_CHECK
#define DROVER_PRINTF(format_at, first_at)
#define DROVER_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The status codes; status.def lists them with their meaning. */
enum drover_status {
#define DROVER_STATUS(NAME, number, meaning) DROVER_##NAME = number,
#include <drover/status.def>
#undef DROVER_STATUS
    DROVER_STATUS_END /* one above the last */
};

/* Whether driver code may have run for a call. */
enum drover_outcome {
    DROVER_OUTCOME_ANSWERED = 0,    /* the driver's result, or the driver's own error */
    DROVER_OUTCOME_NOT_STARTED = 1, /* no driver code ran: always safe to send again */
    DROVER_OUTCOME_UNKNOWN = 2,     /* a driver may have begun it */
    DROVER_OUTCOME_END
};

/* Who produced an error. */
enum drover_origin {
    DROVER_ORIGIN_CLIENT = 0, /* the client library */
    DROVER_ORIGIN_BROKER = 1,
    DROVER_ORIGIN_HOST = 2,   /* the worker library or the code that keeps workers alive */
    DROVER_ORIGIN_DRIVER = 3, /* the driver itself */
    DROVER_ORIGIN_END
};

#define DROVER_ERROR_TEXT_SIZE 480

/* An error with its text. The caller owns it, functions fill it in; `{0}` is no error. */
struct drover_error {
    enum drover_status status;
    enum drover_outcome outcome;
    enum drover_origin origin;
    uint32_t retry_after_ms; /* with RESOURCE_EXHAUSTED: when to come back; else 0 */
    char text[DROVER_ERROR_TEXT_SIZE];
};

/* Set status and text of `error` (which may be NULL) and return `status`, so that the line that
 * fails says why: `return drover_error_set(error, DROVER_NOT_FOUND, "user '%s': ...", name);`.
 * Leaves outcome, origin and retry_after_ms alone. Text that is too long is cut. */
DROVER_EXPORT enum drover_status drover_error_set(struct drover_error *error, enum drover_status status,
                                                  const char *format, ...) DROVER_PRINTF(3, 4);

/* The name of a status ("NOT_FOUND"). Never NULL; "UNKNOWN" for a number outside the table. */
DROVER_EXPORT const char *drover_status_name(enum drover_status status);

/* The status of a name. Returns 0 and stores it in `*ret_status`, or -1 when no status has that name. */
DROVER_EXPORT int drover_status_parse(const char *name, enum drover_status *ret_status);

/* "answered", "not started" or "unknown". Never NULL. */
DROVER_EXPORT const char *drover_outcome_name(enum drover_outcome outcome);

/* "client", "broker", "host" or "driver". Never NULL. */
DROVER_EXPORT const char *drover_origin_name(enum drover_origin origin);

#ifdef __cplusplus
}
#endif

#endif
