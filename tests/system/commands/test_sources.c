/* test_sources.c - fetch, build, lock, store: drivers that come as source, by hand and without a broker
 *
 * The repository is a folder below the rig's, with one C file that is a driver. The configuration asks for its tag v1.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/command.h"

static struct broker_rig rig;
static struct command command;

#define RUN(...) (command_done(&command), command_run(&command, &rig, __VA_ARGS__))

/* git without anything of the user's. */
#define GIT                                                                                               \
    "export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a " \
    "GIT_COMMITTER_EMAIL=a@b; git -C repo "

/* Fetched as the tag v1 of the repository. */
#define URL "\"file://$PWD/repo?ref=v1\""

static void start(void)
{
    broker_rig_init(&rig, "  echo: {driver: echo}\n");
    RUN("cat >own.yaml <<END\n"
        "broker: {listen: [\"ipc://$PWD/own.sock\"], state_dir: state, fetch: {allow: [file]}}\n"
        "services:\n"
        "  far: {interface: hello, driver: \"file://$PWD/repo?ref=v1\"}\n"
        "  twin: {interface: hello, driver: \"file://$PWD/repo?ref=v1\"}\n"
        "  near: {interface: hello, driver: ./repo}\n"
        "  echo: {driver: echo}\n"
        "END\n"
        "mkdir repo && cp " DROVER_SOURCE_DIR "/tests/examples/hello_driver.c repo/ && " GIT "init -q -b main . && " GIT
        "add . && " GIT "commit -qm one && " GIT "tag v1");
    cr_assert_eq(command.status, 0, "%s%s", command.out, command.err);
}

static void stop(void)
{
    command_done(&command);
    broker_rig_done(&rig);
}

TestSuite(sources, .init = start, .fini = stop);

static const char *text(const char *path)
{
    return command_text(&command, path);
}

/* Commit a change of the driver and move the tag to it. */
static void move_tag(const char *line)
{
    RUN("echo '%s' >>repo/hello_driver.c; " GIT "commit -qam next && " GIT "tag -f v1", line);
    cr_assert_eq(command.status, 0, "%s", command.err);
}

/* The commit of the tag, in a buffer of its own. */
static char *tagged(void)
{
    RUN(GIT "rev-parse v1");
    return strndup(command.out, strcspn(command.out, "\n"));
}

Test(sources, are_fetched_and_the_place_is_told)
{
    char *commit = tagged();
    RUN("drover fetch " URL " --config own.yaml --json");
    cr_assert_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_str_eq(text("commit"), commit);
    cr_expect_str_eq(text("ref"), "refs/tags/v1");
    cr_expect_str_eq(text("event"), "");
    cr_expect_str_empty(command.err, "no progress with --json: %s", command.err);
    char *path = strdup(text("path"));
    RUN("test -f %s/hello_driver.c", path);
    cr_expect_eq(command.status, 0);
    RUN("rm -rf repo/.git; drover fetch " URL " --config own.yaml --offline");
    cr_expect_eq(command.status, 0, "the store has it: %s", command.err);
    cr_expect_not_null(strstr(command.out, path));
    free(path);
    free(commit);
}

Test(sources, that_are_fetched_show_how_far_it_is_in_lines)
{
    RUN("drover fetch " URL " --config own.yaml");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_not_null(strstr(command.err, "fetching: 100 %, 3/3 objects, "), "%s", command.err);
    cr_expect_null(strchr(command.err, '\r'));
}

Test(sources, what_is_no_repository_has_nothing_to_fetch)
{
    static const struct {
        const char *reference, *message;
    } table[] = {{"echo", "is built in: there is nothing to fetch"},
                 {"./repo", "is a source directory, '"},
                 {"ftp://x/y", "a scheme that cannot be fetched"},
                 {"https://host/x", "'https' is not allowed by 'broker.fetch.allow'"}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        RUN("drover fetch '%s' --config own.yaml --json", table[i].reference);
        cr_expect_eq(command.status, 78, "%s: %d", table[i].reference, command.status);
        cr_expect_str_eq(text("status"), "FAILED_PRECONDITION");
        cr_expect_str_eq(text("outcome"), "not started");
        cr_expect_not_null(strstr(text("message"), table[i].message), "%s", command.out);
    }
    RUN("drover fetch file:///nosuch/repo --config own.yaml --json");
    cr_expect_eq(command.status, 78);
    cr_expect_str_eq(text("status"), "NOT_FOUND");
    cr_expect_str_eq(text("origin"), "host");
}

Test(sources, need_a_configuration_or_a_store)
{
    RUN("drover fetch " URL " --config nosuch.yaml");
    cr_expect_eq(command.status, 78);
    cr_expect_not_null(strstr(command.err, "--config FILE"), "%s", command.err);
    RUN("drover build ./repo --store other --json");
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_not_null(strstr(text("path"), "/other/artefact/"), "%s", command.out);
}

Test(sources, are_built_once_wherever_they_come_from)
{
    RUN("drover build ./repo --config own.yaml --json");
    cr_assert_eq(command.status, 0, "%s%s", command.out, command.err);
    char *artefact = strdup(text("artefact"));
    cr_expect_eq(strlen(artefact), 64);
    cr_expect_str_eq(text("form"), "executable");
    cr_expect_str_eq(text("interface"), "hello");
    cr_expect(json_is_false(command_at(command.json, "reused")));
    RUN("drover build " URL " --config own.yaml --json");
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_str_eq(text("artefact"), artefact);
    cr_expect(json_is_true(command_at(command.json, "reused")));
    RUN("drover build ./repo --config own.yaml");
    cr_expect_not_null(strstr(command.out, artefact), "%s", command.out);
    cr_expect_not_null(strstr(command.out, "nothing to do"), "%s", command.out);
    free(artefact);
}

Test(sources, that_do_not_compile_say_what_the_compiler_says)
{
    RUN("echo 'int x = nothing;' >>repo/hello_driver.c; wc -l <repo/hello_driver.c");
    int line = atoi(command.out);
    char expected[80];
    snprintf(expected, sizeof(expected), "hello_driver.c:%d:", line);
    RUN("drover build ./repo --config own.yaml --json");
    cr_expect_neq(command.status, 0);
    cr_expect_not_null(strstr(text("message"), expected), "%s", command.out);
    RUN("drover build ./repo --config own.yaml");
    cr_expect_not_null(strstr(command.err, "the whole log: "), "%s", command.err);
}

Test(sources, that_speak_another_interface_are_refused)
{
    RUN("echo 'interface: hello' >repo/driver.yaml; drover build ./repo --interface userprovider --config own.yaml "
        "--json");
    cr_expect_neq(command.status, 0, "%s", command.out);
    cr_expect_not_null(strstr(text("message"), "hello"), "%s", command.out);
    RUN("drover build echo --config own.yaml --json");
    cr_expect_eq(command.status, 78);
    cr_expect_not_null(strstr(text("message"), "there is nothing to build"), "%s", command.out);
}

/* ---- lock ---- */

Test(sources, are_locked_by_an_update_only)
{
    char *commit = tagged();
    RUN("drover lock --config own.yaml --json; test ! -e drover.lock");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_eq(json_array_size(command_at(command.json, "services")), 2);
    cr_expect_str_eq(text("services.0.name"), "far");
    cr_expect_str_eq(text("services.0.requested"), "v1");
    cr_expect(json_is_null(command_at(command.json, "services.0.commit")));
    RUN("drover lock update --config own.yaml --json");
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_str_eq(text("updated.0.to"), commit);
    cr_expect_str_eq(text("updated.1.name"), "twin");
    cr_expect(json_is_true(command_at(command.json, "updated.0.changed")));
    RUN("drover lock --config own.yaml --json");
    cr_expect_str_eq(text("services.1.commit"), commit);
    cr_expect_eq(strncmp(text("services.0.content"), "sha256:", 7), 0);
    RUN("cp drover.lock before; drover lock update --config own.yaml && cmp drover.lock before");
    cr_expect_eq(command.status, 0, "an update without news changes nothing: %s", command.err);
    cr_expect_not_null(strstr(command.out, "(as before)"), "%s", command.out);
    free(commit);
}

Test(sources, whose_tag_was_moved_are_refused_until_an_update)
{
    RUN("drover lock update --config own.yaml");
    char *first = tagged();
    move_tag("/* second */");
    char *second = tagged();
    RUN("rm -rf state; drover fetch " URL " --config own.yaml --json");
    cr_expect_eq(command.status, 78, "%s", command.out);
    cr_expect(strstr(text("message"), first) && strstr(text("message"), second), "both commits: %s", command.out);
    cr_expect_not_null(strstr(text("message"), "drover lock update"), "%s", command.out);
    RUN("drover lock update far --config own.yaml");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_not_null(strstr(command.out, " -> "), "%s", command.out);
    RUN("drover fetch " URL " --config own.yaml --json");
    cr_expect_str_eq(text("commit"), second, "%s", command.out);
    free(first);
    free(second);
}

Test(sources, that_cannot_be_updated_leave_the_lock_file_as_it_is)
{
    RUN("drover lock update --config own.yaml && cp drover.lock before");
    move_tag("/* second */");
    RUN("sed -i 's,file://\\(.*\\)/repo?ref=v1\"}$,&,; /twin/s,repo,nosuch,' own.yaml; drover lock update --config "
        "own.yaml --json; echo \" $?\"; cmp drover.lock before && echo same");
    cr_expect_not_null(strstr(command.out, " 78\nsame\n"), "%s", command.out);
}

Test(sources, that_nobody_asks_for_any_more_are_dropped_by_an_update_of_all)
{
    RUN("drover lock update --config own.yaml; " GIT "tag v2; sed -i s/ref=v1/ref=v2/ own.yaml");
    RUN("drover lock --config own.yaml --json");
    cr_expect_eq(json_array_size(command_at(command.json, "unused")), 1, "%s", command.out);
    cr_expect(json_is_null(command_at(command.json, "services.0.commit")));
    RUN("drover lock update far --config own.yaml; grep -c url: drover.lock");
    cr_expect_not_null(strstr(command.out, "\n2\n"), "the others stay: %s", command.out);
    RUN("drover lock update --config own.yaml; grep -c url: drover.lock");
    cr_expect_not_null(strstr(command.out, "\n1\n"), "%s", command.out);
}

Test(sources, with_a_faulty_lock_file_are_left_alone)
{
    RUN("echo 'version: 7' >drover.lock; drover lock --config own.yaml; a=$?; drover lock update --config own.yaml; "
        "echo $a $?; cat drover.lock");
    cr_expect_str_eq(command.out, "78 78\nversion: 7\n", "%s", command.err);
    cr_expect_not_null(strstr(command.err, "drover.lock:1:10: key 'version'"), "%s", command.err);
}

Test(sources, of_services_that_are_not_there_are_not_updated)
{
    RUN("drover lock update nobody --config own.yaml --json");
    cr_expect_eq(command.status, 1);
    cr_expect_str_eq(text("status"), "NOT_FOUND");
    RUN("drover lock update near --config own.yaml --json");
    cr_expect_eq(command.status, 78);
    RUN("drover lock upgrade --config own.yaml");
    cr_expect_eq(command.status, 2);
}

/* ---- store ---- */

Test(sources, lie_in_a_store_that_can_be_listed_and_verified)
{
    RUN("drover build " URL " --config own.yaml >built.txt; drover store list --config own.yaml --json");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_eq(json_array_size(command_at(command.json, "entries")), 4, "%s", command.out);
    cr_expect_str_eq(text("entries.0.kind"), "git");
    RUN("drover store verify --config own.yaml --json");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_eq(json_array_size(command_at(command.json, "damaged")), 0);
    RUN("file=$(awk '/^path/ {print $2}' built.txt); chmod u+w $file; echo x >>$file; drover store verify --config "
        "own.yaml --json");
    cr_expect_eq(command.status, 1);
    cr_expect_str_eq(text("damaged.0.kind"), "artefact", "%s", command.out);
    RUN("drover store verify --config own.yaml && drover build " URL " --config own.yaml --json | tail -n 1");
    cr_expect_eq(command.status, 0, "quarantined, and made again: %s", command.err);
}

Test(sources, in_the_lock_file_survive_a_collection)
{
    RUN("drover lock update --config own.yaml; drover build ./repo --config own.yaml; drover store gc --config "
        "own.yaml "
        "--min-age 1ms --max-age 1ms --json | tail -n 1 >gc.json; drover store list --config own.yaml");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_not_null(strstr(command.out, "git "), "%s", command.out);
    cr_expect_not_null(strstr(command.out, "src "), "%s", command.out);
    cr_expect_null(strstr(command.out, "build "), "%s", command.out);
    RUN("drover store burn --config own.yaml");
    cr_expect_eq(command.status, 2);
}
