/* build.h - from a folder of source to an artefact in the store
 *
 * START: the source is copied, hashed and its manifest read; the key of the build is computed. OPERATION: a build of
 * that key that is in the store is used again; else its lock is taken, so that of several processes one builds and the
 * others use what it made; the commands of the plan run in a sandbox. END: the artefact is an entry of the store, and
 * so is what is known of the build, also when it failed.
 *
 * The process has one thread, is a subreaper, and has no other children.
 */
#ifndef DROVER_BUILD_BUILD_H
#define DROVER_BUILD_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include <drover/status.h>

#include "worker/build/manifest.h"
#include "worker/build/record.h"
#include "worker/build/sandbox.h"

struct build_request {
    const char *store, *source;
    const char *interface;            /* what the service wants; NULL: whatever the manifest says */
    const char *name;                 /* what the driver is called, if the manifest does not say; NULL: as its folder */
    const char *sdk;                  /* a prefix; NULL: this installation's */
    const char *launcher;             /* the path of drover-launch */
    const struct permissions *grants; /* more than this a manifest may not ask for; NULL: it is not looked at */
    enum sandbox_policy policy;
    struct run_limits limits;
    uint64_t time_ms; /* how long the commands may take, and how long another's build is waited for */
    bool force;       /* build also what was built, or failed, before */
    int cancel;       /* a descriptor that becomes readable when all shall end; -1: none */
};

/* Told while it goes on. Either may be NULL. */
struct build_watcher {
    void (*start)(const char *key, void *context);
    void (*line)(const char *line, void *context);
    void *context;
};

/* All strings are owned by it. */
struct build_result {
    struct record record;
    bool reused;                     /* nothing was built now */
    struct manifest *manifest;       /* never NULL on success */
    char *name, *interface;          /* interface: "" when nobody said */
    char *path;                      /* of the artefact */
    char *library_folder;            /* of libdrover-worker, which the artefact needs; NULL: no SDK was found */
    char *log;                       /* the path of the build's log; NULL: it did not come to that */
    struct config_messages messages; /* all mistakes of the manifest */
};

/* Build. Release `ret` with build_result_done() in any case. Errors: INVALID_ARGUMENT (the manifest; the interface is
 * another one; it asks for more than is granted: PERMISSION_DENIED), FAILED_PRECONDITION (the source does not build, or
 * is none), DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, PERMISSION_DENIED, NOT_FOUND, CANCELLED, INTERNAL. */
DROVER_MUST_CHECK enum drover_status build_driver(const struct build_request *request,
                                                  const struct build_watcher *watcher, struct build_result *ret,
                                                  struct drover_error *error);
void build_result_done(struct build_result *result);

#endif
