/* common.c - what the verbs share: connecting, asking the broker, telling about errors; see cli.h */
#include <poll.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/json.h"
#include "common/base/text.h"

int cli_exit_status(const struct drover_error *error)
{
    if (error->status == DROVER_OK)
        return EXIT_DONE;
    if (error->origin == DROVER_ORIGIN_DRIVER)
        return EXIT_ANSWERED;
    switch ((int)error->status) {
    case DROVER_UNAVAILABLE:
        return EX_UNAVAILABLE;
    case DROVER_INTERNAL:
        return EX_SOFTWARE;
    case DROVER_RESOURCE_EXHAUSTED:
    case DROVER_DEADLINE_EXCEEDED:
        return EX_TEMPFAIL;
    case DROVER_PERMISSION_DENIED:
    case DROVER_UNAUTHENTICATED:
        return EX_NOPERM;
    case DROVER_FAILED_PRECONDITION: /* what is configured does not allow it */
        return EX_CONFIG;
    default:
        return EXIT_ANSWERED;
    }
}

static void print_error_json(const struct drover_error *error)
{
    printf("{\"status\": \"%s\", \"message\": ", drover_status_name(error->status));
    json_write_string(stdout, error->text);
    printf(", \"outcome\": \"%s\", \"origin\": \"%s\"", drover_outcome_name(error->outcome),
           drover_origin_name(error->origin));
    if (error->retry_after_ms > 0)
        printf(", \"retry_after_ms\": %u", error->retry_after_ms);
    puts("}");
}

int cli_fail(const struct cli_globals *globals, const struct drover_error *error)
{
    char text[DROVER_ERROR_TEXT_SIZE];

    if (globals->json)
        print_error_json(error);
    else
        fprintf(stderr, "%s: %s (outcome: %s, origin: %s)\n", drover_status_name(error->status),
                text_printable(error->text, strlen(error->text), text, sizeof(text)),
                drover_outcome_name(error->outcome), drover_origin_name(error->origin));
    return cli_exit_status(error);
}

uint32_t cli_clamp_ms(uint64_t ms)
{
    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

uint32_t cli_admin_ms(const struct cli_globals *globals)
{
    return globals->timeout_ms > 0 ? cli_clamp_ms(globals->timeout_ms) : CLI_TIMEOUT_MS;
}

int cli_connect(const struct cli_globals *globals, bool admin, uint32_t open_max, struct drover_client **ret_client)
{
    struct drover_client_options options = {
        .broker = globals->broker,
        .connect_ms = globals->timeout_ms > 0 ? cli_clamp_ms(globals->timeout_ms) : CLI_TIMEOUT_MS,
        .open_max = open_max,
        .admin = admin,
    };
    struct drover_error error;
    enum drover_status status = drover_client_new(&options, ret_client, &error);

    if (status == DROVER_INVALID_ARGUMENT)
        return cli_usage(NULL, &error);
    return status == DROVER_OK ? EXIT_DONE : cli_fail(globals, &error);
}

enum drover_status cli_admin(struct drover_client *client, const char *verb, const struct drover_writer *request,
                             uint32_t deadline_ms, struct drover_reply *ret_reply,
                             struct drover_document **ret_document, struct drover_error *error)
{
    const void *body = request == NULL ? NULL : drover_writer_data(request);
    size_t size = request == NULL ? 0 : drover_writer_size(request);
    enum drover_status status = drover_client_admin(client, verb, body, size, deadline_ms, ret_reply, error);

    if (status != DROVER_OK)
        return status;
    *error = (struct drover_error){.origin = DROVER_ORIGIN_CLIENT};
    status = drover_document_parse(ret_reply->body, ret_reply->body_size, ret_document, error);
    if (status != DROVER_OK) {
        drover_reply_done(ret_reply);
        return drover_error_set(error, DROVER_INTERNAL, "verb '%s': the broker's answer is no msgpack", verb);
    }
    return DROVER_OK;
}

void cli_pause(uint64_t ms)
{
    poll(NULL, 0, (int)(ms > 60000 ? 60000 : ms));
}
