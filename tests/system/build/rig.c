/* rig.c - see rig.h */
#include "rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"

#define WORDS_MAX 32

void rig_init(struct rig *rig)
{
    strcpy(rig->folder, "/tmp/drover-rig-XXXXXX");
    if (!mkdtemp(rig->folder) || chmod(rig->folder, 0755) != 0)
        abort();
}

static int run_words(const char *const *words)
{
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        execvp(words[0], (char *const *)words);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0)
        ;
    return status;
}

void rig_done(struct rig *rig)
{
    const char *const words[] = {"rm", "-rf", "--", rig->folder, NULL};
    if (run_words(words) != 0)
        abort();
}

const char *rig_path(const struct rig *rig, const char *name)
{
    static char buffers[8][512];
    static unsigned next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, sizeof(buffers[0]), "%s/%s", rig->folder, name);
    return buffer;
}

void rig_write_bytes(const struct rig *rig, const char *name, mode_t mode, const void *data, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
    for (char *slash = strchr(path + strlen(rig->folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0 || chmod(path, mode) != 0)
        abort();
}

void rig_write(const struct rig *rig, const char *name, mode_t mode, const char *text)
{
    rig_write_bytes(rig, name, mode, text, strlen(text));
}

void rig_copy_fixture(const struct rig *rig, const char *name, const char *to)
{
    char from[512];
    snprintf(from, sizeof(from), DROVER_SOURCE_DIR "/tests/fixtures/drivers/%s", name);
    const char *const words[] = {"cp", "-rT", from, rig_path(rig, to), NULL};
    if (run_words(words) != 0)
        abort();
}

void rig_start(const struct rig *rig, struct rig_run *run, const char *store, const char *source, const char *options)
{
    char *copy = strdup(options), *rest = NULL;
    const char *words[WORDS_MAX] = {"timeout",
                                    "-k",
                                    "5",
                                    RIG_PATIENCE,
                                    DROVER_BINARY_DIR "/bin/drover-build",
                                    "--store",
                                    rig_path(rig, store),
                                    "--source",
                                    rig_path(rig, source)};
    size_t count = 9;
    int ends[2];
    for (char *word = strtok_r(copy, " ", &rest); word && count + 1 < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (pipe2(ends, O_CLOEXEC) != 0)
        abort();
    *run = (struct rig_run){.status = -1};
    run->pid = fork();
    if (run->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execvp(words[0], (char *const *)words);
        _exit(127);
    }
    close(ends[1]);
    run->output = fdopen(ends[0], "r");
    if (run->pid < 0 || !run->output)
        abort();
    free(copy);
}

/* Take one event; false at the end. `*ret_name` is borrowed until the next. */
static bool take_event(struct rig_run *run, char name[16])
{
    char *line = NULL;
    size_t capacity = 0;
    const bool got = getline(&line, &capacity, run->output) > 0;
    json_t *json = got ? json_loads(line, 0, NULL) : NULL;
    cr_assert(!got || json, "no JSON: %s", line);
    free(line);
    if (!got)
        return false;
    snprintf(name, 16, "%s", json_string_value(json_object_get(json, "event")));
    if (strcmp(name, "start") == 0)
        snprintf(run->key, sizeof(run->key), "%s", json_string_value(json_object_get(json, "key")));
    run->lines += strcmp(name, "line") == 0;
    if (strcmp(name, "done") == 0 || strcmp(name, "error") == 0) {
        json_decref(run->last);
        run->last = json;
    } else {
        json_decref(json);
    }
    return true;
}

bool rig_await(struct rig_run *run, const char *event)
{
    char name[16];
    while (take_event(run, name)) {
        if (strcmp(name, event) == 0)
            return true;
    }
    return false;
}

void rig_finish(struct rig_run *run)
{
    char name[16];
    int status;
    while (take_event(run, name))
        ;
    fclose(run->output);
    while (waitpid(run->pid, &status, 0) < 0)
        ;
    run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void rig_run_done(struct rig_run *run)
{
    json_decref(run->last);
    *run = (struct rig_run){0};
}

void rig_build(const struct rig *rig, struct rig_run *run, const char *store, const char *source, const char *options)
{
    rig_start(rig, run, store, source, options);
    rig_finish(run);
    rig_expect_nothing_left(rig);
}

const char *rig_text(const struct rig_run *run, const char *key)
{
    const char *text = json_string_value(json_object_get(run->last, key));
    return text ? text : "";
}

bool rig_is_reused(const struct rig_run *run)
{
    return json_is_true(json_object_get(run->last, "reused"));
}

static void show(const struct rig_run *run)
{
    char *text = run->last ? json_dumps(run->last, JSON_INDENT(2)) : NULL;
    fprintf(stderr, "exit status %d, event %s\n", run->status, text ? text : "none");
    free(text);
}

bool rig_is_done(const struct rig_run *run)
{
    const bool is = run->status == 0 && strcmp(rig_text(run, "event"), "done") == 0;
    if (!is)
        show(run);
    return is;
}

bool rig_failed(const struct rig_run *run, enum drover_status status, int exit_status, const char *text)
{
    const bool is = run->status == exit_status && strcmp(rig_text(run, "event"), "error") == 0 &&
                    strcmp(rig_text(run, "status"), drover_status_name(status)) == 0 &&
                    strstr(rig_text(run, "message"), text);
    if (!is)
        show(run);
    return is;
}

bool rig_has_sandbox(const struct rig *rig)
{
    struct rig_run run;
    rig_copy_fixture(rig, "plain-driver", "probe");
    rig_build(rig, &run, "probe-store", "probe", "--sandbox required");
    const bool has = run.status == 0;
    if (!has)
        show(&run);
    rig_run_done(&run);
    return has;
}

/* How many processes are there whose environment names the rig's folder? */
static unsigned count_processes(const struct rig *rig)
{
    unsigned count = 0;
    DIR *stream = opendir("/proc");
    const struct dirent *entry;
    while (stream && (entry = readdir(stream)) != NULL) {
        char path[300], *text = NULL;
        size_t size = 0;
        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
        if (sys_read_file(path, 1u << 20, &text, &size, NULL) == DROVER_OK)
            count += memmem(text, size, rig->folder, strlen(rig->folder)) != NULL;
        free(text);
    }
    if (stream)
        closedir(stream);
    return count;
}

void rig_expect_nothing_left(const struct rig *rig)
{
    cr_expect_eq(count_processes(rig), 0, "a process of the build is left");
}
