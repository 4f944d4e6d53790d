/* greeting.h - the bodies of HELLO and WELCOME: msgpack maps, as plain structs
 *
 * Decoded strings are borrowed from the document. Unknown keys are ignored, absent ones are 0 or "".
 */
#ifndef DROVER_WIRE_GREETING_H
#define DROVER_WIRE_GREETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#include "common/wire/command.h"

#define WIRE_TOKEN_SIZE 32 /* octets */
#define WIRE_METHODS_MAX 256
#define WIRE_CONCURRENCY_MAX 1024
#define WIRE_READ_BODY_MAX 131072 /* octets of a body that the broker itself reads: HELLO, ADMIN */

/* HELLO. Keys: role, version_min, version_max, software, name, instance; of a worker also interface,
 * interface_version, driver, driver_version, concurrency, methods ([{name, idempotent}]), reconfigure, token. */
struct wire_hello {
    enum wire_role role; /* client, worker or admin */
    uint64_t version_min, version_max;
    struct drover_text software; /* "drover 0.1.0" */
    struct drover_text name;     /* program */
    uint64_t instance;           /* random, one a handle */
    struct drover_text interface, interface_version, driver, driver_version;
    uint64_t concurrency;
    const struct drover_value *methods; /* array of maps, or NULL; when encoding see wire_method */
    bool reconfigures;                  /* RECONFIGURE may be sent to it */
    uint8_t token[WIRE_TOKEN_SIZE];
    bool has_token;
};

/* A method as a worker announces it. */
struct wire_method {
    const char *name;
    bool idempotent;
};

/* WELCOME. Keys: version, session, software, incarnation, max_body, open_max, ping_ms; to a worker
 * also service, generation, artefact, settings. */
struct wire_welcome {
    uint64_t version;
    uint64_t session;
    struct drover_text software;
    uint64_t incarnation; /* random, one a start of the broker */
    uint64_t max_body;    /* bytes */
    uint64_t open_max;    /* outcomes that may be unread before calls are refused */
    uint64_t ping_ms;     /* a client that waits sends PING after this much silence */
    struct drover_text service;
    uint64_t generation;
    struct drover_text artefact;
    const struct drover_value *settings; /* decoding */
    struct drover_text settings_raw;     /* encoding: one msgpack value; empty for none */
};

/* Write the map. `methods` may be NULL when `method_count` is 0. */
void wire_hello_encode(const struct wire_hello *hello, const struct wire_method *methods, size_t method_count,
                       struct drover_writer *writer);
void wire_welcome_encode(const struct wire_welcome *welcome, struct drover_writer *writer);

/* Read the map; checks types and limits. Errors: INVALID_ARGUMENT naming the key. */
DROVER_MUST_CHECK enum drover_status wire_hello_decode(const struct drover_document *document,
                                                       struct wire_hello *ret_hello, struct drover_error *error);
DROVER_MUST_CHECK enum drover_status wire_welcome_decode(const struct drover_document *document,
                                                         struct wire_welcome *ret_welcome, struct drover_error *error);

#endif
