/* test_policy.c - what happens when a layer does not hold, and what is told of those that do */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/sandbox/sandbox_rig.h"

TestSuite(sandbox_policy, .init = rig_init, .fini = rig_done, .timeout = 60);

/* Run a worker that does nothing; the report as JSON, for the caller to release. */
static json_t *report(struct sandbox_worker *worker, int *ret_status)
{
    const char *const words[] = {rig_path("escape"), "nothing", NULL};
    char line[8192];
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    worker->common.command = words;
    worker->common.report_fd = ends[1];
    *ret_status = rig_run_worker(AS_SELF, worker).status;
    close(ends[1]);
    const ssize_t size = read(ends[0], line, sizeof(line));
    cr_assert(size > 0, "no report");
    close(ends[0]);
    json_t *json = json_loadb(line, (size_t)size, 0, NULL);
    cr_assert(json != NULL, "%.*s", (int)size, line);
    return json;
}

static const char *text_of(const json_t *json, const char *object, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(json, object), key));

    return text != NULL ? text : "";
}

Test(sandbox_policy, tells_which_layers_hold)
{
    static const char *const held[] = {"capabilities", "no_new_privs", "landlock",   "seccomp",
                                       "core",         "processes",    "descriptors"};
    struct sandbox_worker worker = rig_worker();
    int status;

    rig_needs_landlock(1);
    json_t *json = report(&worker, &status);
    cr_expect_eq(status, 0);
    cr_expect_str_eq(json_string_value(json_object_get(json, "policy")), "required");
    cr_expect(json_integer_value(json_object_get(json, "landlock_abi")) > 0);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        cr_expect(text_of(json, "held", held[i])[0] != '\0', "%s", held[i]);
    if (rig.is_root)
        cr_expect_str_eq(text_of(json, "held", "user"), "65534:65534");
    json_decref(json);
}

Test(sandbox_policy, tells_of_namespaces_whether_they_are_to_be_had_or_not)
{
    struct sandbox_worker worker = rig_worker();
    int status;

    worker.common.namespaces = true;
    json_t *json = report(&worker, &status);
    cr_expect_eq(status, 0);
    cr_expect((text_of(json, "held", "namespaces")[0] != '\0') != (text_of(json, "missing", "namespaces")[0] != '\0'));
    json_decref(json);
}

Test(sandbox_policy, required_refuses_what_best_effort_runs)
{
    struct sandbox_worker worker = rig_worker();
    int status;

    worker.network = SANDBOX_NETWORK_LOOPBACK; /* nothing holds that */
    json_t *json = report(&worker, &status);
    cr_expect_eq(status, 70);
    cr_expect(strstr(json_string_value(json_object_get(json, "error")), "loopback") != NULL);
    json_decref(json);

    worker.common.policy = SANDBOX_BEST_EFFORT;
    json = report(&worker, &status);
    cr_expect_eq(status, 0);
    cr_expect(text_of(json, "missing", "loopback")[0] != '\0');
    json_decref(json);
}

/* An ordinary user cannot give itself to another one, and a program meant for somebody else is not run as itself. */
Test(sandbox_policy, whatever_it_is_refuses_another_user_without_root)
{
    const char *const words[] = {rig_path("escape"), "nothing", NULL};
    struct sandbox_worker worker = rig_worker();

    worker.common.uid = 4242;
    worker.common.command = words;
    for (int policy = SANDBOX_REQUIRED; policy <= SANDBOX_OFF; policy++) {
        worker.common.policy = (enum sandbox_policy)policy;
        const struct outcome refused = rig_run_worker(AS_NOBODY, &worker);
        cr_expect_eq(refused.status, 70);
        cr_expect(strstr(refused.output, "cannot become user 4242:4242") != NULL, "%s", refused.output);
    }
}

Test(sandbox_policy, off_leaves_user_and_limits)
{
    struct sandbox_worker worker = rig_worker();
    int status;

    worker.common.policy = SANDBOX_OFF;
    rig_allows(&worker, ATTEMPT("read", rig_path("outside/note")));
    json_t *json = report(&worker, &status);
    cr_expect_eq(status, 0);
    cr_expect_str_eq(text_of(json, "held", "landlock"), "");
    cr_expect_str_eq(text_of(json, "held", "descriptors"), "1024");
    if (rig.is_root)
        cr_expect_str_eq(text_of(json, "held", "user"), "65534:65534");
    json_decref(json);
}

Test(sandbox_policy, tells_what_a_sanitizer_leaves_out)
{
    struct sandbox_worker worker = rig_worker();
    int status;

    worker.common.memory_bytes = (uint64_t)1 << 30;
    json_t *json = report(&worker, &status);
    cr_expect_eq(status, 0);
    cr_expect(text_of(json, SANDBOX_SANITIZED ? "left_out" : "held", "memory")[0] != '\0');
    json_decref(json);
}

Test(sandbox_policy, a_folder_to_be_written_to_must_be_there)
{
    struct sandbox_worker worker = rig_worker();
    int status;

    rig_needs_landlock(1);
    worker.folder = rig_path("mine/not/there");
    json_t *json = report(&worker, &status);
    cr_expect_eq(status, 70);
    cr_expect(strstr(json_string_value(json_object_get(json, "error")), "cannot grant") != NULL);
    json_decref(json);
}
