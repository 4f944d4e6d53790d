/* request.h - what `call` and `bench` are told on the command line: SERVICE.METHOD and a body */
#ifndef DROVER_CLI_REQUEST_H
#define DROVER_CLI_REQUEST_H

#include <drover/client.h>

#include "common/base/options.h"

#define REQUEST_FILE_MAX (UINT32_C(64) << 20) /* bytes of JSON that are read from a file */

/* A request with what it points to. Release with request_done(), also after an error. */
struct request {
    struct drover_request request;
    char *service; /* everything up to the last dot */
    char *method;
    struct drover_writer *body, *metadata;
};

/* `target` is SERVICE.METHOD; `body` is JSON, @FILE, - for standard input, or NULL for none; `metadata` are words of
 * the form key=value. Errors: INVALID_ARGUMENT, those of sys_read_file(), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status request_init(struct request *request, const char *target, const char *body,
                                                  const struct option_list *metadata, struct drover_error *error);
void request_done(struct request *request);

#endif
