/* fuzz_greeting.c - any bytes as the body of HELLO and of WELCOME: what decodes keeps the limits and encodes again */
#include <string.h>

#include "common/wire/greeting.h"
#include "tests/fuzz/fuzz.h"

static bool same(struct drover_text a, struct drover_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The document of what the writer holds. */
static struct drover_document *read_back(const struct drover_writer *writer)
{
    struct drover_document *document = NULL;
    FUZZ_CHECK(drover_writer_ok(writer));
    FUZZ_CHECK(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, NULL) ==
               DROVER_OK);
    return document;
}

static void check_hello_limits(const struct wire_hello *hello)
{
    FUZZ_CHECK(hello->role == WIRE_ROLE_CLIENT || hello->role == WIRE_ROLE_WORKER || hello->role == WIRE_ROLE_ADMIN);
    FUZZ_CHECK(hello->concurrency >= 1 && hello->concurrency <= WIRE_CONCURRENCY_MAX);
    FUZZ_CHECK(drover_value_count(hello->methods) <= WIRE_METHODS_MAX);
    FUZZ_CHECK(hello->software.size <= WIRE_NAME_MAX && hello->interface.size <= WIRE_NAME_MAX);
}

static void check_same_worker(const struct wire_hello *a, const struct wire_hello *b)
{
    FUZZ_CHECK(same(a->interface, b->interface) && same(a->interface_version, b->interface_version));
    FUZZ_CHECK(same(a->driver, b->driver) && same(a->driver_version, b->driver_version));
    FUZZ_CHECK(a->concurrency == b->concurrency);
}

static void check_hello(const struct wire_hello *hello)
{
    struct drover_writer *writer = drover_writer_new();
    struct wire_hello again;
    FUZZ_CHECK(writer != NULL);
    check_hello_limits(hello);
    wire_hello_encode(hello, NULL, 0, writer);
    struct drover_document *document = read_back(writer);
    FUZZ_CHECK(wire_hello_decode(document, &again, NULL) == DROVER_OK);
    FUZZ_CHECK(again.role == hello->role && again.instance == hello->instance);
    FUZZ_CHECK(again.version_min == hello->version_min && again.version_max == hello->version_max);
    FUZZ_CHECK(same(again.software, hello->software) && same(again.name, hello->name));
    FUZZ_CHECK(again.has_token == hello->has_token);
    FUZZ_CHECK(!again.has_token || memcmp(again.token, hello->token, sizeof(again.token)) == 0);
    if (hello->role == WIRE_ROLE_WORKER)
        check_same_worker(&again, hello);
    drover_document_free(document);
    drover_writer_free(writer);
}

static void check_same_welcome(const struct wire_welcome *a, const struct wire_welcome *b)
{
    FUZZ_CHECK(a->version == b->version && a->session == b->session && a->incarnation == b->incarnation);
    FUZZ_CHECK(a->max_body == b->max_body && a->open_max == b->open_max && a->ping_ms == b->ping_ms);
    FUZZ_CHECK(same(a->software, b->software) && same(a->service, b->service));
    if (b->service.size > 0)
        FUZZ_CHECK(a->generation == b->generation && same(a->artefact, b->artefact));
}

static void check_welcome(struct wire_welcome *welcome)
{
    struct drover_writer *writer = drover_writer_new(), *settings = drover_writer_new();
    struct wire_welcome again;
    FUZZ_CHECK(writer != NULL && settings != NULL);
    if (welcome->settings != NULL) {
        FUZZ_CHECK(drover_value_type(welcome->settings) == DROVER_TYPE_MAP);
        drover_write_value(settings, welcome->settings);
        welcome->settings_raw.data = drover_writer_data(settings);
        welcome->settings_raw.size = drover_writer_size(settings);
    }
    wire_welcome_encode(welcome, writer);
    struct drover_document *document = read_back(writer);
    FUZZ_CHECK(wire_welcome_decode(document, &again, NULL) == DROVER_OK);
    check_same_welcome(&again, welcome);
    drover_document_free(document);
    drover_writer_free(settings);
    drover_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drover_document *document = NULL;
    struct drover_error error = {0};
    struct wire_hello hello;
    struct wire_welcome welcome;
    if (drover_document_parse(data, size, &document, &error) != DROVER_OK)
        return 0;
    if (wire_hello_decode(document, &hello, &error) == DROVER_OK)
        check_hello(&hello);
    else
        FUZZ_CHECK(error.text[0] != '\0');
    if (wire_welcome_decode(document, &welcome, &error) == DROVER_OK)
        check_welcome(&welcome);
    drover_document_free(document);
    return 0;
}
