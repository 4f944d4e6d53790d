/* test_obtaining.c - the host gets a driver by helper programs: scripts stand for them here */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "fixture.h"
#include "worker/host/helper.h"

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct fixture fixture;
static struct host_origin origin;

static void tear_down(void)
{
    if (fixture.host != NULL)
        fixture_done(&fixture);
}

TestSuite(obtaining, .fini = tear_down, .timeout = 60);

static const char *in_folder(const char *name)
{
    static char buffers[4][256];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, sizeof(buffers[0]), "%s/%s", fixture.folder, name);
    return buffer;
}

static void write_program(const char *name, const char *body)
{
    FILE *file = fopen(in_folder(name), "we");
    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\ncd '%s'\n%s\n", fixture.folder, body);
    fclose(file);
    cr_assert_eq(chmod(in_folder(name), 0700), 0);
}

/* A host whose helpers are in its folder; the driver sleeps. */
static void set_up(const char *build)
{
    struct drover_error error = {0};
    fixture_init(&fixture, "exec sleep 1000");
    fixture.host = host_free(fixture.host);
    const struct host_options options = {.endpoint = "ipc:///nowhere",
                                         .worker_program = "/nowhere/drover-worker",
                                         .helpers = fixture.folder,
                                         .store = in_folder("store")};
    cr_assert_eq(host_new(&options, &fixture.host, &error), DROVER_OK, "%s", error.text);
    cr_assert_eq(symlink(DROVER_BINARY_DIR "/bin/drover-launch", in_folder("drover-launch")), 0);
    write_program("drover-build", build);
    origin = (struct host_origin){.kind = HOST_ORIGIN_SOURCE, .path = "/source"};
    fixture.options.origin = &origin;
    fixture.options.program = NULL;
    fixture.options.restart_max_ms = 20;
}

/* A build that gives the fixture's script. */
static const char *done(void)
{
    static char body[1024];
    char hash[65];
    struct drover_error error = {0};
    cr_assert_eq(sys_hash_file(fixture.script, hash, &error), DROVER_OK);
    snprintf(body, sizeof(body),
             "echo '{\"event\":\"done\",\"artefact\":\"%s\",\"path\":\"%s\",\"form\":\"executable\"}'", hash,
             fixture.script);
    return body;
}

static bool has_reason(struct fixture *f)
{
    return fixture_reason(f)[0] != '\0';
}

static bool is_building(struct fixture *f)
{
    return fixture_state(f) == HOST_SERVICE_BUILDING;
}

static bool has_begun(struct fixture *f)
{
    (void)f;
    return access(in_folder("begun"), F_OK) == 0;
}

static bool cannot_be_had(struct fixture *f)
{
    return fixture_state(f) == HOST_SERVICE_STOPPED;
}

Test(obtaining, starts_the_worker_when_the_driver_is_there)
{
    set_up("exit 1");
    write_program("drover-build", done());
    fixture_start(&fixture);
    cr_expect(is_building(&fixture));
    fixture_run_until(&fixture, is_ready);
    cr_expect_eq(fixture_count(&fixture, HOST_OBTAINED), 1U);
    cr_expect_str_eq(host_service_progress(fixture.host, "test"), "");
}

Test(obtaining, tries_again_when_a_helper_dies)
{
    set_up("exit 1");
    char body[2048];
    snprintf(body, sizeof(body), "if mkdir once 2>/dev/null; then kill -9 $$; fi\n%s", done());
    write_program("drover-build", body);
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_reason);
    cr_expect(strstr(fixture_reason(&fixture), "SIGKILL") != NULL, "%s", fixture_reason(&fixture));
    fixture_run_until(&fixture, is_ready);
}

Test(obtaining, says_when_a_helper_is_not_there)
{
    set_up("exit 1");
    cr_assert_eq(unlink(in_folder("drover-build")), 0);
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_reason);
    cr_expect(strstr(fixture_reason(&fixture), "drover-build could not be executed") != NULL, "%s",
              fixture_reason(&fixture));
}

/* Words that are no JSON, an endless line, an unknown event, a result that is no object. */
Test(obtaining, is_not_led_astray_by_what_a_helper_prints)
{
    set_up("exit 1");
    char body[2048];
    snprintf(body, sizeof(body),
             "echo hello; echo '{'; echo '[1]'; echo '{\"event\":7}'; echo '{\"event\":\"nonsense\"}'\n"
             "head -c 600000 /dev/zero | tr '\\0' x; echo\nprintf '\\377\\376\\n'\n%s",
             done());
    write_program("drover-build", body);
    fixture_start(&fixture);
    fixture_run_until(&fixture, is_ready);
}

Test(obtaining, keeps_what_compilers_print)
{
    set_up(
        "echo '{\"event\":\"line\",\"line\":\"cc -c driver.c\"}'; echo trouble >&2\n"
        "echo '{\"event\":\"error\",\"status\":\"FAILED_PRECONDITION\",\"message\":\"driver.c:1:2: error\"}'; exit 1");
    fixture_start(&fixture);
    fixture_run_until(&fixture, cannot_be_had);
    cr_expect_str_eq(fixture_reason(&fixture), "driver.c:1:2: error");
    cr_expect(fixture_printed(&fixture, "cc -c driver.c"));
    cr_expect(fixture_printed(&fixture, "trouble"));
}

Test(obtaining, builds_anew_by_hand_what_failed)
{
    struct drover_error error = {0};
    set_up("exit 1");
    char body[2048];
    snprintf(body, sizeof(body), "case \"$*\" in *--force*) ;; *) exit 1 ;; esac\n%s", done());
    write_program("drover-build", body);
    fixture_start(&fixture);
    fixture_run_until(&fixture, cannot_be_had);
    cr_expect_eq(host_restart(fixture.host, "test", fixture_now(&fixture), &error), DROVER_OK);
    fixture_run_until(&fixture, is_ready);
}

/* A helper that does not end when it is asked to, nor does what it has started. */
#define STUBBORN "trap '' TERM\nsh -c \"trap '' TERM; sleep 1000\" &\n: >begun; echo begun >&2; sleep 1000; sleep 1000"

Test(obtaining, ends_a_stubborn_helper_when_the_host_stops)
{
    set_up(STUBBORN);
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_begun);
    host_stop(fixture.host, fixture_now(&fixture));
    host_step(fixture.host, fixture_now(&fixture));
    cr_expect_not(host_is_empty(fixture.host), "SIGTERM does not end it");
    char rest[256];
    host_describe_rest(fixture.host, rest, sizeof(rest));
    cr_expect(strstr(rest, "helper") != NULL, "%s", rest);
    fixture.skew_ms += HELPER_GRACE_MS;
    fixture_run_until(&fixture, is_empty);
    cr_expect_eq(count_children(), 0U);
}

Test(obtaining, ends_a_stubborn_helper_when_its_time_is_over)
{
    set_up(STUBBORN);
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_begun);
    fixture.skew_ms += 3600000;
    host_step(fixture.host, fixture_now(&fixture));
    fixture.skew_ms += HELPER_GRACE_MS;
    fixture_run_until(&fixture, has_reason);
    cr_expect(strstr(fixture_reason(&fixture), "not done in time") != NULL, "%s", fixture_reason(&fixture));
}

/* What is set anew is obtained anew; the helper of before is ended and not listened to. */
Test(obtaining, forgets_what_is_not_wanted_any_more)
{
    set_up(STUBBORN);
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_begun);
    write_program("drover-build", done());
    origin.path = "/other";
    fixture_start(&fixture);
    fixture.skew_ms += HELPER_GRACE_MS;
    fixture_run_until(&fixture, is_ready);
}

Test(obtaining, leaves_no_process_behind_when_the_host_is_freed)
{
    set_up(STUBBORN);
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_begun);
    fixture_done(&fixture); /* checks it */
}

Test(obtaining, leaks_no_descriptor)
{
    struct drover_error error = {0};
    set_up("exit 1");
    fixture_start(&fixture);
    fixture_run_until(&fixture, cannot_be_had);
    const unsigned before = count_descriptors();
    for (int round = 0; round < 20; round++) {
        cr_assert_eq(host_restart(fixture.host, "test", fixture_now(&fixture), &error), DROVER_OK);
        fixture_run_until(&fixture, cannot_be_had);
    }
    cr_expect_eq(count_descriptors(), before);
}

static bool nothing_runs(struct fixture *f)
{
    return !is_building(f);
}

/* A hundred services at once do not start a hundred compilers. */
Test(obtaining, runs_few_helpers_at_a_time)
{
    char name[16];
    struct drover_error error = {0};
    set_up("n=$(ls -d running.* 2>/dev/null | wc -l); [ $n -lt 4 ] || : >too_many\n"
           "mkdir running.$$; sleep 0.01; rmdir running.$$; exit 1");
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        fixture.options.name = name;
        cr_assert_eq(host_set_service(fixture.host, &fixture.options, 0, fixture_now(&fixture), &error), DROVER_OK);
    }
    fixture.options.name = "test";
    fixture_start(&fixture);
    fixture_run_until(&fixture, nothing_runs);
    cr_expect_neq(access(in_folder("too_many"), F_OK), 0, "more than four ran at once");
}
