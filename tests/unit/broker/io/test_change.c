/* test_change.c - a change of the configuration: all of it or nothing, in which order, and what is planned
 *
 * The host and the data thread are fakes that keep a journal of what they are told; files and their mistakes are real.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/io/change.h"
#include "broker/io/reloader.h"
#include "broker/io/tell.h"
#include "common/load/load.h"

#define NOW 1000

static char folder[64], path[96], lock_path[96];
static char journal[8192];
static struct roster roster;
static struct lockkeeper keeper;
static struct history history;
static struct change *change;
static struct reloader reloader;
static struct plan plan;
static struct drover_error error;
static uint64_t number;

/* What the fakes are to answer. */
static const char *refused;           /* a service that cannot be set */
static const char *present;           /* names of services that the host still has, as " a b " */
static enum host_service_state found; /* of each service */
static bool is_changing;

static void DROVER_PRINTF(1, 2) note(const char *format, ...)
{
    const size_t used = strlen(journal);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(journal + used, sizeof(journal) - used, format, arguments);
    va_end(arguments);
}

/* ---- the fakes ---- */

enum drover_status host_set_service(struct host *host, const struct host_service *service, uint64_t group,
                                    uint64_t now_ms, struct drover_error *ret_error)
{
    (void)host;
    cr_assert_eq(now_ms, NOW);
    if (refused != NULL && strcmp(refused, service->name) == 0)
        return drover_error_set(ret_error, DROVER_RESOURCE_EXHAUSTED, "no memory for '%s'", service->name);
    note("set %s x%u group %llu\n", service->name, service->replicas, (unsigned long long)group);
    return DROVER_OK;
}

void host_remove_service(struct host *host, const char *service, uint64_t now_ms)
{
    (void)host;
    cr_assert_eq(now_ms, NOW);
    note("remove %s\n", service);
}

bool host_service_report(const struct host *host, const char *service, enum host_service_state *ret_state,
                         uint64_t *ret_generation, const char **ret_reason)
{
    char word[80];
    (void)host;
    *ret_state = found;
    *ret_generation = 1;
    *ret_reason = "";
    (void)snprintf(word, sizeof(word), " %s ", service);
    return strstr(present, word) != NULL;
}

bool host_is_changing(const struct host *host, const char *service)
{
    (void)host;
    (void)service;
    return is_changing;
}

struct order *order_new(enum order_kind kind)
{
    struct order *order = calloc(1, sizeof(*order));
    cr_assert_not_null(order);
    order->kind = kind;
    return order;
}

void order_send(void *pair, struct order *order)
{
    (void)pair;
    if (order->kind == ORDER_SET_SERVICE)
        note("take %s of %s within %llu ms\n", order->service, order->text,
             (unsigned long long)order->limits.deadline_ms);
    else if (order->kind == ORDER_REMOVE_SERVICE)
        note("forget %s\n", order->service);
    free(order->service);
    free(order->text);
    free(order->data);
    free(order);
}

/* ---- the files ---- */

static void put(const char *at, const char *text)
{
    FILE *file = fopen(at, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

/* `services`: what stands below that key. */
static void write_services(const char *services)
{
    char text[4096];
    (void)snprintf(text, sizeof(text), "broker: {listen: ['ipc://%s/s'], state_dir: %s}\nservices:\n%s", folder, folder,
                   services);
    put(path, text);
}

static void load(const char *services)
{
    struct config_messages messages = {0};
    struct config *config = NULL;
    char hash[HOST_HASH_SIZE];
    write_services(services);
    roster_hash_file(path, hash);
    cr_assert_eq(load_config(path, &config, &messages), DROVER_OK, "%s", messages.count > 0 ? messages.lines[0] : "?");
    cr_assert_eq(lockkeeper_read(&keeper, config, LOCKKEEPER_WRITES, &messages), DROVER_OK);
    cr_assert_eq(roster_init(&roster, &config, &keeper, "/bin/true", &error), DROVER_OK);
    memcpy(roster.file_hash, hash, sizeof(hash));
    const struct change_options options = {.roster = &roster, .history = &history};
    cr_assert_not_null(change = change_new(&options));
    reloader_init(&reloader, &roster, &keeper, &history, change);
}

static void set_up(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/drover-change-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/drover.yaml", folder);
    (void)snprintf(lock_path, sizeof(lock_path), "%s/drover.lock", folder);
    history_init(&history);
    present = " ";
    found = HOST_SERVICE_READY;
}

static void tear_down(void)
{
    plan_done(&plan);
    change = change_free(change);
    roster_done(&roster);
    lockkeeper_done(&keeper);
    history_done(&history);
    (void)unlink(path);
    (void)unlink(lock_path);
    (void)rmdir(folder);
}

TestSuite(change, .init = set_up, .fini = tear_down);

static void read_again(const char *services)
{
    write_services(services);
    cr_assert_eq(reloader_read(&reloader, NOW, &plan, &number, &error), DROVER_OK, "%s", error.text);
    cr_assert_eq(plan.mistakes.count, 0, "%s", plan.mistakes.count > 0 ? plan.mistakes.lines[0] : "");
}

static void expect_journal(const char *text)
{
    cr_expect_str_eq(journal, text);
    journal[0] = '\0';
}

static void expect_state(const char *state)
{
    struct change_report report;
    cr_assert(change_describe(change, number, &report));
    cr_expect_str_eq(report.state, state);
}

static void end_group(const char *culprit, const char *reason)
{
    const struct host_event event = {.kind = HOST_GROUP,
                                     .group = 1,
                                     .given_up = culprit != NULL,
                                     .service = culprit != NULL ? culprit : "",
                                     .reason = reason};
    change_group_ended(change, &event, NOW);
}

static void tell(const char *service, const char *what, const char *reason)
{
    const struct host_event event = {.kind = HOST_TOLD, .service = service, .what = what, .reason = reason};
    change_told(change, &event);
}

#define ABC                                                                                                       \
    "  a: {driver: echo, interface: echo}\n  b: {driver: echo, interface: echo}\n  c: {driver: echo, interface: " \
    "echo}\n"
#define A_WITH(more) "  a: {driver: echo, interface: echo, " more "}\n"
#define NEXT \
    A_WITH("replicas: 2") "  b: {driver: echo, interface: echo, deadline: 7s}\n  d: {driver: echo, interface: echo}\n"

/* ---- all of it ---- */

Test(change, starts_what_is_new_as_one_group_and_touches_nothing_else_before)
{
    load(ABC);
    read_again(NEXT);
    expect_journal("take a of echo within 30000 ms\nset a x2 group 1\n"
                   "take d of echo within 30000 ms\nset d x1 group 1\n");
    expect_state("under way");
    cr_expect(roster_find(&roster, "c") != NULL && roster_find(&roster, "d") == NULL, "the old roster is in force");
}

Test(change, comes_into_force_as_a_whole_when_the_group_serves)
{
    load(ABC);
    read_again(NEXT);
    journal[0] = '\0';
    present = " a b c d ";
    end_group(NULL, "");
    expect_journal("take a of echo within 30000 ms\ntake b of echo within 7000 ms\nset b x1 group 0\n"
                   "take d of echo within 30000 ms\nforget c\nremove c\n");
    cr_expect(roster_find(&roster, "c") == NULL && roster_find(&roster, "d") != NULL);
    change_turn(change, NOW);
    expect_state("under way");
    present = " a b d ";
    change_turn(change, NOW);
    expect_state("done");
    cr_expect_not(reloader_file_has_changed(&reloader));
}

Test(change, finds_what_the_host_runs_for_a_service_on_its_way)
{
    load(ABC);
    read_again(NEXT);
    cr_expect_eq(change_find(change, "a")->service->replicas, 2);
    cr_expect_eq(change_find(change, "b")->service->deadline_ms, 30000);
    cr_expect_not_null(change_find(change, "c"));
    cr_expect_not_null(change_find(change, "d"));
    end_group(NULL, "");
    cr_expect_null(change_find(change, "c"));
    cr_expect_eq(change_find(change, "b")->service->deadline_ms, 7000);
}

Test(change, of_limits_starts_nothing)
{
    load(ABC);
    read_again(
        A_WITH("queue: {calls: 5}") "  b: {driver: echo, interface: echo}\n  c: {driver: echo, interface: echo}\n");
    expect_journal("take a of echo within 30000 ms\nset a x1 group 0\n");
    change_turn(change, NOW);
    expect_state("done");
}

Test(change, of_nothing_is_done_at_once)
{
    load(ABC);
    read_again(ABC "# a remark\n");
    expect_journal("");
    change_turn(change, NOW);
    expect_state("done");
    cr_expect_not(reloader_file_has_changed(&reloader));
}

/* ---- none of it ---- */

Test(change, that_is_given_up_sets_back_and_removes_what_it_added)
{
    struct change_report report;
    load(ABC);
    read_again(NEXT);
    journal[0] = '\0';
    present = " a b c d ";
    end_group("d", "it does not build");
    expect_journal("take a of echo within 30000 ms\nset a x1 group 0\nforget d\nremove d\n");
    change_turn(change, NOW);
    expect_state("under way");
    present = " a b c ";
    change_turn(change, NOW);
    cr_assert(change_describe(change, number, &report));
    cr_expect_str_eq(report.state, "given up");
    cr_expect_str_eq(report.service, "d");
    cr_expect_str_eq(report.reason, "it does not build");
    cr_expect(roster_find(&roster, "c") != NULL && roster_find(&roster, "d") == NULL);
    cr_expect_eq(roster_find(&roster, "b")->service->deadline_ms, 30000);
    cr_expect(reloader_file_has_changed(&reloader), "the file is not what is in force");
}

Test(change, that_cannot_be_begun_is_undone_as_far_as_it_was)
{
    load(ABC);
    refused = "d";
    read_again(NEXT);
    expect_journal("take a of echo within 30000 ms\nset a x2 group 1\ntake d of echo within 30000 ms\n"
                   "take a of echo within 30000 ms\nset a x1 group 0\nforget d\nremove d\n");
    change_turn(change, NOW);
    expect_state("given up");
}

Test(change, sets_an_interface_back_that_new_workers_were_to_have)
{
    load(ABC);
    read_again("  a: {driver: /bin/true, interface: other}\n  b: {driver: echo, interface: echo}\n  c: {driver: echo, "
               "interface: echo}\n");
    expect_journal("take a of other within 30000 ms\nset a x1 group 1\n");
    end_group("a", "it is not a driver");
    expect_journal("take a of echo within 30000 ms\nset a x1 group 0\n");
}

/* ---- settings of a single service ---- */

#define SETTINGS(text) "  a: {driver: echo, interface: echo, echo: {x: " text "}}\n"

Test(change, of_settings_alone_is_no_group_so_that_a_driver_may_take_them)
{
    load(SETTINGS("1"));
    present = " a ";
    is_changing = true;
    read_again(SETTINGS("2"));
    expect_journal("take a of echo within 30000 ms\nset a x1 group 0\n");
    change_turn(change, NOW);
    expect_state("under way");
    tell("a", "reconfigured", "");
    is_changing = false;
    change_turn(change, NOW);
    expect_state("done");
    cr_expect_eq(memcmp(roster_find(&roster, "a")->service->settings, "\x81\xa1x\x02", 4), 0);
}

/* A group ends in any case; what does not serve by itself is tried for ever. */
Test(change, of_settings_is_a_group_where_the_service_is_not_ready)
{
    load(SETTINGS("1"));
    found = HOST_SERVICE_STOPPED;
    present = " a ";
    read_again(SETTINGS("2"));
    expect_journal("take a of echo within 30000 ms\nset a x1 group 1\n");
}

Test(change, of_settings_that_no_worker_takes_is_given_up)
{
    load(SETTINGS("1"));
    present = " a ";
    is_changing = true;
    read_again(SETTINGS("2"));
    journal[0] = '\0';
    tell("a", "given-up", "exit status 78");
    is_changing = false;
    change_turn(change, NOW);
    expect_journal("take a of echo within 30000 ms\nset a x1 group 0\n");
    expect_state("given up");
    cr_expect_eq(memcmp(roster_find(&roster, "a")->service->settings, "\x81\xa1x\x01", 4), 0);
}

/* ---- what is refused ---- */

Test(change, comes_one_at_a_time_and_by_itself_after_the_one_before)
{
    load(ABC);
    read_again(NEXT);
    journal[0] = '\0';
    present = " a b c d ";
    write_services(ABC);
    cr_expect_eq(reloader_read(&reloader, NOW, &plan, &number, &error), DROVER_FAILED_PRECONDITION);
    cr_expect_eq(strncmp(error.text, "a change is under way", 21), 0, "%s", error.text);
    reloader_run(&reloader, NOW);
    reloader_turn(&reloader, NOW);
    expect_journal("");
    end_group(NULL, "");
    present = " a b d ";
    change_turn(change, NOW);
    journal[0] = '\0';
    reloader_turn(&reloader, NOW);
    expect_journal(
        "take a of echo within 30000 ms\nset a x1 group 2\ntake c of echo within 30000 ms\nset c x1 group 2\n");
}

Test(change, of_what_only_a_restart_can_change_is_refused_as_a_whole)
{
    load(ABC);
    char text[512];
    (void)snprintf(text, sizeof(text),
                   "broker: {listen: ['ipc://%s/other'], state_dir: %s, mode: '0660'}\nservices: {}\n", folder, folder);
    put(path, text);
    cr_expect_eq(reloader_read(&reloader, NOW, &plan, &number, &error), DROVER_FAILED_PRECONDITION);
    cr_expect(strstr(error.text, "listen") != NULL && strstr(error.text, "mode") != NULL, "%s", error.text);
    expect_journal("");
    cr_expect_not(change_is_under_way(change));
}

Test(change, of_a_file_with_mistakes_is_not_begun)
{
    load(ABC);
    write_services("  a: {drivr: echo}\n  b: {driver: echo, replicas: 0}\n");
    cr_assert_eq(reloader_read(&reloader, NOW, &plan, &number, &error), DROVER_OK);
    cr_expect_geq(plan.mistakes.count, 2);
    cr_expect_eq(number, 0);
    expect_journal("");
}

Test(change, is_refused_when_the_broker_stops)
{
    load(ABC);
    change_stop(change);
    write_services(NEXT);
    cr_expect_eq(reloader_read(&reloader, NOW, &plan, &number, &error), DROVER_FAILED_PRECONDITION);
    expect_journal("");
}

Test(change, is_remembered_for_a_while)
{
    struct change_report report;
    load(ABC);
    for (unsigned i = 0; i < 20; i++) {
        read_again(ABC);
        change_turn(change, NOW);
    }
    cr_expect_eq(number, 20);
    cr_expect_not(change_describe(change, 4, &report));
    cr_assert(change_describe(change, 5, &report));
    cr_expect_null(report.plan);
    cr_expect_not(change_describe(change, 21, &report));
    cr_expect_not(change_describe(change, 0, &report));
}

/* ---- the file by itself ---- */

static bool has_event(const char *what)
{
    struct drover_writer *writer = drover_writer_new();
    (void)history_write(&history, NULL, 0, writer);
    const bool has = memmem(drover_writer_data(writer), drover_writer_size(writer), what, strlen(what)) != NULL;
    drover_writer_free(writer);
    return has;
}

Test(change, of_the_file_is_only_told_unless_the_configuration_says_otherwise)
{
    load(ABC);
    reloader_touched(&reloader, NOW);
    cr_expect_not(has_event("configuration-changed"), "a touch is no change");
    write_services(NEXT);
    reloader_touched(&reloader, NOW);
    cr_expect(has_event("configuration-changed"));
    cr_expect(reloader_file_has_changed(&reloader));
    expect_journal("");
    write_services(ABC);
    reloader_touched(&reloader, NOW);
    cr_expect_not(reloader_file_has_changed(&reloader));
    roster.config->reload_config_auto = true;
    write_services(NEXT);
    reloader_touched(&reloader, NOW);
    cr_expect(change_is_under_way(change));
}

/* ---- the plan ---- */

Test(change, plan_of_another_file_is_read_in_the_place_of_the_own)
{
    char other[] = "/tmp/drover-change-XXXXXX", text[512];
    load("  a: {driver: echo, interface: echo}\n");
    const int descriptor = mkstemp(other);
    cr_assert_geq(descriptor, 0);
    close(descriptor);
    (void)snprintf(
        text, sizeof(text),
        "broker: {listen: ['ipc://%s/s'], state_dir: .}\nservices:\n  a: {driver: echo, interface: echo, retry: "
        "false}\n",
        folder);
    put(other, text);
    cr_assert_eq(plan_make(&plan, other, &roster, &keeper, &error), DROVER_OK);
    (void)unlink(other);
    cr_assert_eq(plan.mistakes.count, 0, "%s", plan.mistakes.count > 0 ? plan.mistakes.lines[0] : "");
    cr_expect_eq(plan.obstacle_count, 0);
    cr_assert_eq(plan.count, 1);
    cr_expect_str_eq(plan.steps[0].service, "a");
    cr_expect_eq(plan.steps[0].action, CONFIG_ADJUST);
    cr_expect_str_eq(plan.steps[0].why, "retry");
}

#define FIRST "1111111111111111111111111111111111111111"
#define SECOND "2222222222222222222222222222222222222222"
#define TREE "3333333333333333333333333333333333333333"
#define CONTENT "4444444444444444444444444444444444444444444444444444444444444444"

static void write_lock(const char *commit)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "version: 1\ndrivers:\n  - url: \"%s\"\n    requested: \"v1\"\n    commit: %s\n    tree: %s\n    "
                   "content: sha256:%s\n",
                   roster.config->services[0].resolution.url, commit, TREE, CONTENT);
    put(lock_path, text);
}

Test(change, plan_has_a_step_for_a_commit_that_was_moved_in_the_lock_file)
{
    load("  a: {driver: 'github.com/example/driver?ref=v1', interface: echo}\n");
    struct host_obtained obtained = {.commit = FIRST};
    write_lock(FIRST);
    roster_note(&roster.entries[0], &obtained);
    cr_assert_eq(plan_make(&plan, NULL, &roster, &keeper, &error), DROVER_OK);
    cr_assert_eq(plan.mistakes.count, 0, "%s", plan.mistakes.count > 0 ? plan.mistakes.lines[0] : "");
    cr_expect_eq(plan.count, 0, "what was noted in the lock file is what runs");
    plan_done(&plan);
    write_lock(SECOND);
    cr_assert_eq(plan_make(&plan, NULL, &roster, &keeper, &error), DROVER_OK);
    cr_assert_eq(plan.count, 1);
    cr_expect_eq(plan.steps[0].action, CONFIG_REPLACE);
    cr_expect_str_eq(plan.steps[0].why, "drover.lock: commit 222222222222, not 111111111111");
}

Test(change, plan_does_not_wait_at_a_fifo)
{
    load(ABC);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(plan_make(&plan, NULL, &roster, &keeper, &error), DROVER_OK);
    cr_assert_eq(plan.mistakes.count, 1);
    cr_expect(strstr(plan.mistakes.lines[0], "no regular file") != NULL, "%s", plan.mistakes.lines[0]);
}

Test(change, plan_tells_mistakes_of_the_lock_file)
{
    load(ABC);
    put(lock_path, "version: 9\n");
    cr_assert_eq(plan_make(&plan, NULL, &roster, &keeper, &error), DROVER_OK);
    cr_assert_eq(plan.mistakes.count, 1);
    cr_expect(strstr(plan.mistakes.lines[0], "drover.lock") != NULL, "%s", plan.mistakes.lines[0]);
}
