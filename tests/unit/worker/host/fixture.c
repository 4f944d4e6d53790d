/* fixture.c - a host under test */
#include "fixture.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"

#define PATIENCE_MS 20000

uint64_t fixture_now(const struct fixture *fixture)
{
    return sys_now_ms() + fixture->skew_ms;
}

/* Written aside and renamed: a script that a shell is reading stays as it is. */
void fixture_script(struct fixture *fixture, const char *body)
{
    char path[160];
    snprintf(path, sizeof(path), "%s.new", fixture->script);
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", body);
    fclose(file);
    cr_assert_eq(chmod(path, 0700), 0);
    cr_assert_eq(rename(path, fixture->script), 0);
}

void fixture_init(struct fixture *fixture, const char *body)
{
    memset(fixture, 0, sizeof(*fixture));
    strcpy(fixture->folder, "/tmp/drover-host-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture->folder));
    snprintf(fixture->script, sizeof(fixture->script), "%s/driver", fixture->folder);
    fixture_script(fixture, body);

    const struct host_options options = {
        .endpoint = "ipc:///nowhere", .worker_program = "/nowhere/drover-worker", .helpers = DROVER_BINARY_DIR "/bin"};
    struct drover_error error = {0};
    cr_assert_eq(host_new(&options, &fixture->host, &error), DROVER_OK, "%s", error.text);
    fixture->options = (struct host_service){
        .name = "test",
        .interface = "test",
        .driver = "sample",
        .kind = "executable",
        .program = fixture->script,
        .artefact = ARTEFACT,
        .directory = fixture->folder,
        .replicas = 1,
        .restart_min_ms = 1,
        .restart_max_ms = 1000,
        .ready_limit_ms = 10000,
    };
}

void fixture_done(struct fixture *fixture)
{
    char command[128];
    fixture->host = host_free(fixture->host);
    cr_assert_eq(count_children(), 0U, "host_free() left a child behind");
    snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
    cr_assert_eq(system(command), 0);
}

void fixture_start(struct fixture *fixture)
{
    struct drover_error error = {0};
    cr_assert_eq(host_set_service(fixture->host, &fixture->options, 0, fixture_now(fixture), &error), DROVER_OK, "%s",
                 error.text);
}

void fixture_take_events(struct fixture *fixture)
{
    struct host_event event;
    while (host_next_event(fixture->host, &event)) {
        cr_assert_lt(fixture->event_count, EVENTS_KEPT);
        if (event.kind == HOST_PROBE && fixture->get_ready)
            host_worker_probed(fixture->host, event.worker, DROVER_OK, "", fixture_now(fixture));
        fixture->events[fixture->event_count++] = event;
    }
}

static void say_ready(struct fixture *fixture)
{
    struct host_worker_report worker;
    for (unsigned i = 0; host_worker_report(fixture->host, "test", i, &worker); i++)
        if (worker.pid != 0 && strcmp(worker.state, "starting") == 0)
            host_worker_ready(fixture->host, worker.worker, fixture_now(fixture));
}

static void step(struct fixture *fixture, uint64_t end_ms)
{
    struct pollfd poll_fd = {.fd = host_fd(fixture->host), .events = POLLIN};
    const uint64_t now_ms = fixture_now(fixture), due_ms = host_deadline_ms(fixture->host);
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    if (wait_ms > end_ms - sys_now_ms())
        wait_ms = end_ms - sys_now_ms();
    poll(&poll_fd, 1, (int)wait_ms);
    host_step(fixture->host, fixture_now(fixture));
    if (fixture->get_ready)
        say_ready(fixture);
}

void fixture_run_until(struct fixture *fixture, condition_fn *condition)
{
    const uint64_t end_ms = sys_now_ms() + PATIENCE_MS;
    for (;;) {
        fixture_take_events(fixture);
        if (condition(fixture))
            return;
        cr_assert_lt(sys_now_ms(), end_ms, "what was waited for did not come; state %s, reason %s",
                     host_service_state_name(fixture_state(fixture)), fixture_reason(fixture));
        step(fixture, end_ms);
    }
}

unsigned fixture_count(const struct fixture *fixture, enum host_event_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fixture->event_count; i++)
        count += fixture->events[i].kind == kind;
    return count;
}

const struct host_event *fixture_last(const struct fixture *fixture, enum host_event_kind kind)
{
    for (unsigned i = fixture->event_count; i > 0; i--)
        if (fixture->events[i - 1].kind == kind)
            return &fixture->events[i - 1];
    return NULL;
}

struct host_worker_report fixture_worker(const struct fixture *fixture)
{
    struct host_worker_report report = {0};
    cr_assert(host_worker_report(fixture->host, "test", 0, &report));
    return report;
}

enum host_service_state fixture_state(const struct fixture *fixture)
{
    enum host_service_state state = HOST_SERVICE_STOPPED;
    uint64_t generation;
    const char *reason;
    cr_assert(host_service_report(fixture->host, "test", &state, &generation, &reason));
    return state;
}

const char *fixture_reason(const struct fixture *fixture)
{
    enum host_service_state state;
    uint64_t generation;
    const char *reason = "";
    cr_assert(host_service_report(fixture->host, "test", &state, &generation, &reason));
    return reason;
}

bool worker_runs(struct fixture *fixture)
{
    return fixture_worker(fixture).pid != 0;
}

bool is_ready(struct fixture *fixture)
{
    say_ready(fixture);
    return fixture_state(fixture) == HOST_SERVICE_READY;
}

bool is_crashlooping(struct fixture *fixture)
{
    return fixture_state(fixture) == HOST_SERVICE_CRASHLOOP;
}

bool is_stopped(struct fixture *fixture)
{
    return fixture_state(fixture) == HOST_SERVICE_STOPPED && !worker_runs(fixture);
}

bool is_degraded(struct fixture *fixture)
{
    return fixture_state(fixture) == HOST_SERVICE_DEGRADED;
}

bool is_empty(struct fixture *fixture)
{
    return host_is_empty(fixture->host);
}

bool has_lost_one(struct fixture *fixture)
{
    return fixture_count(fixture, HOST_LOST) > 0;
}

char *fixture_lines(const struct fixture *fixture, uint64_t after, uint64_t *ret_last)
{
    struct drover_writer *writer = drover_writer_new();
    struct drover_document *document = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert(writer != NULL && out != NULL);

    host_write_logs(fixture->host, "test", after, writer);
    cr_assert(drover_writer_ok(writer));
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, NULL),
                 DROVER_OK);
    const struct drover_value *lines = drover_document_root(document);
    for (size_t i = 0; i < drover_value_count(lines); i++) {
        const struct drover_value *line = drover_value_at(lines, i);
        uint64_t serial = 0;
        cr_assert(drover_value_uint64(drover_value_get(line, "serial"), &serial));
        cr_assert_gt(serial, after);
        after = serial;
        const struct drover_text words = drover_value_get_text(line, "line", "");
        fprintf(out, "%.*s\n", (int)words.size, words.data);
    }
    fclose(out);
    if (ret_last != NULL)
        *ret_last = after;
    drover_document_free(document);
    drover_writer_free(writer);
    return text;
}

bool fixture_printed(const struct fixture *fixture, const char *text)
{
    char *lines = fixture_lines(fixture, 0, NULL);
    const bool found = strstr(lines, text) != NULL;
    free(lines);
    return found;
}

bool process_runs(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const int read = fscanf(file, "%*d (%*[^)]) %c", &state);
    fclose(file);
    return read == 1 && state != 'Z' && state != 'X';
}

unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 3; /* ".", ".." and the folder itself */
}

unsigned count_children(void)
{
    char path[64];
    int pid;
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    while (fscanf(file, "%d", &pid) == 1)
        count++;
    fclose(file);
    return count;
}
