/* reload_rig.c - a host whose drivers are replaced */
#include "reload_rig.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "fixture.h"

#define PATIENCE_MS 20000
#define LOG_MAX ((size_t)1024 * 1024)
#define REPLICAS_MAX 16

struct reload_rig rig;

uint64_t rig_now(void)
{
    return sys_now_ms() + rig.skew_ms;
}

/* --- beginning and end ---------------------------------------------------------------------------------------------
 */

static void new_host(void)
{
    char store[96], memory[96];
    struct drover_error error = {0};
    snprintf(store, sizeof(store), "%s/store", rig.folder);
    snprintf(memory, sizeof(memory), "%s/memory", rig.folder);
    const struct host_options options = {.endpoint = "ipc:///nowhere",
                                         .worker_program = "/nowhere/drover-worker",
                                         .helpers = DROVER_BINARY_DIR "/bin",
                                         .store = store,
                                         .memory = memory};
    cr_assert_eq(host_new(&options, &rig.host, &error), DROVER_OK, "%s", error.text);
}

void rig_init(void)
{
    memset(&rig, 0, sizeof(rig));
    strcpy(rig.folder, "/tmp/drover-reload-XXXXXX");
    cr_assert_not_null(mkdtemp(rig.folder));
    rig.log = calloc(1, LOG_MAX);
    cr_assert_not_null(rig.log);
    new_host();
    rig.options = (struct host_service){
        .interface = "test",
        .driver = "sample",
        .kind = "executable",
        .directory = rig.folder,
        .replicas = 1,
        .restart_min_ms = 1,
        .restart_max_ms = 20,
        .ready_limit_ms = 10000,
        .debounce_ms = 10,
        .settings = "\x81\xa1s\x01",
        .settings_size = 4,
    };
}

void rig_done(void)
{
    char command[128];
    if (rig.log == NULL)
        return;
    rig.host = host_free(rig.host);
    const unsigned children = count_children();
    snprintf(command, sizeof(command), "rm -rf %s", rig.folder);
    (void)!system(command);
    free(rig.log);
    rig.log = NULL;
    if (children > 0)
        abort(); /* Criterion does not count a failed assertion here */
}

void rig_restart_host(void)
{
    rig.host = host_free(rig.host);
    new_host();
}

/* --- services ------------------------------------------------------------------------------------------------------
 */

static const char *path_of(const char *service)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", rig.folder, service);
    return path;
}

void rig_write(const char *service, const char *body)
{
    char aside[160];
    snprintf(aside, sizeof(aside), "%s.new", path_of(service));
    FILE *file = fopen(aside, "we");
    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", body);
    fclose(file);
    cr_assert_eq(chmod(aside, 0700), 0);
    cr_assert_eq(rename(aside, path_of(service)), 0);
}

void rig_set(const char *service, uint64_t group)
{
    struct drover_error error = {0};
    struct host_service options = rig.options;
    const struct host_origin origin = {.kind = HOST_ORIGIN_EXECUTABLE, .path = path_of(service)};
    options.name = service;
    options.origin = rig.in_place ? NULL : &origin;
    options.program = rig.in_place ? origin.path : NULL;
    options.artefact = rig.in_place ? ARTEFACT : NULL;
    cr_assert_eq(host_set_service(rig.host, &options, group, rig_now(), &error), DROVER_OK, "%s", error.text);
}

static const char *starting;

static bool is_ready_with_all(void)
{
    enum host_service_state state = HOST_SERVICE_STARTING;
    uint64_t generation;
    const char *reason;
    return host_service_report(rig.host, starting, &state, &generation, &reason) && state == HOST_SERVICE_READY;
}

void rig_start(const char *service, const char *body)
{
    char line[80];
    rig_write(service, body);
    rig_set(service, 0);
    snprintf(line, sizeof(line), "switch %s g1", service);
    rig_wait(line);
    starting = service;
    rig_wait_until(is_ready_with_all);
    rig_settle();
    rig_mark();
}

/* --- what the host tells -------------------------------------------------------------------------------------------
 */

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(rig.log + rig.log_size, LOG_MAX - rig.log_size, format, arguments);
    va_end(arguments);
    cr_assert(size > 0 && (size_t)size < LOG_MAX - rig.log_size);
    rig.log_size += (size_t)size;
}

static void note_worker(const char *what, const struct host_event *event)
{
    note("%s %s g%" PRIu64 " w%" PRIu64 "\n", what, event->service, event->generation, event->worker);
    if (event->settings != NULL && (event->kind == HOST_EXPECT || event->kind == HOST_RECONFIGURE))
        rig.settings[event->generation % sizeof(rig.settings)] =
            ((const uint8_t *)event->settings)[event->settings_size - 1];
}

static void answer_probe(const struct host_event *event)
{
    cr_assert_not_null(event->self_test, "worker %" PRIu64 " cannot be asked for anything", event->worker);
    if (rig.tested != RIG_SILENCE)
        host_worker_probed(rig.host, event->worker, rig.tested == RIG_YES ? DROVER_OK : DROVER_INTERNAL, "", rig_now());
}

static void answer_settings(const struct host_event *event)
{
    const bool odd = event->worker == rig.odd_worker;
    if (rig.tuned != RIG_SILENCE)
        host_worker_reconfigured(rig.host, event->worker, rig.tuned == RIG_YES && !odd, odd ? "not I" : "", rig_now());
}

static void note_group(const struct host_event *event)
{
    if (event->given_up)
        note("group %" PRIu64 " given up by %s: %s\n", event->group, event->service, event->reason);
    else
        note("group %" PRIu64 " done\n", event->group);
}

static void take_event(const struct host_event *event)
{
    switch (event->kind) {
    case HOST_EXPECT:
        note_worker("expect", event);
        break;
    case HOST_PROBE:
        note_worker("probe", event);
        answer_probe(event);
        break;
    case HOST_RECONFIGURE:
        note_worker("reconfigure", event);
        answer_settings(event);
        break;
    case HOST_CLOSED:
        note_worker("closed", event);
        if (!rig.keeps_leases)
            host_worker_drained(rig.host, event->worker, rig_now());
        break;
    case HOST_LOST:
        note_worker("lost", event);
        break;
    case HOST_SWITCH:
        note("switch %s g%" PRIu64 "\n", event->service, event->generation);
        break;
    case HOST_COUNT:
        note("count %s g%" PRIu64 " after g%" PRIu64 "\n", event->service, event->generation, event->previous);
        host_generation_counted(rig.host, event->service, event->generation, &rig.tallies[0], &rig.tallies[1],
                                rig_now());
        break;
    case HOST_TOLD:
        note("told %s g%" PRIu64 " %s: %s\n", event->service, event->generation, event->what, event->reason);
        break;
    case HOST_OBTAINED:
        note("obtained %s\n", event->service);
        break;
    case HOST_GROUP:
        note_group(event);
        break;
    case HOST_REMOVED:
        note("removed %s\n", event->service);
        break;
    case HOST_SERVICE_STATE:
    case HOST_CONFIGURATION:
        break;
    }
}

/* --- the loop ------------------------------------------------------------------------------------------------------
 */

static const char *const services[] = {"a", "b", "c"};

static bool is_mute(uint64_t generation)
{
    return rig.mute != 0 && generation >= rig.mute;
}

static void play_core_for(const char *service)
{
    struct host_worker_report worker;
    uint64_t last = 0;
    unsigned generations = 0;
    for (unsigned i = 0; i < REPLICAS_MAX && host_worker_report(rig.host, service, i, &worker); i++) {
        generations += worker.pid != 0 && worker.generation != last;
        last = worker.pid != 0 ? worker.generation : last;
        if (worker.pid == 0 || strcmp(worker.state, "starting") != 0 || is_mute(worker.generation))
            continue;
        host_worker_ready(rig.host, worker.worker, rig_now());
    }
    rig.generations = generations > rig.generations ? generations : rig.generations;
}

static void play_core(void)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        play_core_for(services[i]);
}

static void take_events(void)
{
    struct host_event event;
    while (host_next_event(rig.host, &event))
        take_event(&event);
}

void rig_turn(void)
{
    host_step(rig.host, rig_now());
    take_events();
    play_core(); /* its notices would end a sleep */
}

/* As long as the host allows, and no longer than anybody has patience. */
static void sleep_until(uint64_t end_ms)
{
    struct pollfd descriptor = {.fd = host_fd(rig.host), .events = POLLIN};
    const uint64_t now_ms = rig_now(), due_ms = host_deadline_ms(rig.host), left_ms = end_ms - sys_now_ms();
    const uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    poll(&descriptor, 1, (int)(wait_ms < left_ms ? wait_ms : left_ms));
}

static const char *wanted_line;

static bool line_has_come(void)
{
    return rig_find(wanted_line) != NULL;
}

void rig_wait(const char *line)
{
    wanted_line = line;
    rig_wait_until(line_has_come);
}

void rig_wait_until(rig_condition_fn *condition)
{
    const uint64_t end_ms = sys_now_ms() + PATIENCE_MS;
    while (!condition()) {
        cr_assert_lt(sys_now_ms(), end_ms, "'%s' did not come; since the mark:\n%s",
                     condition == line_has_come ? wanted_line : "what was waited for", rig.log + rig.mark);
        rig_turn();
        if (!condition() && sys_now_ms() < end_ms)
            sleep_until(end_ms);
    }
}

static bool nothing_is_under_way(void)
{
    char rest[256];
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (host_is_changing(rig.host, services[i]))
            return false;
    host_describe_rest(rig.host, rest, sizeof(rest));
    return strstr(rest, "draining") == NULL && strstr(rest, "helper") == NULL && host_deadline_ms(rig.host) != 0;
}

void rig_settle(void)
{
    rig_turn();
    rig_wait_until(nothing_is_under_way);
}

void rig_mark(void)
{
    rig.mark = rig.log_size;
}

/* --- what was told -------------------------------------------------------------------------------------------------
 */

static const char *find_from(const char *text, const char *line)
{
    for (const char *found = strstr(text, line); found != NULL; found = strstr(found + 1, line))
        if (found == rig.log || found[-1] == '\n')
            return found;
    return NULL;
}

const char *rig_find(const char *line)
{
    return find_from(rig.log + rig.mark, line);
}

unsigned rig_count(const char *line)
{
    unsigned count = 0;
    for (const char *found = rig_find(line); found != NULL; found = find_from(found + 1, line))
        count++;
    return count;
}

pid_t rig_pid(const char *service, uint64_t generation, unsigned index)
{
    struct host_worker_report worker;
    for (unsigned i = 0; host_worker_report(rig.host, service, i, &worker); i++)
        if (worker.generation == generation && index-- == 0)
            return (pid_t)worker.pid;
    return 0;
}

static struct {
    const char *service;
    uint64_t generation;
    unsigned index;
} victim;

static bool victim_runs(void)
{
    return rig_pid(victim.service, victim.generation, victim.index) > 0;
}

void rig_kill(const char *service, uint64_t generation, unsigned index)
{
    siginfo_t info;
    victim.service = service;
    victim.generation = generation;
    victim.index = index;
    rig_wait_until(victim_runs);
    const pid_t pid = rig_pid(service, generation, index);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

struct host_rollout_report rig_rollout(const char *service)
{
    struct host_rollout_report report = {.state = "unknown"};
    (void)host_rollout_report(rig.host, service, &report);
    return report;
}

bool rig_is(const char *service, const char *state)
{
    return strcmp(rig_rollout(service).state, state) == 0;
}
