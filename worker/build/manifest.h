/* manifest.h - driver.yaml: what a source directory says of itself
 *
 * All of it is optional. What a manifest asks of the sandbox has to be granted by the configuration of the service.
 */
#ifndef DROVER_BUILD_MANIFEST_H
#define DROVER_BUILD_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

#include "common/config/config.h"
#include "worker/build/words.h"

#define MANIFEST_FILE "driver.yaml"
#define MANIFEST_SIZE_MAX ((size_t)64 * 1024)
#define MANIFEST_REQUEST_MAX ((size_t)32 * 1024) /* octets of msgpack: it is told in one line */

enum build_system {
    SYSTEM_UNSAID,
    SYSTEM_CMAKE,
    SYSTEM_MAKE,
    SYSTEM_CC,
    SYSTEM_COMMAND,
    SYSTEM_END,
};

enum network_access {
    NETWORK_NONE,
    NETWORK_LOOPBACK,
    NETWORK_OUTBOUND,
    NETWORK_END,
};

/* What a driver asks for, or what it is granted. */
struct permissions {
    enum network_access network;
    struct words read, write; /* absolute paths */
    uint64_t memory_bytes;    /* 0: not said */
    uint64_t cpu_milli;       /* thousandths of a processor; 0: not said */
};

/* What a new version of the driver is asked where its service does not say. */
struct manifest_self_test {
    char *method;  /* NULL: not said, and neither is the rest */
    void *request; /* msgpack, any value; NULL: an empty map */
    size_t request_size;
    enum drover_status expect;
};

struct manifest {
    char *name, *interface, *version; /* NULL: not said */
    enum build_system system;
    char *target, *artefact; /* NULL: not said; the artefact's path is relative and stays inside */
    struct words command;    /* of SYSTEM_COMMAND */
    struct words packages;   /* of pkg-config */
    struct permissions sandbox;
    struct manifest_self_test self_test;
};

/* Parse `size` bytes of a driver.yaml that is called `path` in messages. On INVALID_ARGUMENT every mistake is a line of
 * `*ret_messages` (always set up by this function; release with config_messages_done()). An empty file says nothing.
 * Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED (no memory). */
DROVER_MUST_CHECK enum drover_status manifest_parse(const char *text, size_t size, const char *path,
                                                    struct manifest **ret, struct config_messages *ret_messages);
struct manifest *manifest_free(struct manifest *manifest);

/* "cmake", "make", "cc", "command"; "none", "loopback", "outbound". */
const char *build_system_name(enum build_system system);
const char *network_access_name(enum network_access network);

/* Does the manifest ask for more than is granted? DROVER_OK, or PERMISSION_DENIED with what is asked, what is granted
 * and how to grant it. A granted folder grants what is below it, and writing includes reading. Memory and processor
 * that are not limited by `grants` (0) are granted without limit. */
DROVER_MUST_CHECK enum drover_status manifest_exceeds(const struct manifest *manifest, const struct permissions *grants,
                                                      struct drover_error *error);

/* Read grants from a JSON object: {"network": "none", "read": [...], "write": [...], "memory": bytes, "cpu":
 * processors}, of which each may be missing. Release `ret` with permissions_done() in any case. Errors:
 * INVALID_ARGUMENT, RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status permissions_parse(const char *text, struct permissions *ret,
                                                       struct drover_error *error);
void permissions_done(struct permissions *permissions);

#endif
