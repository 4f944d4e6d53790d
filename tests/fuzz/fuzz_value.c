/* fuzz_value.c - any bytes as msgpack: the scan and msgpack-c agree, every accessor is safe, copies are stable */
#include <msgpack.h>
#include <string.h>

#include <drover/value.h>

#include "common/wire/scan.h"
#include "tests/fuzz/fuzz.h"

static uint64_t touched; /* so that no read is optimised away */

static void touch(struct drover_text text)
{
    for (size_t i = 0; i < text.size; i++)
        touched += (uint8_t)text.data[i];
}

static void visit_scalar(const struct drover_value *value)
{
    bool flag = false;
    int64_t integer = 0;
    uint64_t natural = 0;
    double number = 0;
    struct drover_text text = {0};
    if (drover_value_text(value, &text) || drover_value_bytes(value, &text))
        touch(text);
    touched += drover_value_bool(value, &flag) && flag;
    touched += drover_value_uint64(value, &natural) ? natural : 0;
    touched += drover_value_double(value, &number) && number > 0;
    if (drover_value_int64(value, &integer) && integer >= 0)
        FUZZ_CHECK(natural == (uint64_t)integer);
}

/* Depth is bounded by what parsing accepts. */
static void visit(const struct drover_value *value)
{
    visit_scalar(value);
    (void)drover_value_get(value, "key");
    touch(drover_value_get_text(value, "", "fallback"));
    const size_t count = drover_value_count(value);
    FUZZ_CHECK(drover_value_at(value, count) == NULL && drover_value_key(value, count) == NULL);
    for (size_t i = 0; i < count; i++) {
        visit(drover_value_at(value, i));
        if (drover_value_type(value) == DROVER_TYPE_MAP)
            visit(drover_value_key(value, i));
    }
}

/* msgpack-c on its own. Only for bytes whose counts were found good: it allocates what they ask for. */
static bool unpacks(const uint8_t *data, size_t size)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t offset = 0;
    FUZZ_CHECK(msgpack_zone_init(&zone, 1024));
    const msgpack_unpack_return result = msgpack_unpack((const char *)data, size, &offset, &zone, &object);
    msgpack_zone_destroy(&zone);
    return result == MSGPACK_UNPACK_SUCCESS;
}

static void check_agreement(const uint8_t *data, size_t size, const char *fault)
{
    if (fault == NULL)
        FUZZ_CHECK(unpacks(data, size));
    else if (strstr(fault, "declares more") == NULL && size > 0)
        FUZZ_CHECK(!unpacks(data, size));
}

static struct drover_writer *copy_of(const struct drover_document *document)
{
    struct drover_writer *writer = drover_writer_new();
    FUZZ_CHECK(writer != NULL);
    drover_write_value(writer, drover_document_root(document));
    FUZZ_CHECK(drover_writer_ok(writer));
    return writer;
}

/* The copy of a copy is the same bytes. (The first may be shorter: a number has several forms.) */
static void check_copies(struct drover_document *document, size_t size)
{
    struct drover_document *again = NULL;
    struct drover_writer *first = copy_of(document);
    FUZZ_CHECK(drover_writer_size(first) <= size);
    FUZZ_CHECK(drover_document_parse(drover_writer_data(first), drover_writer_size(first), &again, NULL) == DROVER_OK);
    struct drover_writer *second = copy_of(again);
    FUZZ_CHECK(drover_writer_size(second) == drover_writer_size(first));
    FUZZ_CHECK(memcmp(drover_writer_data(second), drover_writer_data(first), drover_writer_size(first)) == 0);
    drover_writer_free(second);
    drover_document_free(again);
    drover_writer_free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drover_document *document = NULL;
    const char *fault = msgpack_scan(data, size);
    check_agreement(data, size, fault);
    const enum drover_status status = drover_document_parse(data, size, &document, NULL);
    FUZZ_CHECK((status == DROVER_OK) == (fault == NULL || size == 0));
    if (status == DROVER_OK) {
        visit(drover_document_root(document));
        check_copies(document, size > 0 ? size : 1);
    }
    drover_document_free(document);
    return 0;
}
