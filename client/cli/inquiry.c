/* inquiry.c - see inquiry.h */
#include "client/cli/inquiry.h"

int inquiry_open(struct inquiry *inquiry, const struct cli_globals *globals)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT};

    *inquiry = (struct inquiry){.globals = globals, .request = drover_writer_new()};
    if (inquiry->request == NULL) {
        (void)drover_error_set(&error, DROVER_INTERNAL, "the question: out of memory");
        return cli_fail(globals, &error);
    }
    return cli_connect(globals, true, 0, &inquiry->client);
}

static void forget_answer(struct inquiry *inquiry)
{
    inquiry->document = drover_document_free(inquiry->document);
    drover_reply_done(&inquiry->reply);
}

void inquiry_close(struct inquiry *inquiry)
{
    forget_answer(inquiry);
    drover_writer_free(inquiry->request);
    drover_client_free(inquiry->client);
    *inquiry = (struct inquiry){0};
}

struct drover_writer *inquiry_begin(struct inquiry *inquiry)
{
    drover_writer_clear(inquiry->request);
    return inquiry->request;
}

void inquiry_about(struct inquiry *inquiry, const char *service)
{
    struct drover_writer *writer = inquiry_begin(inquiry);

    drover_write_map(writer, service == NULL ? 0 : 1);
    if (service == NULL)
        return;
    drover_write_string(writer, "service");
    drover_write_string(writer, service);
}

enum drover_status inquiry_ask(struct inquiry *inquiry, const char *verb, uint32_t deadline_ms,
                               struct drover_error *error)
{
    struct drover_reply reply = {0};
    struct drover_document *document = NULL;
    enum drover_status status;

    *error = (struct drover_error){.origin = DROVER_ORIGIN_CLIENT};
    if (!drover_writer_ok(inquiry->request))
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "verb '%s': out of memory", verb);
    status = cli_admin(inquiry->client, verb, inquiry->request, deadline_ms, &reply, &document, error);
    if (status != DROVER_OK)
        return status;
    forget_answer(inquiry);
    inquiry->reply = reply;
    inquiry->document = document;
    return DROVER_OK;
}

const struct drover_value *inquiry_answer(const struct inquiry *inquiry)
{
    return inquiry->document != NULL ? drover_document_root(inquiry->document) : NULL;
}

int inquiry_order(const struct cli_globals *globals, const char *verb, const char *service, const char *said)
{
    struct drover_error error = {0};
    struct inquiry inquiry;
    int result = inquiry_open(&inquiry, globals);

    if (result == EXIT_DONE) {
        inquiry_about(&inquiry, service);
        if (inquiry_ask(&inquiry, verb, cli_admin_ms(globals), &error) != DROVER_OK)
            result = cli_fail(globals, &error);
        else if (globals->json)
            puts("{}");
        else
            printf("service '%s': %s\n", service, said);
    }
    inquiry_close(&inquiry);
    return result;
}
