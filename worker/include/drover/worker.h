/* worker.h - libdrover-worker: what a driver links
 *
 * A driver is one `const struct drover_driver`: names, a table of methods, configure and release.
 * The library speaks to the broker, keeps deadlines, runs the methods and sends their outcomes.
 *
 *     static enum drover_status greet(struct drover_call *call) { ... }
 *     static const struct drover_method methods[] = {{.name = "greet", .run = greet}};
 *     static const struct drover_driver hello = {.abi = DROVER_DRIVER_ABI, ...};
 *     DROVER_DRIVER(hello)
 *
 * Thread rule: with `concurrency` 1 (the default) configure, reconfigure, every method and release run on one
 * thread, one after the other. With more, methods run on a pool of that many threads at once and
 * share the state; configure runs before the first of them and release after the last, and
 * reconfigure on one of those threads while none of the others runs a method. A
 * `struct drover_call` belongs to the thread that runs its method, until the method returns.
 */
#ifndef DROVER_WORKER_H
#define DROVER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The layout of struct drover_driver that this header describes, and the oldest that the library still takes: layout 1
 * ended with `release`. */
#define DROVER_DRIVER_ABI 2
#define DROVER_DRIVER_ABI_OLDEST 1

struct drover_call;

/* One method. */
struct drover_method {
    const char *name; /* as callers write it: "get_user" */
    /* Run one call: read drover_call_request(), write one value to drover_call_reply(), return
     * DROVER_OK; or return drover_call_fail(). Never NULL. */
    enum drover_status (*run)(struct drover_call *call);
    bool idempotent; /* running it twice is the same as once: the broker may repeat it */
};

/* One driver. All strings are borrowed for the life of the process. */
struct drover_driver {
    uint32_t abi;                  /* DROVER_DRIVER_ABI; stands first in every layout */
    const char *interface;         /* "userprovider" */
    const char *interface_version; /* "1.0.0" */
    const char *name;              /* "json" */
    const char *version;           /* the driver's own version */
    const char *summary;           /* one line: what it does and which settings it takes */
    const struct drover_method *methods;
    size_t method_count;
    unsigned concurrency; /* how many calls run at once; 0 is 1 */
    /* Make the state from the settings (a map; borrowed until it returns). Sets `*ret_state`, or
     * returns an error with its text: the worker then ends with exit status 78 and is not restarted
     * until something changes. May be NULL: the driver takes no settings. */
    enum drover_status (*configure)(const struct drover_value *settings, void **ret_state, struct drover_error *error);
    /* Release the state. May be NULL. */
    void (*release)(void *state);
    /* Take other settings (a map; borrowed until it returns) into the state that configure made, between two calls: no
     * method runs meanwhile, calls wait. On an error, with its text, the state must be as it was. May be NULL: then new
     * settings take a new process. */
    enum drover_status (*reconfigure)(void *state, const struct drover_value *settings, struct drover_error *error);
};

/* The request: what the caller sent (an empty map when it sent nothing). Borrowed until the method returns. */
DROVER_EXPORT const struct drover_value *drover_call_request(const struct drover_call *call);

/* Where the reply is written: exactly one value. A method that writes nothing answers an empty map. */
DROVER_EXPORT struct drover_writer *drover_call_reply(struct drover_call *call);

/* The state that configure made. */
DROVER_EXPORT void *drover_call_state(const struct drover_call *call);

/* The name of the method, and of the service as the caller addressed it. Borrowed. */
DROVER_EXPORT const char *drover_call_method(const struct drover_call *call);
DROVER_EXPORT const char *drover_call_service(const struct drover_call *call);

/* The caller's metadata: a map, or NULL when there is none. Borrowed. */
DROVER_EXPORT const struct drover_value *drover_call_metadata(const struct drover_call *call);

/* Milliseconds until nobody waits for this call any more; 0 when the time is over, UINT32_MAX when there is no
 * deadline. */
DROVER_EXPORT uint32_t drover_call_time_left_ms(const struct drover_call *call);

/* True when the caller gave up or the deadline has passed (by 100 ms, so that the broker is the first to say so): what
 * is still to be done is done for nobody. Looks at the socket, so that it also works with concurrency 1; costs about a
 * microsecond. */
DROVER_EXPORT bool drover_call_cancelled(struct drover_call *call);

/* Answer with an error: `return drover_call_fail(call, DROVER_NOT_FOUND, "user '%s'", id);`. What was
 * written to the reply is dropped. Returns `status`. `status` must not be DROVER_OK. */
DROVER_EXPORT enum drover_status drover_call_fail(struct drover_call *call, enum drover_status status,
                                                  const char *format, ...) DROVER_PRINTF(3, 4);

/* Which worker this is. Strings are borrowed and never NULL ("" when not known). */
struct drover_worker_info {
    const char *service;
    const char *artefact; /* SHA-256 of the executable, 64 hex digits */
    uint64_t generation;
};
DROVER_EXPORT const struct drover_worker_info *drover_call_worker(const struct drover_call *call);

enum drover_log_level { DROVER_LOG_DEBUG, DROVER_LOG_INFO, DROVER_LOG_WARNING, DROVER_LOG_ERROR };

/* One line to the broker's log of this worker (standard error). Any thread. Line breaks become spaces. */
DROVER_EXPORT void drover_log(enum drover_log_level level, const char *format, ...) DROVER_PRINTF(2, 3);

/* Serve `driver` until the broker says stop; returns the exit status of the process. Started by hand
 * it prints what the driver is and how to use it. `argv` is read for --help and --version, and for what drover-worker
 * was told to host. A table that cannot be used is exit status 78. */
DROVER_EXPORT int drover_worker_main(const struct drover_driver *driver, int argc, char **argv);

/* Placed once in a driver's source, which then may become, without a change,
 *
 *     an executable:           cc driver.c -ldrover-worker
 *     a module:                cc -shared -fPIC -o driver.so driver.c -ldrover-worker
 *     a part of drover-worker: compiled with DROVER_BUILTIN set to a symbol's name
 *
 * A module is known by `drover_driver_descriptor`, which points to its table; the table begins with its ABI number,
 * whatever else future layouts change. drover-worker loads it; `main` is of no use to it then. */
#if defined(DROVER_BUILTIN)
#define DROVER_DRIVER(driver)                                \
    extern const struct drover_driver *const DROVER_BUILTIN; \
    const struct drover_driver *const DROVER_BUILTIN = &(driver);
#else
#define DROVER_DRIVER(driver)                                                        \
    DROVER_EXPORT extern const struct drover_driver *const drover_driver_descriptor; \
    const struct drover_driver *const drover_driver_descriptor = &(driver);          \
    int main(int argc, char **argv)                                                  \
    {                                                                                \
        return drover_worker_main(&(driver), argc, argv);                            \
    }
#endif

#ifdef __cplusplus
}
#endif

#endif
