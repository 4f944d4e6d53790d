/* obtain_rig.c - see obtain_rig.h */
#include "obtain_rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/family.h"

#define LISTENER DROVER_BINARY_DIR "/tests/fetch_listener"
#define PATIENCE_MS 15000

static const char prelude[] =
    "set -eu\n"
    "export HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost\n"
    "export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost HELLO=" OBTAIN_HELLO "\n"
    "repository() {\n"
    "  git init -q --bare -b main git/$1 && git init -q -b main work/$1 && git -C work/$1 remote add origin "
    "$PWD/git/$1\n"
    "}\n"
    "commit() {\n"
    "  git -C work/$1 add -A && git -C work/$1 commit -q --allow-empty -m c && git -C work/$1 push -q --force --tags "
    "origin HEAD\n"
    "}\n";

/* ---- scripts ---- */

static char *make_script(const struct obtain_rig *rig, const char *format, va_list arguments)
{
    char *lines = NULL, *script = NULL, *path = NULL;
    if (vasprintf(&lines, format, arguments) < 0 || asprintf(&path, "%s/script.sh", rig->folder) < 0 ||
        asprintf(&script, "timeout 60 sh '%s'", path) < 0)
        abort();
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fprintf(file, "cd '%s'\n%s%s\n", rig->folder, prelude, lines);
    cr_assert_eq(fclose(file), 0);
    free(lines);
    free(path);
    return script;
}

void obtain_rig_run(const struct obtain_rig *rig, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *script = make_script(rig, format, arguments);
    va_end(arguments);
    cr_assert_eq(system(script), 0, "%s", format); /* NOLINT: the test's own */
    free(script);
}

const char *obtain_rig_ask(const struct obtain_rig *rig, const char *format, ...)
{
    static char buffers[4][512];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    va_list arguments;
    va_start(arguments, format);
    char *script = make_script(rig, format, arguments);
    va_end(arguments);
    FILE *output = popen(script, "re"); /* NOLINT: likewise */
    cr_assert_not_null(output);
    const size_t size = fread(buffer, 1, sizeof(buffers[0]) - 1, output);
    cr_assert_eq(pclose(output), 0, "%s", format);
    buffer[size] = '\0';
    buffer[strcspn(buffer, "\n")] = '\0';
    free(script);
    return buffer;
}

/* ---- the server ---- */

static _Noreturn void become_server(const struct obtain_rig *rig, const int ends[2])
{
    char listener[] = LISTENER, each[] = "each", git[] = "git", verb[] = "daemon", inetd[] = "--inetd",
         export[] = "--export-all", base[64];
    char *arguments[] = {listener, each, git, verb, inetd, export, base, NULL};
    snprintf(base, sizeof(base), "--base-path=%s/git", rig->folder);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    setenv("HOME", rig->folder, 1);
    execv(listener, arguments);
    _exit(127);
}

static void start_server(struct obtain_rig *rig)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    rig->server = fork();
    if (rig->server == 0)
        become_server(rig, ends);
    close(ends[1]);
    FILE *port = fdopen(ends[0], "r");
    cr_assert(port != NULL && fscanf(port, "%u", &rig->port) == 1, "no git server");
    fclose(port);
}

void obtain_rig_stop_server(struct obtain_rig *rig)
{
    if (rig->server <= 0)
        return;
    kill(rig->server, SIGTERM);
    while (waitpid(rig->server, NULL, 0) < 0 && errno == EINTR)
        ;
    rig->server = 0;
}

/* ---- set-up and end ---- */

/* ASan wants to be the first library of a program; what drover compiles here was not built with it, but the library
 * that it links may have been. */
static void allow_unsanitized_drivers(void)
{
    const char *before = getenv("ASAN_OPTIONS");
    char *options = NULL;
    cr_assert_geq(asprintf(&options, "%s:verify_asan_link_order=0", before != NULL ? before : ""), 0);
    setenv("ASAN_OPTIONS", options, 1);
    free(options);
}

void obtain_rig_init(struct obtain_rig *rig)
{
    allow_unsanitized_drivers();
    *rig = (struct obtain_rig){.broker.pidfd = -1, .folder = "/tmp/drover-obtain-XXXXXX"};
    cr_assert(mkdtemp(rig->folder) != NULL && chmod(rig->folder, 0755) == 0);
    obtain_rig_run(rig, "mkdir home git work");
    start_server(rig);
}

/* Each word by what it stands for, for the caller to free(). */
static char *replace(const char *text, const char *word, const char *by)
{
    char *result = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&result, &size);
    cr_assert_not_null(out);
    for (const char *at; (at = strstr(text, word)) != NULL; text = at + strlen(word))
        fprintf(out, "%.*s%s", (int)(at - text), text, by);
    fputs(text, out);
    fclose(out);
    return result;
}

void obtain_rig_configure(struct obtain_rig *rig, const char *services)
{
    char url[64];
    snprintf(url, sizeof(url), "git://127.0.0.1:%u", rig->port);
    char *with_url = replace(services, "GIT", url);
    char *complete = replace(with_url, "DIR", rig->folder);
    broker_rig_init_with(&rig->broker,
                         "  listen: ['ipc://@/broker.sock']\n  state_dir: @/state\n  fetch: {allow: [git, file]}\n",
                         complete);
    free(with_url);
    free(complete);
}

void obtain_rig_start(struct obtain_rig *rig, const char *option)
{
    rig->broker.option = option;
    broker_rig_start(&rig->broker);
}

void obtain_rig_stop(struct obtain_rig *rig)
{
    broker_rig_stop(&rig->broker);
}

void obtain_rig_done(struct obtain_rig *rig)
{
    if (rig->broker.folder[0] != '\0')
        broker_rig_done(&rig->broker);
    obtain_rig_stop_server(rig);
    obtain_rig_run(rig, "cd / && rm -rf '%s'", rig->folder);
}

/* ---- looking ---- */

void obtain_rig_expect_greeting(const struct obtain_rig *rig, const char *service, const char *greeting)
{
    const struct caller_request greet = {.service = service, .method = "greet", .key = "name", .string = "Ada"};
    struct caller caller;
    char text[128];
    caller_init(&caller, rig->broker.endpoint);
    caller_ask_text(&caller, &greet, "greeting", text, sizeof(text));
    cr_expect_str_eq(text, greeting);
    caller_done(&caller);
}

void obtain_rig_await(struct obtain_rig *rig, const char *service, const char *state, const char *text,
                      struct broker_rig_service *ret)
{
    broker_rig_await_state(&rig->broker, service, state, ret);
    cr_expect(strstr(ret->last_error, text) != NULL, "'%s' does not say '%s': %s", service, text, ret->last_error);
}

/* Does a file of /proc name the broker's folder? */
static bool names_folder(const struct obtain_rig *rig, const char *pid, const char *file)
{
    char path[300], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
    if (sys_read_file(path, 1u << 20, &text, &size, NULL) != DROVER_OK)
        return false;
    const bool found = memmem(text, size, rig->broker.folder, strlen(rig->broker.folder)) != NULL;
    free(text);
    return found;
}

/* Count them; `*ret_last` (may be NULL) is one of them. */
static unsigned count_processes(const struct obtain_rig *rig, pid_t *ret_last)
{
    unsigned count = 0;
    DIR *stream = opendir("/proc");
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || pid == rig->server || pid == rig->broker.pid ||
            (!names_folder(rig, entry->d_name, "environ") && !names_folder(rig, entry->d_name, "cmdline")))
            continue;
        count++;
        if (ret_last != NULL)
            *ret_last = pid;
    }
    if (stream != NULL)
        closedir(stream);
    return count;
}

unsigned obtain_rig_count_processes(const struct obtain_rig *rig)
{
    return count_processes(rig, NULL);
}

bool obtain_rig_await_no_process(const struct obtain_rig *rig)
{
    const uint64_t end_ms = sys_now_ms() + PATIENCE_MS;
    pid_t last = 0;
    while (count_processes(rig, &last) > 0) {
        const uint64_t now_ms = sys_now_ms();
        const int pidfd = family_open_pidfd(last);
        const bool ended = pidfd < 0 || (now_ms < end_ms && family_await_pidfd(pidfd, end_ms - now_ms));
        if (pidfd >= 0)
            close(pidfd);
        if (!ended)
            return false;
    }
    return true;
}
