/* request.c - what `call` and `bench` are told on the command line; see request.h */
#include "client/cli/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/json.h"
#include "common/sys/sys.h"

static enum drover_status split_target(struct request *request, const char *target, struct drover_error *error)
{
    const char *dot = strrchr(target, '.');

    if (dot == NULL || dot == target || dot[1] == '\0')
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "'%.100s' is no SERVICE.METHOD", target);
    request->service = strndup(target, (size_t)(dot - target));
    request->method = strdup(dot + 1);
    if (request->service == NULL || request->method == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "'%.100s': out of memory", target);
    return DROVER_OK;
}

static enum drover_status parse_body(struct request *request, const char *where, const char *text, size_t size,
                                     struct drover_error *error)
{
    char what[DROVER_ERROR_TEXT_SIZE];
    enum drover_status status = json_read(text, size, request->body, error);

    if (status == DROVER_OK)
        return DROVER_OK;
    memcpy(what, error->text, sizeof(what));
    return drover_error_set(error, status, "%.200s: %.250s", where, what);
}

/* All of standard input, whatever it is; /dev/stdin cannot be opened when it is a socket. */
static enum drover_status read_input(char **ret_text, size_t *ret_size, struct drover_error *error)
{
    char *text = NULL, part[4096];
    size_t size = 0, got;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "standard input: out of memory");
    for (size_t all = 0; all <= REQUEST_FILE_MAX && (got = fread(part, 1, sizeof(part), stdin)) > 0; all += got)
        fwrite(part, 1, got, out);
    if (fclose(out) != 0 || ferror(stdin) || size > REQUEST_FILE_MAX) {
        free(text);
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "standard input: cannot be read, or is longer than %u octets", REQUEST_FILE_MAX);
    }
    *ret_text = text;
    *ret_size = size;
    return DROVER_OK;
}

static enum drover_status read_body(struct request *request, const char *body, struct drover_error *error)
{
    bool is_input = strcmp(body, "-") == 0;
    enum drover_status status;
    char *text = NULL;
    size_t size = 0;

    if (!is_input && body[0] != '@')
        return parse_body(request, "the request", body, strlen(body), error);
    status =
        is_input ? read_input(&text, &size, error) : sys_read_file(body + 1, REQUEST_FILE_MAX, &text, &size, error);
    if (status != DROVER_OK)
        return status;
    status = parse_body(request, is_input ? "standard input" : body + 1, text, size, error);
    free(text);
    return status;
}

static enum drover_status write_metadata(struct request *request, const struct option_list *list,
                                         struct drover_error *error)
{
    drover_write_map(request->metadata, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        if (equals == NULL || equals == list->items[i])
            return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '--metadata': '%.100s' is no KEY=VALUE",
                                    list->items[i]);
        drover_write_text(request->metadata, list->items[i], (size_t)(equals - list->items[i]));
        drover_write_string(request->metadata, equals + 1);
    }
    return DROVER_OK;
}

static void point_at_parts(struct request *request, bool has_metadata)
{
    request->request.service = request->service;
    request->request.method = request->method;
    request->request.body = drover_writer_data(request->body);
    request->request.body_size = drover_writer_size(request->body);
    if (has_metadata) {
        request->request.metadata = drover_writer_data(request->metadata);
        request->request.metadata_size = drover_writer_size(request->metadata);
    }
}

enum drover_status request_init(struct request *request, const char *target, const char *body,
                                const struct option_list *metadata, struct drover_error *error)
{
    enum drover_status status;

    *request = (struct request){.body = drover_writer_new(), .metadata = drover_writer_new()};
    if (request->body == NULL || request->metadata == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "'%.100s': out of memory", target);
    status = split_target(request, target, error);
    if (status == DROVER_OK && body != NULL)
        status = read_body(request, body, error);
    if (status == DROVER_OK && metadata->count > 0)
        status = write_metadata(request, metadata, error);
    if (status == DROVER_OK)
        point_at_parts(request, metadata->count > 0);
    return status;
}

void request_done(struct request *request)
{
    drover_writer_free(request->metadata);
    drover_writer_free(request->body);
    free(request->method);
    free(request->service);
    *request = (struct request){0};
}
