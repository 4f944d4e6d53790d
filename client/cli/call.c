/* call.c - `drover call SERVICE.METHOD [JSON|@FILE|-]`: one call, or the same several times */
#include "client/cli/cli.h"
#include "client/cli/json.h"
#include "client/cli/request.h"

struct call_options {
    struct cli_globals globals;
    bool idempotent;
    uint64_t deadline_ms;
    uint64_t repeat;
    struct option_list metadata;
};

static const struct option options[] = {
    {"idempotent", 0, OPTION_FLAG, offsetof(struct call_options, idempotent), NULL,
     "the broker may repeat the call when its outcome is unknown"},
    {"deadline", 0, OPTION_TIME, offsetof(struct call_options, deadline_ms), "TIME",
     "how long the call may take (default: 30s)"},
    {"metadata", 0, OPTION_LIST, offsetof(struct call_options, metadata), "KEY=VALUE",
     "something to tell the driver besides; may be given several times"},
    {"repeat", 0, OPTION_NUMBER, offsetof(struct call_options, repeat), "N",
     "make the call N times, one after the other; the exit status is that of the first error"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

static int print_reply(const struct call_options *call, const struct drover_reply *reply)
{
    struct drover_document *document = NULL;
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT};

    if (drover_document_parse(reply->body, reply->body_size, &document, &error) != DROVER_OK) {
        (void)drover_error_set(&error, DROVER_INTERNAL, "the driver's reply is no msgpack value");
        return cli_fail(&call->globals, &error);
    }
    json_write(stdout, drover_document_root(document), call->globals.json ? JSON_ONE_LINE : JSON_INDENTED);
    putchar('\n');
    drover_document_free(document);
    return EXIT_DONE;
}

static int call_once(const struct call_options *call, struct drover_client *client,
                     const struct drover_request *request)
{
    struct drover_reply reply = {0};
    struct drover_error error = {0};
    int result;

    if (drover_client_call(client, request, &reply, &error) != DROVER_OK)
        return cli_fail(&call->globals, &error);
    result = print_reply(call, &reply);
    drover_reply_done(&reply);
    return result;
}

/* --timeout bounds the whole call; a deadline that is named is also the time to wait for the broker. */
static void set_times(const struct call_options *call, struct cli_globals *globals, struct drover_request *request)
{
    uint64_t deadline_ms = call->deadline_ms;

    if (globals->timeout_ms > 0 && (deadline_ms == 0 || globals->timeout_ms < deadline_ms))
        deadline_ms = globals->timeout_ms;
    if (globals->timeout_ms == 0)
        globals->timeout_ms = deadline_ms;
    request->deadline_ms = cli_clamp_ms(deadline_ms);
}

static int make_calls(const struct call_options *call, struct drover_request *request)
{
    struct cli_globals globals = call->globals;
    struct drover_client *client = NULL;
    uint64_t count = call->repeat > 0 ? call->repeat : 1;
    int result, one;

    set_times(call, &globals, request);
    request->idempotent = call->idempotent;
    result = cli_connect(&globals, false, 0, &client);
    if (result != EXIT_DONE)
        return result;
    for (uint64_t i = 0; i < count; i++) {
        one = call_once(call, client, request);
        result = result == EXIT_DONE ? one : result;
    }
    drover_client_free(client);
    return result;
}

static int run(const void *given, char **words, int count)
{
    const struct call_options *call = given;
    struct drover_error error = {0};
    struct request request;
    int result;

    if (request_init(&request, words[0], count > 1 ? words[1] : NULL, &call->metadata, &error) != DROVER_OK)
        result = cli_usage(&verb_call, &error);
    else
        result = make_calls(call, &request.request);
    request_done(&request);
    return result;
}

const struct verb verb_call = {
    .name = "call",
    .words = "SERVICE.METHOD [JSON|@FILE|-]",
    .summary = "make a call and print the reply",
    .options = options,
    .options_size = sizeof(struct call_options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
