/* reload_rig.h - a broker whose drivers change while it runs: versions made and put in place, and what becomes of them
 *
 * The driver is versioned_driver.c, in three forms. reload_rig_init() makes its version 1 of the forms that are asked
 * for, at `@/binary/driver` (an executable), `@/module/driver.so` and `@/source` (a work tree of git); the
 * configuration names them, with RELOAD_SETTINGS so that a reload is quick.
 *
 * START: reload_rig_init(), broker_rig_start_and_await(). OPERATION: reload_rig_run() with the functions below, then
 * reload_rig_await_version() or reload_rig_await(). END: broker_rig_done().
 */
#ifndef DROVER_TESTS_RELOAD_RIG_H
#define DROVER_TESTS_RELOAD_RIG_H

#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

enum reload_form {
    RELOAD_BINARY = 1,
    RELOAD_MODULE = 2,
    RELOAD_SOURCE = 4,
};

/* Services of the three forms, with the settings given ("settle: 0ms"; "" for none). */
#define RELOAD_SERVICE_BINARY(settings) "  binary: {driver: @/binary/driver, interface: versioned, " settings "}\n"
#define RELOAD_SERVICE_MODULE(settings) "  module: {driver: @/module/driver.so, interface: versioned, " settings "}\n"
#define RELOAD_SERVICE_SOURCE(settings) "  source: {driver: @/source, interface: versioned, " settings "}\n"

/* Short times, for all that a reload waits for. */
#define RELOAD_SETTINGS "debounce: 30ms, settle: 20ms, probation: 100ms, restart: {min: 10ms}"

/* Make the broker's folder with version 1 of `forms` (of enum reload_form), and its configuration; see
 * broker_rig_init() for `services`. Does not start the broker. */
void reload_rig_init(struct broker_rig *rig, unsigned forms, const char *services);

/* Run a script of a shell in the broker's folder, with `set -eu`; a failure ends the test. Its functions:
 *
 *     source VERSION [LINE...]          print the driver's source with these lines before it, see versioned_driver.c
 *     compile PATH VERSION [LINE...]    make an executable of it, by `cc -o PATH`
 *     module PATH VERSION [LINE...]     make a module of it, likewise
 *     edit VERSION [LINE...]            write it into the work tree @/source
 *     commit VERSION                    edit, commit and tag v<VERSION> there
 */
void reload_rig_run(const struct broker_rig *rig, const char *format, ...) DROVER_PRINTF(2, 3);

/* The version that answers a call of `SERVICE.whoami`, which must succeed. */
uint64_t reload_rig_version(const struct broker_rig *rig, const char *service);

/* Call until this version answers: whatever was sent to the broker afterwards is answered by it or a later one. */
void reload_rig_await_version(struct broker_rig *rig, const char *service, uint64_t version);

/* Wait until nothing is under way for the service: what serves is stable, all its workers are ready, no other one is
 * left. Its status is left in `*ret`. */
void reload_rig_await_rest(struct broker_rig *rig, const char *service, struct broker_rig_service *ret);

/* Is that so of a status? */
bool reload_rig_is_at_rest(const struct broker_rig_service *service);

/* How many generations of a service have processes, as its status says. */
size_t reload_rig_count_generations(const struct broker_rig_service *service);

/* How many children of the broker are workers, of all services, as the kernel says. */
size_t reload_rig_count_workers(const struct broker_rig *rig);

/* What a broker holds. */
struct reload_holdings {
    size_t descriptors, children, watches; /* of inotify */
    size_t unfinished;                     /* entries of the store's folder tmp */
    size_t memory_kib;                     /* resident */
};
void reload_rig_hold(const struct broker_rig *rig, struct reload_holdings *ret);

#endif
