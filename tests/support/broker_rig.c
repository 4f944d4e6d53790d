/* broker_rig.c - see broker_rig.h */
#include "tests/support/broker_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/family.h"

#define BROKER DROVER_BINARY_DIR "/bin/drover-broker"
#define LOOK_EVERY_MS 10
#define ANSWER_MS 2000
#define LEFT_BEHIND_MS 10000
#define TEXT_MAX ((size_t)1 << 20)

bool broker_rig_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#endif
#endif
    return false;
}

_Noreturn void broker_rig_give_up(const struct broker_rig *rig, const char *format, ...)
{
    char *output = broker_rig_output(rig);
    va_list arguments;

    fputs("broker_rig: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nthe broker (%s) has printed:\n%s\n", rig->folder, output);
    free(output);
    abort();
}

/* ---- files ---- */

const char *broker_rig_path(const struct broker_rig *rig, const char *name)
{
    static char buffers[4][256];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];

    snprintf(buffer, sizeof(buffers[0]), "%s/%s", rig->folder, name);
    return buffer;
}

void broker_rig_write(const struct broker_rig *rig, const char *name, unsigned mode, const char *text)
{
    const char *path = broker_rig_path(rig, name);
    char aside[300];

    snprintf(aside, sizeof(aside), "%s.new", path);
    FILE *file = fopen(aside, "we");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 || chmod(aside, mode) != 0 ||
        rename(aside, path) != 0)
        broker_rig_give_up(rig, "%s: %s", path, strerror(errno));
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    struct drover_error error = {0};

    if (sys_read_file(path, TEXT_MAX, &text, &size, &error) != DROVER_OK)
        return strdup(error.text);
    return text;
}

char *broker_rig_output(const struct broker_rig *rig)
{
    return read_text(broker_rig_path(rig, "output"));
}

/* Write `text` with the folder in place of each '@'. */
static void put_with_folder(FILE *file, const struct broker_rig *rig, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '@')
            fputs(rig->folder, file);
        else
            fputc(*text, file);
    }
}

static void write_config(const struct broker_rig *rig, const char *broker, const char *services)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    fputs("broker:\n", file);
    put_with_folder(file, rig, broker);
    fputs("\nservices:\n", file);
    put_with_folder(file, rig, services);
    fputc('\n', file);
    fclose(file);
    broker_rig_write(rig, "drover.yaml", 0600, text);
    free(text);
}

void broker_rig_init_with(struct broker_rig *rig, const char *broker, const char *services)
{
    *rig = (struct broker_rig){.pidfd = -1, .folder = "/tmp/drover-test-XXXXXX"};
    /* Whoever runs as somebody else than the broker passes through it. */
    if (mkdtemp(rig->folder) == NULL || chmod(rig->folder, 0711) != 0)
        broker_rig_give_up(rig, "no folder: %s", strerror(errno));
    snprintf(rig->endpoint, sizeof(rig->endpoint), "ipc://%s/broker.sock", rig->folder);
    snprintf(rig->config, sizeof(rig->config), "%s/drover.yaml", rig->folder);
    write_config(rig, broker != NULL ? broker : "  listen: ['ipc://@/broker.sock']\n  state_dir: @/state\n", services);
}

void broker_rig_init(struct broker_rig *rig, const char *services)
{
    broker_rig_init_with(rig, NULL, services);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

/* ---- start ---- */

/* Sanitizers of the broker and its workers write into the folder: the workers' output goes elsewhere. */
static void set_report(const struct broker_rig *rig, const char *variable)
{
    const char *before = getenv(variable);
    char value[1024];
    size_t size = before != NULL ? strcspn(before, "#") : 0;

    /* What an earlier rig has appended stands behind an empty option. */
    const char *own = before != NULL ? strstr(before, "::log_path=") : NULL;
    if (own != NULL)
        size = (size_t)(own - before);
    snprintf(value, sizeof(value), "%.*s::log_path=%s/report", (int)size, before != NULL ? before : "", rig->folder);
    setenv(variable, value, 1);
}

/* In the child: only what may be done between fork and exec. */
static _Noreturn void become(const struct broker_rig *rig, int output)
{
    char program[] = BROKER, option[] = "--config", config[sizeof(rig->config)];
    char *more = rig->option != NULL ? strdup(rig->option) : NULL;
    char *arguments[] = {program, option, config, more, NULL};

    memcpy(config, rig->config, sizeof(config));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (rig->is_first_in_pid && (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
                                 mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0))
        _exit(126);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(program, arguments);
    _exit(127);
}

static pid_t fork_maybe_apart(const struct broker_rig *rig)
{
    if (!rig->is_first_in_pid)
        return fork();
    return (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWPID | CLONE_NEWNS, NULL, NULL, NULL, NULL);
}

void broker_rig_start(struct broker_rig *rig)
{
    const int output = open(broker_rig_path(rig, "output"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (output < 0 || rig->pid != 0)
        broker_rig_give_up(rig, "the broker cannot be started: %s", output < 0 ? strerror(errno) : "one runs");
    setenv(FAMILY_MARK, rig->folder, 1);
    set_report(rig, "ASAN_OPTIONS");
    set_report(rig, "UBSAN_OPTIONS");
    rig->started_us = sys_now_us();
    rig->pid = fork_maybe_apart(rig);
    if (rig->pid == 0)
        become(rig, output);
    close(output);
    if (rig->pid < 0)
        broker_rig_give_up(rig, "no process: %s", strerror(errno));
    rig->pidfd = family_open_pidfd(rig->pid);
}

void broker_rig_start_and_await(struct broker_rig *rig)
{
    broker_rig_start(rig);
    broker_rig_await_ready(rig);
}

/* ---- status ---- */

static struct drover_client *new_admin(const struct broker_rig *rig)
{
    const struct drover_client_options options = {.broker = rig->endpoint, .name = "rig", .admin = true};
    struct drover_client *client = NULL;
    struct drover_error error = {0};

    if (drover_client_new(&options, &client, &error) != DROVER_OK)
        broker_rig_give_up(rig, "no client: %s", error.text);
    return client;
}

/* A question to the broker and its answer. */
struct answer {
    struct drover_reply reply;
    struct drover_document *document;
};

static bool ask(struct drover_client *client, const char *verb, const struct drover_writer *body, struct answer *answer,
                struct drover_error *error)
{
    const void *data = body != NULL ? drover_writer_data(body) : NULL;
    const size_t size = body != NULL ? drover_writer_size(body) : 0;

    *answer = (struct answer){0};
    return drover_client_admin(client, verb, data, size, ANSWER_MS, &answer->reply, error) == DROVER_OK &&
           drover_document_parse(answer->reply.body, answer->reply.body_size, &answer->document, error) == DROVER_OK;
}

static void forget(struct answer *answer)
{
    answer->document = drover_document_free(answer->document);
    drover_reply_done(&answer->reply);
}

static void copy_text(const struct drover_value *map, const char *key, char *buffer, size_t size)
{
    const struct drover_text text = drover_value_get_text(map, key, "");

    snprintf(buffer, size, "%.*s", (int)text.size, text.data);
}

static uint64_t number_of(const struct drover_value *map, const char *key)
{
    uint64_t number = 0;

    (void)drover_value_uint64(drover_value_get(map, key), &number);
    return number;
}

static void read_worker(const struct drover_value *map, struct broker_rig_worker *ret)
{
    *ret = (struct broker_rig_worker){.pid = (pid_t)number_of(map, "pid"),
                                      .restarts = number_of(map, "restarts"),
                                      .in_flight = number_of(map, "in_flight"),
                                      .generation = number_of(map, "generation")};
    copy_text(map, "state", ret->state, sizeof(ret->state));
    copy_text(map, "artefact", ret->artefact, sizeof(ret->artefact));
}

static void read_rollout(const struct drover_value *map, struct broker_rig_rollout *ret)
{
    const struct drover_value *quarantine = drover_value_get(map, "quarantine");

    *ret = (struct broker_rig_rollout){.active = number_of(map, "active"),
                                       .candidate = number_of(map, "candidate"),
                                       .quarantined = drover_value_count(quarantine)};
    copy_text(map, "state", ret->state, sizeof(ret->state));
    copy_text(map, "artefact", ret->artefact, sizeof(ret->artefact));
    copy_text(map, "stable", ret->stable, sizeof(ret->stable));
    copy_text(map, "watch", ret->watch, sizeof(ret->watch));
    if (ret->quarantined == 0)
        return;
    const struct drover_value *last = drover_value_at(quarantine, ret->quarantined - 1);
    copy_text(last, "artefact", ret->quarantined_hash, sizeof(ret->quarantined_hash));
    copy_text(last, "why", ret->quarantined_why, sizeof(ret->quarantined_why));
}

static void read_service(const struct drover_value *map, struct broker_rig_service *ret)
{
    const struct drover_value *workers = drover_value_get(map, "workers");

    *ret = (struct broker_rig_service){.generation = number_of(map, "generation"),
                                       .queued = number_of(map, "queued"),
                                       .calls = number_of(map, "calls"),
                                       .failed = number_of(map, "failed"),
                                       .unanswered = number_of(map, "unanswered"),
                                       .worker_count = drover_value_count(workers)};
    copy_text(map, "state", ret->state, sizeof(ret->state));
    copy_text(map, "last_error", ret->last_error, sizeof(ret->last_error));
    read_rollout(drover_value_get(map, "rollout"), &ret->rollout);
    if (ret->worker_count > BROKER_RIG_WORKERS)
        ret->worker_count = BROKER_RIG_WORKERS;
    for (size_t i = 0; i < ret->worker_count; i++)
        read_worker(drover_value_at(workers, i), &ret->workers[i]);
}

static const struct drover_value *find_service(const struct drover_value *status, const char *name)
{
    const struct drover_value *services = drover_value_get(status, "services");

    for (size_t i = 0; i < drover_value_count(services); i++) {
        const struct drover_value *service = drover_value_at(services, i);
        if (drover_text_equals(drover_value_get_text(service, "name", ""), name))
            return service;
    }
    return NULL;
}

/* Ask for the status until `met` likes it; what it saw is left in `context`. */
static void look_until(struct broker_rig *rig, bool (*met)(const struct drover_value *status, void *context),
                       void *context, const char *what)
{
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;
    struct drover_client *client = new_admin(rig);
    struct drover_error error = {0};
    struct answer answer = {0};
    bool done = false;

    while (!done) {
        if (ask(client, "status", NULL, &answer, &error))
            done = met(drover_document_root(answer.document), context);
        forget(&answer);
        if (!done && family_await_pidfd(rig->pidfd, LOOK_EVERY_MS))
            broker_rig_give_up(rig, "waiting for %s: the broker has ended", what);
        if (!done && sys_now_ms() > until_ms)
            broker_rig_give_up(rig, "waited in vain for %s (last error: %s)", what, error.text);
    }
    drover_client_free(client);
}

static bool all_ready(const struct drover_value *status, void *context)
{
    const struct drover_value *services = drover_value_get(status, "services");

    (void)context;
    for (size_t i = 0; i < drover_value_count(services); i++)
        if (!drover_text_equals(drover_value_get_text(drover_value_at(services, i), "state", ""), "ready"))
            return false;
    return true;
}

void broker_rig_await_ready(struct broker_rig *rig)
{
    look_until(rig, all_ready, NULL, "all services to be ready");
}

struct wanted {
    const char *service;
    broker_rig_met *met;
    const void *context;
    struct broker_rig_service *ret;
};

static bool service_met(const struct drover_value *status, void *context)
{
    const struct wanted *wanted = context;

    read_service(find_service(status, wanted->service), wanted->ret);
    return wanted->met == NULL || wanted->met(wanted->ret, wanted->context);
}

void broker_rig_await(struct broker_rig *rig, const char *service, broker_rig_met *met, const void *context,
                      struct broker_rig_service *ret)
{
    struct wanted wanted = {.service = service, .met = met, .context = context, .ret = ret};

    look_until(rig, service_met, &wanted, service);
}

void broker_rig_look(struct broker_rig *rig, const char *service, struct broker_rig_service *ret)
{
    broker_rig_await(rig, service, NULL, NULL, ret);
}

static bool has_state(const struct broker_rig_service *service, const void *context)
{
    return strcmp(service->state, context) == 0;
}

void broker_rig_await_state(struct broker_rig *rig, const char *service, const char *state,
                            struct broker_rig_service *ret)
{
    broker_rig_await(rig, service, has_state, state, ret);
}

static bool read_sessions(const struct drover_value *status, void *context)
{
    *(uint64_t *)context = number_of(drover_value_get(status, "broker"), "sessions");
    return true;
}

uint64_t broker_rig_sessions(struct broker_rig *rig)
{
    uint64_t sessions = 0;

    look_until(rig, read_sessions, &sessions, "the number of sessions");
    return sessions;
}

/* ---- by hand ---- */

void broker_rig_admin(struct broker_rig *rig, const char *verb, const char *service)
{
    struct drover_client *client = new_admin(rig);
    struct drover_writer *body = drover_writer_new();
    struct drover_error error = {0};
    struct answer answer = {0};

    drover_write_map(body, 1);
    drover_write_string(body, "service");
    drover_write_string(body, service);
    if (!ask(client, verb, body, &answer, &error))
        broker_rig_give_up(rig, "%s %s: %s", verb, service, error.text);
    forget(&answer);
    drover_writer_free(body);
    drover_client_free(client);
}

int broker_rig_drover(const struct broker_rig *rig, const char *arguments, char **ret_text)
{
    char command[1024], part[4096];
    size_t size = 0, got;
    FILE *out = open_memstream(ret_text, &size);

    snprintf(command, sizeof(command), DROVER_BINARY_DIR "/bin/drover --broker %s %s 2>&1", rig->endpoint, arguments);
    FILE *in = popen(command, "re"); /* NOLINT: the command is the test's own */
    if (in == NULL)
        broker_rig_give_up(rig, "%s: %s", command, strerror(errno));
    while ((got = fread(part, 1, sizeof(part), in)) > 0)
        fwrite(part, 1, got, out);
    fclose(out);
    const int status = pclose(in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- end ---- */

void broker_rig_signal(const struct broker_rig *rig, int signal)
{
    if (kill(rig->pid, signal) != 0)
        broker_rig_give_up(rig, "signal %d: %s", signal, strerror(errno));
}

int broker_rig_await_end(struct broker_rig *rig)
{
    int status = 0;

    if (!family_await_pidfd(rig->pidfd, BROKER_RIG_PATIENCE_MS))
        broker_rig_give_up(rig, "waited in vain for the end of the broker");
    if (waitpid(rig->pid, &status, 0) != rig->pid)
        broker_rig_give_up(rig, "no end of the broker: %s", strerror(errno));
    close(rig->pidfd);
    rig->pid = 0;
    rig->pidfd = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void broker_rig_stop(struct broker_rig *rig)
{
    broker_rig_signal(rig, SIGTERM);
    const int status = broker_rig_await_end(rig);
    if (status != 0)
        broker_rig_give_up(rig, "the broker ended with %d after SIGTERM", status);
    if (family_count(rig->folder, 0) != 0)
        broker_rig_give_up(rig, "the broker has left a process behind");
}

/* What was killed may need a moment; what is still there then was forgotten. */
static void require_no_process(const struct broker_rig *rig)
{
    struct family family;

    family_hold(&family, rig->folder, 0);
    const size_t living = family_await_end(&family, LEFT_BEHIND_MS);
    if (living > 0)
        family_kill(&family);
    if (living > 0)
        broker_rig_give_up(rig, "%zu processes were left behind, such as %d", living, (int)family.pids[0]);
    family_release(&family);
}

static int complain_of_report(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    if (kind != FTW_F || strncmp(path + at->base, "report.", strlen("report.")) != 0)
        return 0;
    char *text = read_text(path);
    fprintf(stderr, "%s\n", text);
    free(text);
    return 1;
}

void broker_rig_done(struct broker_rig *rig)
{
    if (rig->pid != 0)
        broker_rig_stop(rig);
    require_no_process(rig);
    if (nftw(rig->folder, complain_of_report, 16, FTW_PHYS) != 0)
        broker_rig_give_up(rig, "a sanitizer has complained");
    (void)nftw(rig->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
