/* siege.h - a broker that somebody attacks while somebody else relies on it
 *
 * The service `echo` belongs to the bystander: a client on a thread of its own that calls it without pause. Whatever
 * the test does meanwhile, each of its calls must be answered with a result, and quickly: a call may take
 * BYSTANDER_CALL_MS.
 *
 * START: siege_begin(). OPERATION: the test's. END: siege_end(): the bystander has noticed nothing, the broker is the
 * same process as at the beginning, has no more descriptors than then, and stops as it should (broker_rig.h).
 */
#ifndef DROVER_TESTS_SIEGE_H
#define DROVER_TESTS_SIEGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/startword.h"
#include "tests/support/broker_rig.h"
#include "tests/support/peer.h"

#define BYSTANDER_CALL_MS 10000

struct siege {
    struct broker_rig rig;
    pthread_t bystander;
    atomic_bool stop;
    atomic_size_t calls; /* that the bystander has made */
    atomic_bool is_troubled;
    char trouble[512];  /* what it has noticed */
    size_t descriptors; /* of the broker before the attack */
    int introductions;  /* FIFO: where raw workers say who they are */
    bool is_tested;     /* the first raw worker was asked for nothing, and has answered */
};

/* `services` are further services, as in broker_rig_init(); "" for none. */
void siege_begin(struct siege *siege, const char *services);
void siege_end(struct siege *siege);

/* Wait until the bystander has made this many calls more. */
void siege_await_calls(struct siege *siege, size_t count);

/* Resident memory of the broker in KiB. */
size_t siege_memory_kib(const struct siege *siege);

/* A worker whose process does nothing: the test speaks in its place, with its token. Services with the driver
 * SIEGE_RAW_DRIVER and the interface `raw` have them. */
#define SIEGE_RAW_DRIVER DROVER_BINARY_DIR "/tests/raw_driver"

struct raw_worker {
    struct siege *siege;
    pid_t pid;
    char endpoint[128];
    struct startword_page *page;
    struct peer peer;
};

/* Wait for the next process that a raw service has started, and connect in its place. */
void raw_worker_await(struct siege *siege, struct raw_worker *ret);

/* HELLO and READY; the first one of a siege also answers the self-test. */
void raw_worker_serve(struct raw_worker *worker);

/* The next CALL; its number, with which it is answered. Advances the start word. */
uint64_t raw_worker_take(struct raw_worker *worker);

void raw_worker_done(struct raw_worker *worker);

#endif
