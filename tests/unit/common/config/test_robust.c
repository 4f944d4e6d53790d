/* test_robust.c - broken files and failing allocations end in an answer
 *
 * Linked with --wrap: the allocation functions below stand between drover's code and the real ones, and make the n-th
 * one fail.
 */
#include <stdarg.h>

#include "common/config/diff.h"
#include "common/config/lock.h"
#include "tests/unit/common/config/fixture.h"

static const char sample[] = "broker: {listen: [\"ipc:///run/b.sock\", 'tcp://[::1]:5570'], mode: \"0660\", group: g,\n"
                             "         fetch: {allow: [https, file], key: k}}\n"
                             "plugins: true\n"
                             "driver_path: [a, /b]\n"
                             "services:\n"
                             "  userprovider:\n"
                             "    driver: json\n"
                             "    json: {users: ./u.json, n: [1, 0x2, -3.5, ~, true], \"q\": \"${env:A} $${env:B}\"}\n"
                             "    restart: {min: 10ms, max: 1s}\n"
                             "  echo: # a comment\n"
                             "    driver: echo\n"
                             "    config:\n      text: >-\n        folded\n        text\n"
                             "    queue: {calls: 3}\n"
                             "    self_test: {method: echo, request: {a: [1, x]}, expect: OK}\n    settle: 0ms\n"
                             "  acme:\n"
                             "    interface: userprovider\n"
                             "    driver: path:./acme.bin\n"
                             "    grants: {read: [/a, b], network: outbound, memory: 1GiB}\n"
                             "    sandbox: 'off'\n    user: u\n"
                             "  far: {driver: \"https://host/a/b//c?ref=d\", c: {}}\n";

static const char faulty[] = "broker: {listen: [tcp://*:1], http: 1}\n"
                             "services:\n"
                             "  userprovider: {driver: jsn, replicas: 0, replicas: 99, queue: {bytes: 9999GiB}}\n"
                             "  a: {driver: host.org/a/b, interface: userprovider, sha256: x, json: &x {}}\n"
                             "  b: {driver: git::x, interface: userprovider, unknown: \"${file:x}\"}\n"
                             "  c: {driver: ../x, deadline: 1, grants: {read: [5, \"\"], network: x}}\n"
                             "  d: {driver: file:///a/b, sandbox: x, user: \"-\", self_test: {expect: NOTFOUND}}\n";

/* ---- allocations that fail ---- */

static long allocations_left = -1; /* the one that takes it to 0 fails; below 0 none does */
static long failures;

static bool fails_now(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left-- > 0)
        return false;
    failures++;
    return true;
}

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
int __real_vasprintf(char **ret, const char *format, va_list arguments);

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
    return fails_now() ? NULL : __real_realloc(data, size);
}

char *__wrap_strdup(const char *text)
{
    return fails_now() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails_now() ? NULL : __real_strndup(text, size);
}

int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
    return fails_now() ? -1 : __real_vasprintf(ret, format, arguments);
}

static char *env(void *context, const char *name)
{
    (void)context;
    return __real_strdup(name);
}

static enum reference_disk_kind look(void *context, const char *path)
{
    (void)context;
    return strstr(path, "acme.bin") ? REFERENCE_DISK_EXECUTABLE : REFERENCE_DISK_NOTHING;
}

static const struct reference_disk disk = {look, NULL};
static struct config_sources sources = {.env = env, .disk = &disk};

/* Let each allocation of a parse fail in turn; `status` is what comes when none does. */
static void fail_each_allocation(const char *text, enum drover_status status)
{
    for (long n = 0;; n++) {
        failures = 0;
        allocations_left = n;
        struct parsed parsed = parse_bytes(text, strlen(text), &sources);
        allocations_left = -1;
        cr_assert_eq(parsed.status, failures ? DROVER_RESOURCE_EXHAUSTED : status, "allocation %ld: %s %s", n,
                     drover_status_name(parsed.status), parsed.messages.count ? parsed.messages.lines[0] : "");
        cr_assert(failures == 0 || (!parsed.config && parsed.messages.count == 0), "allocation %ld", n);
        parsed_done(&parsed);
        if (failures == 0) {
            cr_assert_gt(n, 40, "the allocations are counted");
            return;
        }
    }
}

Test(robust, leniently_every_failing_allocation_is_survived, .timeout = 60)
{
    sources.lenient = true;
    fail_each_allocation("broker: {listen: [\"tcp://127.0.0.1:1\"]}\n"
                         "services: {a: {driver: pkg/x, own: {a: 1}}, b: {driver: /y.so}, c: {driver: src:z/}}\n",
                         DROVER_OK);
}

Test(robust, each_allocation_of_a_good_file_may_fail)
{
    fail_each_allocation(sample, DROVER_OK);
}

Test(robust, each_allocation_of_a_faulty_file_may_fail)
{
    fail_each_allocation(faulty, DROVER_INVALID_ARGUMENT);
}

#define ID "0123456789abcdef0123456789abcdef01234567"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char lock_text[] =
    "version: 1\n"
    "drivers:\n"
    "  - {url: a, requested: b, commit: " ID ", tree: " ID ", content: \"sha256:" HASH "\"}\n"
    "  - {url: a, subdir: c, commit: " ID ", tree: " ID ", content: \"sha256:" HASH "\",\n"
    "     artefacts: [{target: t, key: " HASH ", sha256: " HASH "}]}\n";

Test(robust, each_allocation_of_reading_a_lock_may_fail)
{
    failures = 1;
    for (long n = 0; failures; n++) {
        struct lock *lock = NULL;
        struct config_messages messages;
        failures = 0;
        allocations_left = n;
        enum drover_status status = lock_parse(lock_text, sizeof lock_text - 1, "l", &lock, &messages);
        allocations_left = -1;
        cr_assert_eq(status, failures ? DROVER_RESOURCE_EXHAUSTED : DROVER_OK, "allocation %ld", n);
        cr_assert_eq(lock != NULL, failures == 0, "allocation %ld", n);
        cr_assert_eq(messages.count, 0, "allocation %ld", n);
        lock_free(lock);
    }
}

/* Change a lock in all ways; OK when all of it was done. */
static enum drover_status change_lock(struct lock *lock)
{
    struct drover_error error;
    struct lock_artefact artefact = {(char *)"u", (char *)HASH, (char *)HASH};
    struct lock_entry entry = {.url = (char *)"z",
                               .commit = (char *)ID,
                               .tree = (char *)ID,
                               .content = (char *)"sha256:" HASH,
                               .artefacts = &artefact,
                               .artefact_count = 1};
    enum drover_status status = lock_set(lock, &entry, &error);
    entry.url = (char *)"a";
    entry.requested = (char *)"b";
    if (status == DROVER_OK)
        status = lock_set(lock, &entry, &error);
    if (status == DROVER_OK)
        status = lock_set_artefact(lock, &entry, &artefact, &error);
    return status;
}

Test(robust, each_allocation_of_changing_a_lock_may_fail_and_leaves_it_whole)
{
    failures = 1;
    for (long n = 0; failures; n++) {
        struct lock *lock = NULL, *again = NULL;
        struct config_messages messages;
        cr_assert_eq(lock_parse(lock_text, sizeof lock_text - 1, "l", &lock, &messages), DROVER_OK);
        failures = 0;
        allocations_left = n;
        enum drover_status status = change_lock(lock);
        char *text = lock_write(lock);
        allocations_left = -1;
        bool complete = status == DROVER_OK && text;
        cr_assert_eq(complete, failures == 0, "allocation %ld", n);
        free(text);
        text = lock_write(lock);
        cr_expect_eq(lock_parse(text, strlen(text), "l", &again, &messages), DROVER_OK, "allocation %ld", n);
        free(text);
        lock_free(again);
        lock_free(lock);
    }
}

static const char changed_sample[] = "broker: {listen: [\"ipc:///run/c.sock\"]}\n"
                                     "services:\n"
                                     "  userprovider: {driver: json, replicas: 2, deadline: 1s}\n"
                                     "  new: {driver: json, interface: userprovider}\n";

Test(robust, each_allocation_of_comparing_two_files_may_fail)
{
    struct parsed before = parse_bytes(sample, sizeof sample - 1, &sources);
    struct parsed after = parse_bytes(changed_sample, sizeof changed_sample - 1, &sources);
    cr_assert(before.config && after.config);
    failures = 1;
    for (long n = 0; failures; n++) {
        struct config_diff *diff = NULL;
        failures = 0;
        allocations_left = n;
        enum drover_status status = config_compare(before.config, after.config, &diff);
        allocations_left = -1;
        cr_assert_eq(status, failures ? DROVER_RESOURCE_EXHAUSTED : DROVER_OK, "allocation %ld", n);
        cr_assert_eq(diff != NULL, failures == 0, "allocation %ld", n);
        config_diff_free(diff);
    }
    parsed_done(&before);
    parsed_done(&after);
}

/* ---- broken files ---- */

/* Whatever the bytes are: a configuration without messages, or messages of one line each and none. */
static void expect_an_answer(const char *text, size_t size, const char *what, size_t where)
{
    struct parsed parsed = parse_bytes(text, size, &sources);
    if (parsed.status == DROVER_OK) {
        cr_expect_eq(parsed.messages.count, 0, "%s %zu", what, where);
        cr_expect_not_null(parsed.config, "%s %zu", what, where);
    } else {
        cr_expect_eq(parsed.status, DROVER_INVALID_ARGUMENT, "%s %zu", what, where);
        cr_expect_gt(parsed.messages.count, 0, "%s %zu", what, where);
        cr_expect_null(parsed.config, "%s %zu", what, where);
    }
    for (size_t i = 0; i < parsed.messages.count; i++) {
        unsigned line = 0, column = 0;
        cr_expect_eq(sscanf(parsed.messages.lines[i], "drover.yaml:%u:%u: ", &line, &column), 2, "%s",
                     parsed.messages.lines[i]);
        cr_expect(line > 0 && column > 0 && !strchr(parsed.messages.lines[i], '\n'), "%s", parsed.messages.lines[i]);
    }
    parsed_done(&parsed);
}

/* A copy of exactly its size, so that a byte read too far is seen. */
static void cut_everywhere(const char *text)
{
    for (size_t size = 0; size <= strlen(text); size++) {
        char *copy = __real_malloc(size + (size == 0));
        memcpy(copy, text, size);
        expect_an_answer(copy, size, "cut at", size);
        free(copy);
    }
}

Test(robust, a_file_cut_anywhere_gets_an_answer)
{
    cut_everywhere(sample);
    cut_everywhere(faulty);
}

Test(robust, a_file_with_any_byte_replaced_gets_an_answer)
{
    static const char odd[] = {'\0', '\n', '\t', ' ', '"', '\'', '{', ']', ':', '-', '&',        '*',
                               '!',  '|',  '$',  '%', '#', '?',  '@', '.', '/', '0', (char)0xFF, (char)0xC3};
    char copy[sizeof sample];
    for (size_t at = 0; at + 1 < sizeof sample; at++)
        for (size_t i = 0; i < sizeof odd; i++) {
            memcpy(copy, sample, sizeof sample);
            copy[at] = odd[i];
            expect_an_answer(copy, sizeof sample - 1, "replaced at", at);
        }
}

Test(robust, a_file_with_any_two_lines_swapped_gets_an_answer)
{
    const char *lines[32];
    size_t sizes[32], count = 0;
    for (const char *at = sample; *at; at += sizes[count], count++) {
        lines[count] = at;
        sizes[count] = strcspn(at, "\n") + 1;
        if (count == 31)
            break;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            char copy[sizeof sample] = "";
            for (size_t k = 0; k < count; k++) {
                size_t from = k == i ? j : k == j ? i : k;
                strncat(copy, lines[from], sizes[from]);
            }
            expect_an_answer(copy, strlen(copy), "swapped", i);
        }
}
