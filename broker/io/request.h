/* request.h - a request of an administrator on its way through a verb, and what all verbs use */
#ifndef DROVER_IO_REQUEST_H
#define DROVER_IO_REQUEST_H

#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#include "broker/io/admin.h"

/* Borrowed, but for the texts of `writer` and `error`, which the verb fills in. */
struct request {
    const struct admin *admin;
    const struct figures *figures;
    const struct drover_value *map;
    char *service; /* key `service` of the request, or NULL */
    uint64_t now_ms;
    struct drover_writer *writer;
    struct drover_error *error;
};

/* Set the error that says that there is no such service. Returns NOT_FOUND. */
enum drover_status request_unknown_service(const struct request *request);

/* The service of a request that must name one. Errors: INVALID_ARGUMENT (it names none), NOT_FOUND. */
DROVER_MUST_CHECK enum drover_status request_need_service(const struct request *request, struct roster_entry **ret);

/* Write one pair of a map. Nothing is null. */
void put_text(struct drover_writer *writer, const char *key, const char *text);
void put_text_or_nil(struct drover_writer *writer, const char *key, const char *text);
void put_number(struct drover_writer *writer, const char *key, uint64_t number);
void put_bool(struct drover_writer *writer, const char *key, bool value);

#endif
