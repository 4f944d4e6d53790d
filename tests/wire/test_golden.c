/* test_golden.c - the golden vectors: bytes -> fields, fields -> bytes, and the RFC prints the same bytes
 *
 * The vectors were written without the code that is tested here. One file a frame in tests/wire/golden; `headers`
 * lists the header frames with their fields, the bodies of HELLO and WELCOME have tests of their own.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/greeting.h"
#include "common/wire/header.h"

#define GOLDEN DROVER_SOURCE_DIR "/tests/wire/golden/"
#define RFC DROVER_SOURCE_DIR "/docs/rfc/1.md"
#define TEXT(string)                                 \
    {                                                \
        .data = (string), .size = sizeof(string) - 1 \
    }

enum { FRAME_MAX = 1024, FILE_MAX = 1 << 20 };

#define CLIENT_SESSION UINT64_C(0x1122334455667788)
#define WORKER_SESSION UINT64_C(0x99AABBCCDDEEFF01)
#define CALL_ID(slot, serial) (UINT64_C(slot) << 40 | UINT64_C(serial))
#define USER_METADATA  \
    "\x81\xa4user\xa8" \
    "einstein"

static const struct golden {
    const char *name;
    struct wire_header header;
} headers[] = {
    {"hello", {.command = WIRE_HELLO}},
    {"welcome", {.command = WIRE_WELCOME, .session = CLIENT_SESSION}},
    {"refused",
     {.command = WIRE_REFUSED,
      .flags = FIELD_STATUS,
      .status = DROVER_FAILED_PRECONDITION,
      .outcome = DROVER_OUTCOME_NOT_STARTED,
      .origin = DROVER_ORIGIN_BROKER,
      .text = TEXT("this broker speaks version 1, the peer speaks 2")}},
    {"ready", {.command = WIRE_READY, .session = WORKER_SESSION}},
    {"config_error",
     {.command = WIRE_CONFIG_ERROR,
      .flags = FIELD_STATUS,
      .session = WORKER_SESSION,
      .status = DROVER_INVALID_ARGUMENT,
      .outcome = DROVER_OUTCOME_NOT_STARTED,
      .origin = DROVER_ORIGIN_DRIVER,
      .text = TEXT("users: /etc/drover/users.json:3:1: no array")}},
    {"call-client",
     {.command = WIRE_CALL,
      .flags = FIELD_DEADLINE | FIELD_READ | FIELD_TARGET | FIELD_METADATA | WIRE_IDEMPOTENT,
      .session = CLIENT_SESSION,
      .call = CALL_ID(7, 42),
      .deadline_ms = 30000,
      .read_count = 41,
      .read_bytes = 4096,
      .service = TEXT("userprovider"),
      .method = TEXT("get_user"),
      .metadata = TEXT(USER_METADATA)}},
    {"call-worker",
     {.command = WIRE_CALL,
      .flags = FIELD_DEADLINE | FIELD_SEQUENCE | FIELD_TARGET | FIELD_METADATA | WIRE_IDEMPOTENT,
      .session = WORKER_SESSION,
      .call = CALL_ID(3, 9001),
      .deadline_ms = 29998,
      .sequence = 17,
      .service = TEXT("userprovider"),
      .method = TEXT("get_user"),
      .metadata = TEXT(USER_METADATA)}},
    {"reply", {.command = WIRE_REPLY, .session = WORKER_SESSION, .call = CALL_ID(3, 9001)}},
    {"error",
     {.command = WIRE_ERROR,
      .flags = FIELD_STATUS,
      .session = CLIENT_SESSION,
      .call = CALL_ID(7, 42),
      .status = DROVER_RESOURCE_EXHAUSTED,
      .outcome = DROVER_OUTCOME_NOT_STARTED,
      .origin = DROVER_ORIGIN_BROKER,
      .retry_after_ms = 250,
      .text = TEXT("service 'userprovider': its queue of 1024 calls is full")}},
    {"hello_first", {.command = WIRE_HELLO_FIRST, .session = CLIENT_SESSION, .call = CALL_ID(7, 42)}},
    {"cancel",
     {.command = WIRE_CANCEL,
      .flags = FIELD_READ,
      .session = CLIENT_SESSION,
      .call = CALL_ID(7, 42),
      .read_count = 42,
      .read_bytes = 4196}},
    {"ping",
     {.command = WIRE_PING, .flags = FIELD_READ, .session = CLIENT_SESSION, .read_count = 42, .read_bytes = 4196}},
    {"pong", {.command = WIRE_PONG, .session = CLIENT_SESSION}},
    {"drain", {.command = WIRE_DRAIN, .session = WORKER_SESSION}},
    {"drained", {.command = WIRE_DRAINED, .session = WORKER_SESSION}},
    {"admin",
     {.command = WIRE_ADMIN,
      .flags = FIELD_DEADLINE | FIELD_TARGET,
      .session = CLIENT_SESSION,
      .call = CALL_ID(8, 43),
      .deadline_ms = 5000,
      .service = TEXT("broker"),
      .method = TEXT("status")}},
    {"reconfigure",
     {.command = WIRE_RECONFIGURE,
      .flags = FIELD_DEADLINE | FIELD_SEQUENCE,
      .session = WORKER_SESSION,
      .call = CALL_ID(5, 9003),
      .deadline_ms = 10000,
      .sequence = 18}},
    {"bye",
     {.command = WIRE_BYE, .flags = FIELD_READ, .session = CLIENT_SESSION, .read_count = 42, .read_bytes = 4196}},
};

static const char *const bodies[] = {"hello-client-body", "hello-worker-body", "welcome-client-body",
                                     "welcome-worker-body"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- files ---- */

/* A file as a string, for the caller to free(). */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s cannot be opened", path);
    char *text = malloc(FILE_MAX);
    const size_t size = fread(text, 1, FILE_MAX - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    return text;
}

static char *read_golden(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), GOLDEN "%s.hex", name);
    return read_file(path);
}

static size_t octets_of_line(const char *line, const char *end, uint8_t *frame, size_t size)
{
    for (; line < end && *line != '#'; line++) {
        unsigned octet;
        if (isspace((unsigned char)*line))
            continue;
        cr_assert(sscanf(line, "%2x", &octet) == 1 && isxdigit((unsigned char)line[1]), "no hex octet: %.8s", line);
        cr_assert(size < FRAME_MAX);
        frame[size++] = (uint8_t)octet;
        line++;
    }
    return size;
}

/* The octets of a vector; returns their number. */
static size_t load(const char *name, uint8_t frame[FRAME_MAX])
{
    char *text = read_golden(name);
    size_t size = 0;
    for (const char *line = text; *line != '\0';) {
        const char *end = line + strcspn(line, "\n");
        size = octets_of_line(line, end, frame, size);
        line = *end == '\n' ? end + 1 : end;
    }
    free(text);
    cr_assert(size > 0, "%s: no octets", name);
    return size;
}

static void expect_text(const char *name, const char *field, struct drover_text got, struct drover_text wanted)
{
    cr_expect(got.size == wanted.size && (got.size == 0 || memcmp(got.data, wanted.data, got.size) == 0),
              "%s: %s is '%.*s', not '%.*s'", name, field, (int)got.size, got.data, (int)wanted.size, wanted.data);
}

#define EXPECT_NUMBER(member) \
    cr_expect((uint64_t)got->member == (uint64_t)wanted->member, "%s: %s differs", name, #member)

static void expect_header(const char *name, const struct wire_header *got, const struct wire_header *wanted)
{
    EXPECT_NUMBER(command);
    EXPECT_NUMBER(flags);
    EXPECT_NUMBER(session);
    EXPECT_NUMBER(call);
    EXPECT_NUMBER(deadline_ms);
    EXPECT_NUMBER(sequence);
    EXPECT_NUMBER(read_count);
    EXPECT_NUMBER(read_bytes);
    EXPECT_NUMBER(status);
    EXPECT_NUMBER(outcome);
    EXPECT_NUMBER(origin);
    EXPECT_NUMBER(retry_after_ms);
    expect_text(name, "text", got->text, wanted->text);
    expect_text(name, "service", got->service, wanted->service);
    expect_text(name, "method", got->method, wanted->method);
    expect_text(name, "metadata", got->metadata, wanted->metadata);
}

/* ---- header frames ---- */

Test(golden, header_frames_decode_to_their_fields)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        uint8_t frame[FRAME_MAX];
        struct wire_header header;
        const size_t size = load(headers[i].name, frame);
        cr_assert_eq(wire_header_decode(frame, size, &header), WIRE_DECODED, "%s", headers[i].name);
        expect_header(headers[i].name, &header, &headers[i].header);
    }
}

Test(golden, header_fields_encode_to_the_same_bytes)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        uint8_t frame[FRAME_MAX], made[FRAME_MAX];
        const size_t size = load(headers[i].name, frame);
        cr_assert_eq(wire_header_encode(&headers[i].header, made, sizeof(made)), size, "%s", headers[i].name);
        cr_assert_eq(memcmp(made, frame, size), 0, "%s: other bytes", headers[i].name);
        cr_assert_eq(wire_header_size(&headers[i].header), size, "%s", headers[i].name);
    }
}

Test(golden, a_header_frame_that_is_cut_or_too_long_is_refused)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        uint8_t frame[FRAME_MAX + 1] = {0};
        struct wire_header header;
        const size_t size = load(headers[i].name, frame);
        for (size_t cut = 0; cut < size; cut++)
            cr_assert_neq(wire_header_decode(frame, cut, &header), WIRE_DECODED, "%s cut to %zu octets",
                          headers[i].name, cut);
        cr_assert_eq(wire_header_decode(frame, size + 1, &header), WIRE_MALFORMED, "%s and an octet", headers[i].name);
    }
}

static bool has_vector(enum wire_command command)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        if (headers[i].header.command == command)
            return true;
    }
    return false;
}

Test(golden, every_command_has_a_vector)
{
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++)
        cr_expect(wire_command_info(command)->name == NULL || has_vector((enum wire_command)command), "%s has none",
                  wire_command_info(command)->name);
}

/* ---- bodies ---- */

static struct drover_document *parse(const uint8_t *data, size_t size)
{
    struct drover_document *document = NULL;
    struct drover_error error = {0};
    cr_assert_eq(drover_document_parse(data, size, &document, &error), DROVER_OK, "%s", error.text);
    return document;
}

static void expect_bytes(const char *name, const struct drover_writer *writer, const uint8_t *frame, size_t size)
{
    cr_assert(drover_writer_ok(writer));
    cr_assert_eq(drover_writer_size(writer), size, "%s: %zu octets instead of %zu", name, drover_writer_size(writer),
                 size);
    cr_assert_eq(memcmp(drover_writer_data(writer), frame, size), 0, "%s: other bytes", name);
}

static struct wire_hello load_hello(const char *name, uint8_t *frame, size_t *ret_size,
                                    struct drover_document **ret_document)
{
    struct wire_hello hello;
    struct drover_error error = {0};
    *ret_size = load(name, frame);
    *ret_document = parse(frame, *ret_size);
    cr_assert_eq(wire_hello_decode(*ret_document, &hello, &error), DROVER_OK, "%s: %s", name, error.text);
    return hello;
}

static struct wire_welcome load_welcome(const char *name, uint8_t *frame, size_t *ret_size,
                                        struct drover_document **ret_document)
{
    struct wire_welcome welcome;
    struct drover_error error = {0};
    *ret_size = load(name, frame);
    *ret_document = parse(frame, *ret_size);
    cr_assert_eq(wire_welcome_decode(*ret_document, &welcome, &error), DROVER_OK, "%s: %s", name, error.text);
    return welcome;
}

Test(golden, hello_of_a_client_both_ways)
{
    uint8_t frame[FRAME_MAX];
    size_t size;
    struct drover_document *document;
    const struct wire_hello hello = load_hello("hello-client-body", frame, &size, &document);
    cr_expect_eq(hello.role, WIRE_ROLE_CLIENT);
    cr_expect_eq(hello.version_min, 1);
    cr_expect_eq(hello.version_max, 1);
    cr_expect(drover_text_equals(hello.software, "drover 0.1.0"));
    cr_expect(drover_text_equals(hello.name, "gateway"));
    cr_expect_eq(hello.instance, UINT64_C(0x0102030405060708));
    cr_expect_not(hello.has_token);

    struct drover_writer *writer = drover_writer_new();
    wire_hello_encode(&hello, NULL, 0, writer);
    expect_bytes("hello-client-body", writer, frame, size);
    drover_writer_free(writer);
    drover_document_free(document);
}

Test(golden, hello_of_a_worker_both_ways)
{
    static const struct wire_method methods[] = {{.name = "get_user", .idempotent = true}, {.name = "set_user"}};
    uint8_t frame[FRAME_MAX];
    size_t size;
    struct drover_document *document;
    const struct wire_hello hello = load_hello("hello-worker-body", frame, &size, &document);
    cr_expect_eq(hello.role, WIRE_ROLE_WORKER);
    cr_expect(drover_text_equals(hello.name, "drover-worker"));
    cr_expect_eq(hello.instance, UINT64_C(0x1112131415161718));
    cr_expect(drover_text_equals(hello.interface, "userprovider"));
    cr_expect(drover_text_equals(hello.interface_version, "1.0.0"));
    cr_expect(drover_text_equals(hello.driver, "json"));
    cr_expect(drover_text_equals(hello.driver_version, "0.1.0"));
    cr_expect_eq(hello.concurrency, 4);
    cr_assert_eq(drover_value_count(hello.methods), COUNT(methods));
    for (size_t i = 0; i < COUNT(methods); i++) {
        const struct drover_value *method = drover_value_at(hello.methods, i);
        bool idempotent = !methods[i].idempotent;
        cr_expect(drover_text_equals(drover_value_get_text(method, "name", ""), methods[i].name));
        cr_expect(drover_value_bool(drover_value_get(method, "idempotent"), &idempotent));
        cr_expect_eq(idempotent, methods[i].idempotent);
    }
    cr_expect(hello.reconfigures);
    cr_assert(hello.has_token);
    for (uint8_t i = 0; i < WIRE_TOKEN_SIZE; i++)
        cr_expect_eq(hello.token[i], i);

    struct drover_writer *writer = drover_writer_new();
    wire_hello_encode(&hello, methods, COUNT(methods), writer);
    expect_bytes("hello-worker-body", writer, frame, size);
    drover_writer_free(writer);
    drover_document_free(document);
}

static void expect_welcome(const struct wire_welcome *welcome, uint64_t session)
{
    cr_expect_eq(welcome->version, WIRE_VERSION);
    cr_expect_eq(welcome->session, session);
    cr_expect(drover_text_equals(welcome->software, "drover 0.1.0"));
    cr_expect_eq(welcome->incarnation, UINT64_C(0x2122232425262728));
    cr_expect_eq(welcome->max_body, 16777216);
    cr_expect_eq(welcome->open_max, 1024);
    cr_expect_eq(welcome->ping_ms, 250);
}

Test(golden, welcome_to_a_client_both_ways)
{
    uint8_t frame[FRAME_MAX];
    size_t size;
    struct drover_document *document;
    const struct wire_welcome welcome = load_welcome("welcome-client-body", frame, &size, &document);
    expect_welcome(&welcome, CLIENT_SESSION);
    cr_expect_eq(welcome.service.size, 0);
    cr_expect_null(welcome.settings);

    struct drover_writer *writer = drover_writer_new();
    wire_welcome_encode(&welcome, writer);
    expect_bytes("welcome-client-body", writer, frame, size);
    drover_writer_free(writer);
    drover_document_free(document);
}

Test(golden, welcome_to_a_worker_both_ways)
{
    static const char settings[] = "\x81\xa5users\xb6/etc/drover/users.json";
    uint8_t frame[FRAME_MAX];
    size_t size;
    struct drover_document *document;
    struct wire_welcome welcome = load_welcome("welcome-worker-body", frame, &size, &document);
    expect_welcome(&welcome, WORKER_SESSION);
    cr_expect(drover_text_equals(welcome.service, "userprovider"));
    cr_expect_eq(welcome.generation, 3);
    cr_expect_eq(welcome.artefact.size, 64);
    cr_expect(
        drover_text_equals(drover_value_get_text(welcome.settings, "users", "(no users)"), "/etc/drover/users.json"));

    struct drover_writer *writer = drover_writer_new();
    welcome.settings_raw = (struct drover_text)TEXT(settings);
    wire_welcome_encode(&welcome, writer);
    expect_bytes("welcome-worker-body", writer, frame, size);
    drover_writer_free(writer);
    drover_document_free(document);
}

Test(golden, a_body_that_is_cut_or_too_long_is_refused)
{
    for (size_t i = 0; i < COUNT(bodies); i++) {
        uint8_t frame[FRAME_MAX + 1] = {0};
        struct drover_document *document = NULL;
        const size_t size = load(bodies[i], frame);
        for (size_t cut = 1; cut < size; cut++)
            cr_assert_eq(drover_document_parse(frame, cut, &document, NULL), DROVER_INVALID_ARGUMENT,
                         "%s cut to %zu octets", bodies[i], cut);
        cr_assert_eq(drover_document_parse(frame, size + 1, &document, NULL), DROVER_INVALID_ARGUMENT,
                     "%s and an octet", bodies[i]);
    }
}

/* ---- the files, the tables above and the RFC ---- */

static bool is_listed(const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        if (strlen(headers[i].name) == size && strncmp(headers[i].name, name, size) == 0)
            return true;
    }
    for (size_t i = 0; i < COUNT(bodies); i++) {
        if (strlen(bodies[i]) == size && strncmp(bodies[i], name, size) == 0)
            return true;
    }
    return false;
}

Test(golden, every_file_is_tested)
{
    size_t files = 0;
    DIR *folder = opendir(GOLDEN);
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *ending = strstr(entry->d_name, ".hex");
        if (ending == NULL)
            continue;
        files++;
        cr_expect(is_listed(entry->d_name, (size_t)(ending - entry->d_name)), "%s is not tested", entry->d_name);
    }
    (void)closedir(folder);
    cr_expect_eq(files, COUNT(headers) + COUNT(bodies));
}

static void expect_in_rfc(const char *rfc, const char *name)
{
    static char wanted[FILE_MAX];
    char *text = read_golden(name);
    (void)snprintf(wanted, sizeof(wanted), "`%s`\n\n```hex\n%s```\n", name, text);
    cr_expect(strstr(rfc, wanted) != NULL, "docs/rfc/1.md does not print %s.hex as it is", name);
    free(text);
}

Test(golden, the_rfc_prints_the_same_bytes)
{
    char *rfc = read_file(RFC);
    for (size_t i = 0; i < COUNT(headers); i++)
        expect_in_rfc(rfc, headers[i].name);
    for (size_t i = 0; i < COUNT(bodies); i++)
        expect_in_rfc(rfc, bodies[i]);
    size_t blocks = 0;
    for (const char *at = rfc; (at = strstr(at, "\n```hex\n")) != NULL; at++)
        blocks++;
    cr_expect_eq(blocks, COUNT(headers) + COUNT(bodies), "docs/rfc/1.md prints %zu vectors", blocks);
    free(rfc);
}
