/* test_greeting.c - the maps of HELLO and WELCOME: what they must hold, what they may, and their limits */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/greeting.h"

static struct drover_document *document;
static struct drover_writer *writer;
static struct drover_error error;

static void set_up(void)
{
    writer = drover_writer_new();
    cr_assert_not_null(writer);
}

static void tear_down(void)
{
    document = drover_document_free(document);
    writer = drover_writer_free(writer);
}

TestSuite(greeting, .init = set_up, .fini = tear_down);

static void parse_written(void)
{
    document = drover_document_free(document);
    cr_assert(drover_writer_ok(writer));
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, &error),
                 DROVER_OK, "%s", error.text);
}

static enum drover_status decode_hello(struct wire_hello *ret)
{
    parse_written();
    return wire_hello_decode(document, ret, &error);
}

static enum drover_status decode_welcome(struct wire_welcome *ret)
{
    parse_written();
    return wire_welcome_decode(document, ret, &error);
}

/* A map of `count` more entries that already has the role of a worker. */
static void begin_hello(size_t count)
{
    drover_writer_clear(writer);
    drover_write_map(writer, 1 + count);
    drover_write_string(writer, "role");
    drover_write_string(writer, "worker");
}

static void expect_hello_refused(const char *text)
{
    struct wire_hello hello, before;
    memset(&hello, 0x5A, sizeof(hello));
    memcpy(&before, &hello, sizeof(hello));
    cr_expect_eq(decode_hello(&hello), DROVER_INVALID_ARGUMENT, "%s", text);
    cr_expect_eq(error.status, DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, text);
    cr_expect_eq(memcmp(&hello, &before, sizeof(hello)), 0, "a refusal stores nothing");
}

static struct drover_text text_of(const char *string)
{
    return (struct drover_text){.data = string, .size = strlen(string)};
}

Test(greeting, hello_of_every_role_round_trips)
{
    static const enum wire_role roles[] = {WIRE_ROLE_CLIENT, WIRE_ROLE_WORKER, WIRE_ROLE_ADMIN};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        const struct wire_hello sent = {.role = roles[i], .version_min = 1, .version_max = 3, .concurrency = 5};
        struct wire_hello got;
        drover_writer_clear(writer);
        wire_hello_encode(&sent, NULL, 0, writer);
        cr_assert_eq(decode_hello(&got), DROVER_OK, "%s", error.text);
        cr_expect_eq(got.role, roles[i]);
        cr_expect_eq(got.version_max, 3);
        cr_expect_eq(got.has_token, false);
    }
}

Test(greeting, hello_of_a_worker_carries_all_it_says)
{
    const struct wire_method methods[] = {{.name = "get", .idempotent = true}, {.name = "put"}};
    struct wire_hello sent = {
        .role = WIRE_ROLE_WORKER,
        .version_min = 1,
        .version_max = 1,
        .software = text_of("drover 0.1.0"),
        .name = text_of("drover-worker"),
        .instance = UINT64_MAX,
        .interface = text_of("storage"),
        .interface_version = text_of("2.1.0"),
        .driver = text_of("local"),
        .driver_version = text_of("0.3"),
        .concurrency = WIRE_CONCURRENCY_MAX,
        .has_token = true,
    };
    struct wire_hello got;
    memset(sent.token, 0xA5, sizeof(sent.token));
    wire_hello_encode(&sent, methods, 2, writer);
    cr_assert_eq(decode_hello(&got), DROVER_OK, "%s", error.text);
    cr_expect(drover_text_equals(got.software, "drover 0.1.0"));
    cr_expect(drover_text_equals(got.name, "drover-worker"));
    cr_expect_eq(got.instance, UINT64_MAX);
    cr_expect(drover_text_equals(got.interface, "storage"));
    cr_expect(drover_text_equals(got.interface_version, "2.1.0"));
    cr_expect(drover_text_equals(got.driver, "local"));
    cr_expect(drover_text_equals(got.driver_version, "0.3"));
    cr_expect_eq(got.concurrency, WIRE_CONCURRENCY_MAX);
    cr_expect_eq(drover_value_count(got.methods), 2);
    cr_expect(got.has_token);
    cr_expect_eq(memcmp(got.token, sent.token, sizeof(got.token)), 0);
}

Test(greeting, a_hello_that_says_only_its_role_has_the_defaults)
{
    struct wire_hello hello;
    begin_hello(0);
    cr_assert_eq(decode_hello(&hello), DROVER_OK);
    cr_expect_eq(hello.version_min, 1);
    cr_expect_eq(hello.version_max, 1);
    cr_expect_eq(hello.concurrency, 1);
    cr_expect_null(hello.methods);
    cr_expect_eq(hello.software.size, 0);
    cr_expect_not(hello.has_token);
}

Test(greeting, unknown_keys_are_ignored)
{
    struct wire_hello hello;
    begin_hello(2);
    drover_write_string(writer, "colour");
    drover_write_array(writer, 0);
    drover_write_uint64(writer, 7); /* a key that is no string */
    drover_write_nil(writer);
    cr_expect_eq(decode_hello(&hello), DROVER_OK, "%s", error.text);
}

Test(greeting, a_hello_that_is_no_map_is_refused)
{
    drover_write_array(writer, 0);
    expect_hello_refused("the body must be a map, got: list");
    drover_writer_clear(writer);
    drover_write_nil(writer);
    expect_hello_refused("the body must be a map, got: nil");
}

Test(greeting, a_hello_without_a_known_role_is_refused)
{
    drover_write_map(writer, 0);
    expect_hello_refused("key 'role' is none of client, worker, admin");
    static const char *const names[] = {"broker", "nobody", "", "CLIENT", "client "};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        drover_writer_clear(writer);
        drover_write_map(writer, 1);
        drover_write_string(writer, "role");
        drover_write_string(writer, names[i]);
        expect_hello_refused("key 'role' is none of client, worker, admin");
    }
}

Test(greeting, numbers_of_another_type_are_refused_by_name)
{
    begin_hello(1);
    drover_write_string(writer, "version_max");
    drover_write_string(writer, "1");
    expect_hello_refused("key 'version_max' must be an unsigned number, got: string");
    begin_hello(1);
    drover_write_string(writer, "instance");
    drover_write_int64(writer, -1);
    expect_hello_refused("key 'instance' must be an unsigned number, got: integer");
}

Test(greeting, strings_of_another_type_or_beyond_255_octets_are_refused_by_name)
{
    static char name[WIRE_NAME_MAX + 1];
    struct wire_hello hello;
    memset(name, 'n', sizeof(name));
    begin_hello(1);
    drover_write_string(writer, "driver");
    drover_write_text(writer, name, WIRE_NAME_MAX);
    cr_assert_eq(decode_hello(&hello), DROVER_OK);
    cr_expect_eq(hello.driver.size, WIRE_NAME_MAX);
    begin_hello(1);
    drover_write_string(writer, "driver");
    drover_write_text(writer, name, sizeof(name));
    expect_hello_refused("key 'driver' is no string of at most 255 bytes");
    begin_hello(1);
    drover_write_string(writer, "software");
    drover_write_bytes(writer, "x", 1);
    expect_hello_refused("key 'software' is no string of at most 255 bytes");
}

Test(greeting, concurrency_is_1_to_1024)
{
    static const uint64_t wrong[] = {0, WIRE_CONCURRENCY_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        begin_hello(1);
        drover_write_string(writer, "concurrency");
        drover_write_uint64(writer, wrong[i]);
        expect_hello_refused("key 'concurrency' is not in 1 to 1024");
    }
}

Test(greeting, a_token_has_exactly_32_bytes)
{
    static const char token[WIRE_TOKEN_SIZE + 1];
    static const size_t wrong[] = {0, WIRE_TOKEN_SIZE - 1, WIRE_TOKEN_SIZE + 1};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        begin_hello(1);
        drover_write_string(writer, "token");
        drover_write_bytes(writer, token, wrong[i]);
        expect_hello_refused("key 'token' is not 32 bytes");
    }
    begin_hello(1);
    drover_write_string(writer, "token");
    drover_write_uint64(writer, 7);
    expect_hello_refused("key 'token' is not 32 bytes");
}

static void begin_methods(size_t count)
{
    begin_hello(1);
    drover_write_string(writer, "methods");
    drover_write_array(writer, count);
}

static void write_method(const char *name)
{
    drover_write_map(writer, 1);
    drover_write_string(writer, "name");
    drover_write_string(writer, name);
}

Test(greeting, at_most_256_methods_are_taken)
{
    struct wire_hello hello;
    begin_methods(WIRE_METHODS_MAX);
    for (int i = 0; i < WIRE_METHODS_MAX; i++)
        write_method("m");
    cr_assert_eq(decode_hello(&hello), DROVER_OK, "%s", error.text);
    cr_expect_eq(drover_value_count(hello.methods), WIRE_METHODS_MAX);
    begin_methods(WIRE_METHODS_MAX + 1);
    for (int i = 0; i < WIRE_METHODS_MAX + 1; i++)
        write_method("m");
    expect_hello_refused("key 'methods' is no list of at most 256 methods");
}

Test(greeting, a_method_without_a_name_is_refused)
{
    begin_methods(2);
    write_method("get");
    write_method("");
    expect_hello_refused("key 'methods': entry 1 has no name");
    begin_methods(1);
    drover_write_string(writer, "get");
    expect_hello_refused("key 'methods': entry 0 has no name");
    begin_hello(1);
    drover_write_string(writer, "methods");
    drover_write_map(writer, 0);
    expect_hello_refused("key 'methods' is no list of at most 256 methods");
}

Test(greeting, welcome_to_a_client_has_nothing_of_a_worker)
{
    const struct wire_welcome sent = {
        .version = 1, .session = 7, .max_body = 1 << 24, .open_max = 1024, .ping_ms = 250};
    struct wire_welcome got;
    wire_welcome_encode(&sent, writer);
    cr_assert_eq(decode_welcome(&got), DROVER_OK, "%s", error.text);
    cr_expect_eq(got.session, 7);
    cr_expect_eq(got.ping_ms, 250);
    cr_expect_eq(drover_value_count(drover_document_root(document)), 7);
    cr_expect_null(got.settings);
}

Test(greeting, welcome_to_a_worker_without_settings_has_an_empty_map)
{
    const struct wire_welcome sent = {
        .version = 1, .session = 7, .service = text_of("echo"), .generation = 2, .artefact = text_of("00ff")};
    struct wire_welcome got;
    wire_welcome_encode(&sent, writer);
    cr_assert_eq(decode_welcome(&got), DROVER_OK, "%s", error.text);
    cr_expect(drover_text_equals(got.service, "echo"));
    cr_expect_eq(got.generation, 2);
    cr_expect(drover_text_equals(got.artefact, "00ff"));
    cr_expect_eq(drover_value_type(got.settings), DROVER_TYPE_MAP);
    cr_expect_eq(drover_value_count(got.settings), 0);
}

Test(greeting, settings_go_through_as_they_are)
{
    const struct wire_welcome sent = {.version = 1,
                                      .session = 7,
                                      .service = text_of("echo"),
                                      .settings_raw = {.data = "\x81\xa7version\x02", .size = 10}};
    struct wire_welcome got;
    uint64_t version = 0;
    wire_welcome_encode(&sent, writer);
    cr_assert_eq(decode_welcome(&got), DROVER_OK, "%s", error.text);
    cr_expect(drover_value_uint64(drover_value_get(got.settings, "version"), &version));
    cr_expect_eq(version, 2);
}

Test(greeting, a_welcome_with_a_wrong_type_is_refused_by_name)
{
    struct wire_welcome welcome = {.session = 4711};
    drover_write_map(writer, 1);
    drover_write_string(writer, "session");
    drover_write_string(writer, "7");
    cr_expect_eq(decode_welcome(&welcome), DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, "key 'session' must be an unsigned number, got: string");
    cr_expect_eq(welcome.session, 4711);
    drover_writer_clear(writer);
    drover_write_bool(writer, true);
    cr_expect_eq(decode_welcome(&welcome), DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, "the body must be a map, got: boolean");
}

Test(greeting, settings_that_are_no_map_are_refused)
{
    struct wire_welcome welcome;
    drover_write_map(writer, 1);
    drover_write_string(writer, "settings");
    drover_write_string(writer, "users.json");
    cr_expect_eq(decode_welcome(&welcome), DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, "key 'settings' must be a map, got: string");
}
