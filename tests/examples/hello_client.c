/* hello_client.c - a whole client: calls method greet of service hello, prints the greeting */
#include <drover/client.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct drover_writer *body = drover_writer_new();
    struct drover_client *client = NULL;
    struct drover_error error = {0};
    struct drover_reply reply = {0};
    struct drover_document *document = NULL;

    drover_write_map(body, 1);
    drover_write_string(body, "name");
    drover_write_string(body, argc > 1 ? argv[1] : "world");
    struct drover_request request = {.service = "hello", .method = "greet", .body = drover_writer_data(body)};
    request.body_size = drover_writer_size(body);

    if (drover_client_new(NULL, &client, &error) == DROVER_OK &&
        drover_client_call(client, &request, &reply, &error) == DROVER_OK &&
        drover_document_parse(reply.body, reply.body_size, &document, &error) == DROVER_OK) {
        struct drover_text text = drover_value_get_text(drover_document_root(document), "greeting", "");
        printf("%.*s\n", (int)text.size, text.data);
    } else {
        fprintf(stderr, "%s: %s\n", drover_status_name(error.status), error.text);
    }
    drover_document_free(document);
    drover_reply_done(&reply);
    drover_client_free(client);
    drover_writer_free(body);
    return error.status == DROVER_OK ? 0 : 1;
}
