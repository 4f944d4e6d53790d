/* test_verdict.c - what a helper's end means */
#include <criterion/criterion.h>

#include <signal.h>
#include <sys/wait.h>

#include "worker/host/verdict.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COMMIT "1234567890123456789012345678901234567890"
#define DONE_FETCH                                                                                \
    "{\"event\":\"done\",\"commit\":\"" COMMIT "\",\"tree\":\"" COMMIT "\",\"content\":\"" HASH_A \
    "\",\"path\":\"/store/src/x\"}"
#define DONE_BUILD                                                      \
    "{\"event\":\"done\",\"artefact\":\"" HASH_A "\",\"key\":\"" HASH_B \
    "\",\"path\":\"/store/artefact/a\",\"form\":\"executable\",\"library_folder\":\"/lib\"}"

static struct finding finding;
static struct verdict verdict;
static struct host_origin origin;

static void end(void)
{
    finding_done(&finding);
}

TestSuite(verdict, .fini = end);

static void judge(enum obtain_state stage, const char *result, int code, int status, const char *last_error)
{
    json_t *json = result != NULL ? json_loads(result, 0, NULL) : NULL;
    cr_assert(result == NULL || json != NULL);
    const struct helper_end helper = {.result = json, .code = code, .status = status, .last_error = last_error};
    verdict_judge(stage, &origin, &helper, &finding, &verdict);
    json_decref(json);
}

static void judge_done(enum obtain_state stage, const char *result)
{
    judge(stage, result, CLD_EXITED, 0, "");
}

static void expect_says(const char *text)
{
    cr_expect(strstr(verdict.reason, text) != NULL, "does not say '%s': %s", text, verdict.reason);
}

Test(verdict, takes_what_was_fetched)
{
    judge_done(OBTAIN_FETCHING, DONE_FETCH);
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
    cr_expect_str_eq(finding.obtained.commit, COMMIT);
    cr_expect_str_eq(finding.obtained.content, HASH_A);
    cr_expect_str_eq(finding.source, "/store/src/x");
}

Test(verdict, takes_what_was_built)
{
    judge_done(OBTAIN_BUILDING, DONE_BUILD);
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
    cr_expect_str_eq(finding.obtained.artefact, HASH_A);
    cr_expect_str_eq(finding.obtained.key, HASH_B);
    cr_expect_str_eq(finding.path, "/store/artefact/a");
    cr_expect_str_eq(finding.library_folder, "/lib");
    cr_expect_not(finding.module);
}

Test(verdict, knows_a_module_by_its_form_and_by_its_origin)
{
    judge_done(OBTAIN_BUILDING,
               "{\"event\":\"done\",\"artefact\":\"" HASH_A "\",\"path\":\"/store/artefact/a\",\"form\":\"module\"}");
    cr_expect(finding.module);
    finding_done(&finding);
    origin.kind = HOST_ORIGIN_MODULE;
    judge_done(OBTAIN_STORING, "{\"event\":\"done\",\"artefact\":\"" HASH_A "\",\"path\":\"/store/artefact/a\"}");
    cr_expect(finding.module);
}

#define ASKS(self_test) \
    "{\"event\":\"done\",\"artefact\":\"" HASH_A "\",\"path\":\"/store/artefact/a\",\"self_test\":" self_test "}"

Test(verdict, takes_what_its_manifest_wants_to_be_asked)
{
    judge_done(OBTAIN_BUILDING, ASKS("{\"method\":\"find\",\"request\":\"81a16100\",\"expect\":\"NOT_FOUND\"}"));
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
    cr_expect_str_eq(finding.self_test.method, "find");
    cr_assert_eq(finding.self_test.request_size, 4);
    cr_expect_arr_eq(finding.self_test.request,
                     "\x81\xa1"
                     "a\x00",
                     4);
    cr_expect_eq(finding.self_test.expect, DROVER_NOT_FOUND);
    judge_done(OBTAIN_BUILDING, ASKS("{\"method\":\"ping\",\"request\":null,\"expect\":\"OK\"}"));
    cr_expect_str_eq(finding.self_test.method, "ping");
    cr_expect_null(finding.self_test.request);
    cr_expect_eq(finding.self_test.expect, DROVER_OK);
    judge_done(OBTAIN_BUILDING, ASKS("null"));
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
    cr_expect_null(finding.self_test.method, "what was built before it does not count");
}

Test(verdict, refuses_content_that_the_lock_file_does_not_have)
{
    origin.content = HASH_B;
    judge_done(OBTAIN_FETCHING, DONE_FETCH);
    cr_expect_eq(verdict.event, OBTAIN_ON_REFUSED);
    expect_says(HASH_A);
    expect_says(HASH_B);
    expect_says(COMMIT);
}

Test(verdict, quarantines_what_is_not_pinned)
{
    origin.path = "/opt/driver";
    origin.pin = HASH_B;
    judge_done(OBTAIN_STORING, DONE_BUILD);
    cr_expect_eq(verdict.event, OBTAIN_ON_REFUSED);
    cr_expect(verdict.quarantine);
    expect_says("has SHA-256 " HASH_A);
    expect_says("pins it to " HASH_B);
    expect_says("it is not run");
    origin.pin = HASH_A;
    judge_done(OBTAIN_STORING, DONE_BUILD);
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
}

Test(verdict, refuses_other_bytes_of_the_same_build_when_all_is_locked)
{
    const char *const other[] = {HASH_B " " HASH_B, NULL}, *const same[] = {HASH_B " " HASH_A, NULL};
    origin.locked = true;
    origin.built = other;
    judge_done(OBTAIN_BUILDING, DONE_BUILD);
    cr_expect_eq(verdict.event, OBTAIN_ON_REFUSED);
    expect_says("drover.lock");
    origin.locked = false;
    judge_done(OBTAIN_BUILDING, DONE_BUILD);
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
    origin.locked = true;
    origin.built = same;
    judge_done(OBTAIN_BUILDING, DONE_BUILD);
    cr_expect_eq(verdict.event, OBTAIN_ON_DONE);
}

Test(verdict, tells_what_may_pass_from_what_does_not)
{
    static const struct {
        enum obtain_state stage;
        const char *status;
        enum obtain_event event;
    } rows[] = {
        {OBTAIN_FETCHING, "UNAVAILABLE", OBTAIN_ON_TROUBLE},
        {OBTAIN_FETCHING, "DEADLINE_EXCEEDED", OBTAIN_ON_TROUBLE},
        {OBTAIN_FETCHING, "RESOURCE_EXHAUSTED", OBTAIN_ON_TROUBLE},
        {OBTAIN_FETCHING, "NOT_FOUND", OBTAIN_ON_REFUSED},
        {OBTAIN_FETCHING, "FAILED_PRECONDITION", OBTAIN_ON_REFUSED},
        {OBTAIN_FETCHING, "UNAUTHENTICATED", OBTAIN_ON_REFUSED},
        {OBTAIN_BUILDING, "FAILED_PRECONDITION", OBTAIN_ON_REFUSED},
        {OBTAIN_BUILDING, "DEADLINE_EXCEEDED", OBTAIN_ON_REFUSED},
        {OBTAIN_BUILDING, "CANCELLED", OBTAIN_ON_TROUBLE},
        {OBTAIN_STORING, "ABORTED", OBTAIN_ON_TROUBLE},
        {OBTAIN_STORING, "NOT_FOUND", OBTAIN_ON_REFUSED},
    };
    char result[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(result, sizeof(result), "{\"event\":\"error\",\"status\":\"%s\",\"message\":\"why\"}", rows[i].status);
        judge(rows[i].stage, result, CLD_EXITED, 1, "");
        cr_expect_eq(verdict.event, rows[i].event, "%s", rows[i].status);
        cr_expect_str_eq(verdict.reason, "why");
    }
}

Test(verdict, tells_the_first_mistake_of_a_manifest)
{
    judge(
        OBTAIN_BUILDING,
        "{\"event\":\"error\",\"status\":\"INVALID_ARGUMENT\",\"message\":\"m\",\"messages\":[\"driver.yaml:1:2: x\"]}",
        CLD_EXITED, 78, "");
    cr_expect_str_eq(verdict.reason, "driver.yaml:1:2: x");
}

Test(verdict, makes_hostile_words_printable)
{
    judge(OBTAIN_FETCHING, "{\"event\":\"error\",\"status\":\"UNAVAILABLE\",\"message\":\"a\\u001b[31m\\nb\"}",
          CLD_EXITED, 75, "");
    cr_expect(strpbrk(verdict.reason, "\033\n") == NULL, "%s", verdict.reason);
}

Test(verdict, explains_a_helper_that_said_nothing)
{
    judge(OBTAIN_FETCHING, NULL, CLD_KILLED, SIGSEGV, "");
    cr_expect_eq(verdict.event, OBTAIN_ON_TROUBLE);
    expect_says("drover-fetch was killed by SIGSEGV");
    judge(OBTAIN_BUILDING, NULL, CLD_EXITED, 127, "");
    cr_expect_eq(verdict.event, OBTAIN_ON_TROUBLE);
    expect_says("could not be executed");
    judge(OBTAIN_STORING, NULL, CLD_EXITED, 2, "unknown option");
    cr_expect_eq(verdict.event, OBTAIN_ON_REFUSED);
    expect_says("drover-store ended with status 2 and no result: unknown option");
}

/* A helper of another version, or no helper at all. */
Test(verdict, refuses_a_result_that_is_not_sound)
{
    static const char *const results[] = {
        "{\"event\":\"done\"}",
        "{\"event\":\"done\",\"artefact\":\"" HASH_A "\"}",
        "{\"event\":\"done\",\"artefact\":\"" HASH_A "\",\"path\":\"relative\"}",
        "{\"event\":\"done\",\"artefact\":\"" HASH_A HASH_A "\",\"path\":\"/store\"}",
        "{\"event\":\"done\",\"artefact\":7,\"path\":\"/store\"}",
        ASKS("\"find\""),
        ASKS("{\"method\":7,\"request\":null,\"expect\":\"OK\"}"),
        ASKS("{\"method\":\"find\",\"request\":null,\"expect\":\"WELL\"}"),
        ASKS("{\"method\":\"find\",\"request\":null}"),
        ASKS("{\"method\":\"find\",\"request\":\"81a\",\"expect\":\"OK\"}"),
        ASKS("{\"method\":\"find\",\"request\":\"no\",\"expect\":\"OK\"}"),
    };
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        judge_done(OBTAIN_BUILDING, results[i]);
        cr_expect_eq(verdict.event, OBTAIN_ON_REFUSED, "%s", results[i]);
        expect_says("no sound result");
    }
}
