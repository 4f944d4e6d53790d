/* test_request.c - requests that are wrong are refused naming the field */
#include "users_fixture.h"

#include "drivers/users/request.h"

/* Requests as msgpack; the first byte of each is the type of the whole. */
struct request {
    unsigned char bytes[40];
    size_t size;
    char text[64]; /* what 'id.opaque_id' is, or the error */
};

static const struct request requests[] = {
    {"\x80", 1, "field 'id.opaque_id' is missing"},
    {"\xc0", 1, "the request must be a map, not nil"},
    {"\xa2hi", 3, "the request must be a map, not string"},
    {"\x81\xa2id\xc0", 5, "field 'id.opaque_id' is missing"},
    {"\x81\xa2id\x80", 5, "field 'id.opaque_id' is missing"},
    {"\x81\xa2id\xa1x", 6, "field 'id' must be a map, not string"},
    {"\x81\xa2id\x81\xa9opaque_id\x07", 16, "field 'id.opaque_id' must be a string, not integer"},
    {"\x81\xa2id\x81\xa9opaque_id\xc0", 16, "field 'id.opaque_id' is missing"},
    {"\x81\xa2id\x81\xa9opaque_id\xa3"
     "ada",
     19, "ada"},
    {"\x81\xa2id\x81\xa9opaque_id\xa0", 16, ""},
};

Test(request, text_is_read_or_its_field_named)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct drover_document *document = NULL;
        struct drover_text text = {0};
        struct drover_error error = {0};

        cr_assert_eq(drover_document_parse(requests[i].bytes, requests[i].size, &document, &error), DROVER_OK, "%zu",
                     i);
        enum drover_status status = request_text(drover_document_root(document), "id.opaque_id", &text, &error);
        if (status == DROVER_OK)
            cr_expect(drover_text_equals(text, requests[i].text), "%zu", i);
        else
            cr_expect_str_eq(error.text, requests[i].text);
        drover_document_free(document);
    }
}

Test(request, optional_text_may_be_missing_but_not_of_another_type)
{
    struct drover_document *document = NULL;
    struct drover_text text = {0};
    struct drover_error error = {0};

    cr_assert_eq(drover_document_parse("\x81\xa5query\x01", 8, &document, &error), DROVER_OK);
    cr_expect_eq(request_optional_text(drover_document_root(document), "id.idp", &text, &error), DROVER_OK);
    cr_expect(drover_text_equals(text, ""));
    cr_expect_eq(request_optional_text(drover_document_root(document), "query", &text, &error),
                 DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, "field 'query' must be a string, not integer");
    drover_document_free(document);
}
