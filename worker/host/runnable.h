/* runnable.h - an artefact as it is run: its program or module, its libraries; shared by the generations that run it
 *
 * A service keeps those that it may go back to, so that nobody cleans them out of the store.
 */
#ifndef DROVER_HOST_RUNNABLE_H
#define DROVER_HOST_RUNNABLE_H

#include <sys/stat.h>

#include "worker/host/state.h"
#include "worker/host/verdict.h"

struct runnable {
    unsigned references;
    char *program;                /* what is executed */
    char *module;                 /* what drover-worker hosts, or NULL */
    char *library_folder;         /* of libdrover-worker, or NULL */
    char artefact[ARTEFACT_SIZE]; /* SHA-256 of the module or else the program; "" when it cannot be read */
    struct rollout_hash hash;     /* by which versions know it: never unknown */
    struct store_lock *held;      /* keeps the artefact in the store; NULL: it is not from there */
    bool verified;                /* the artefact is what must be run: a file that differs is not */
    struct stat seen;             /* the program's file when `artefact` was true of it */
    struct runnable *next;        /* in service->runnables */

    struct host_self_test self_test; /* of its manifest: owned. Nothing when that says nothing, or is not known */
};

/* All three return one reference, or NULL when there is no memory. */

/* A driver that is there already. */
struct runnable *runnable_of_program(const struct host *host, const struct wanted *wanted);

/* What was obtained. */
struct runnable *runnable_of_finding(struct host *host, const struct finding *finding);

/* An artefact that was obtained in an earlier life of this host: what its manifest says is not known then. NULL also
 * when it is not in the store any more. */
struct runnable *runnable_in_store(struct host *host, const struct rollout_hash *artefact);

struct runnable *runnable_ref(struct runnable *runnable);

/* One less: the last one releases it. NULL is allowed. Returns NULL. */
struct runnable *runnable_unref(struct runnable *runnable);

#endif
