/* sandbox_rig.c - see sandbox_rig.h */
#include "tests/system/sandbox/sandbox_rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/launch/landlock.h"

#define PATIENCE_MS 50000
#define END_PATIENCE_MS 20000
#define PROGRAM_MAX ((size_t)64 << 20)
#define PATHS_MAX 128

struct rig rig;
static char *paths[PATHS_MAX];
static size_t path_count;

#define must(condition) cr_assert(condition, "rig: %s: %s", #condition, strerror(errno))

const char *rig_path(const char *name)
{
    must(path_count < PATHS_MAX);
    must(asprintf(&paths[path_count], "%s/%s", rig.folder, name) > 0);
    return paths[path_count++];
}

static void give_away(const char *path)
{
    must(!rig.is_root || lchown(path, SANDBOX_NOBODY, SANDBOX_NOBODY) == 0);
}

static void write_file(const char *path, const void *data, size_t size, mode_t mode)
{
    (void)unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    must(fd >= 0);
    must(write(fd, data, size) == (ssize_t)size);
    must(fchmod(fd, mode) == 0);
    close(fd);
}

void rig_write(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", rig.folder, name);
    write_file(path, text, strlen(text), 0600);
    give_away(path);
}

static void copy_program(const char *from, const char *name, mode_t mode)
{
    struct drover_error error = {0};
    char *data = NULL;
    size_t size = 0;

    cr_assert_eq(sys_read_file(from, PROGRAM_MAX, &data, &size, &error), DROVER_OK, "rig: %s", error.text);
    write_file(rig_path(name), data, size, mode);
    free(data);
}

static void make_folder(const char *name, mode_t mode)
{
    const char *path = rig_path(name);

    must(mkdir(path, mode) == 0);
    must(chmod(path, mode) == 0);
    give_away(path);
}

void rig_init(void)
{
    snprintf(rig.folder, sizeof(rig.folder), "/tmp/drover-sandbox-XXXXXX");
    must(mkdtemp(rig.folder) != NULL);
    must(chmod(rig.folder, 0755) == 0);
    rig.is_root = geteuid() == 0;
    make_folder("mine", 0700);
    make_folder("other", 0700);
    make_folder("outside", 0777);
    write_file(rig_path("key"), "a secret of the broker\n", 23, 0600);
    copy_program(DROVER_BINARY_DIR "/bin/drover-launch", "launch", 0755);
    copy_program(DROVER_BINARY_DIR "/tests/sandbox_escape", "escape", 0755);
    if (rig.is_root)
        copy_program(DROVER_BINARY_DIR "/tests/sandbox_escape", "setuid", 04755);
}

void rig_done(void)
{
    char *line = NULL;

    must(asprintf(&line, "rm -rf '%s'", rig.folder) > 0);
    must(system(line) == 0); /* NOLINT: the folder is the test's own */
    free(line);
    while (path_count > 0)
        free(paths[--path_count]);
}

/* What an attempt may have changed is as it was. */
static void reset_files(void)
{
    char path[128];

    rig_write("other/file", "another driver's\n");
    snprintf(path, sizeof(path), "%s/outside/note", rig.folder);
    write_file(path, "a note\n", 7, 0666);
}

void rig_needs_landlock(unsigned abi)
{
    if (landlock_abi() < abi)
        rig_skip("this needs Landlock ABI %u, the kernel has %u", abi, landlock_abi());
}

/* --- processes -----------------------------------------------------------------------------------------------------
 */

static _Noreturn void become(enum who who, const char *const *words, int input, int output)
{
    const bool changes = who == AS_NOBODY && rig.is_root;

    (void)setpgid(0, 0);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 ||
        chdir(rig.folder) != 0)
        _exit(RIG_SIGNALLED - 1);
    if (changes && (setgroups(0, NULL) != 0 || setresgid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) != 0 ||
                    setresuid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) != 0))
        _exit(RIG_SIGNALLED - 1);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0)
        execv(words[0], (char *const *)(uintptr_t)words);
    _exit(RIG_SIGNALLED - 1);
}

static pid_t start(enum who who, const char *const *words, int input, int output)
{
    const pid_t pid = fork();

    must(pid >= 0);
    if (pid == 0)
        become(who, words, input, output);
    return pid;
}

/* Read until the end of file or the deadline; what does not fit is dropped. */
static bool read_all(int fd, char *buffer, size_t capacity, int patience_ms)
{
    const uint64_t deadline = sys_now_ms() + (uint64_t)patience_ms;
    char dropped[1024];
    size_t used = 0;

    for (;;) {
        const uint64_t now = sys_now_ms();
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (now >= deadline || poll(&poll_fd, 1, (int)(deadline - now)) < 1)
            return false;
        const bool fits = used + 1 < capacity;
        const ssize_t count = fits ? read(fd, buffer + used, capacity - used - 1) : read(fd, dropped, sizeof(dropped));
        if (count <= 0)
            return true;
        used += fits ? (size_t)count : 0;
        if (capacity > 0)
            buffer[used] = '\0';
    }
}

struct outcome rig_run(enum who who, const char *const *words)
{
    struct outcome outcome = {0};
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int ends[2], status = 0;

    reset_files();
    must(nothing >= 0 && pipe2(ends, O_CLOEXEC) == 0);
    const pid_t pid = start(who, words, nothing, ends[1]);
    close(ends[1]);
    const bool ended = read_all(ends[0], outcome.output, sizeof(outcome.output), PATIENCE_MS);
    if (!ended)
        (void)kill(-pid, SIGKILL);
    must(waitpid(pid, &status, 0) == pid);
    close(ends[0]);
    close(nothing);
    cr_assert(ended, "rig: %s %s did not end", words[0], words[1]);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : RIG_SIGNALLED + WTERMSIG(status);
    return outcome;
}

static struct outcome run_argv(enum who who, char **argv)
{
    const struct outcome outcome = rig_run(who, (const char *const *)argv);

    sandbox_argv_free(argv);
    return outcome;
}

struct outcome rig_run_worker(enum who who, const struct sandbox_worker *profile)
{
    struct drover_error error = {0};
    char **argv = NULL;

    cr_assert_eq(sandbox_worker_argv(profile, &argv, &error), DROVER_OK, "%s", error.text);
    return run_argv(who, argv);
}

struct outcome rig_run_compile(enum who who, const struct sandbox_compile *profile)
{
    struct drover_error error = {0};
    char **argv = NULL;

    cr_assert_eq(sandbox_compile_argv(profile, &argv, &error), DROVER_OK, "%s", error.text);
    return run_argv(who, argv);
}

/* --- attempts ------------------------------------------------------------------------------------------------------
 */

static struct sandbox_common common(void)
{
    return (struct sandbox_common){.launcher = rig_path("launch"), .policy = SANDBOX_REQUIRED, .report_fd = -1};
}

struct sandbox_worker rig_worker(void)
{
    return (struct sandbox_worker){.common = common(), .folder = rig_path("mine")};
}

struct sandbox_compile rig_compile(void)
{
    return (struct sandbox_compile){.common = common(), .folder = rig_path("mine")};
}

/* The command line of an attempt. */
static void list_words(const char *const *attempt, const char *words[RIG_ARGUMENTS_MAX])
{
    size_t count = 0;

    words[count++] = rig_path("escape");
    for (; *attempt != NULL; attempt++) {
        must(count + 1 < RIG_ARGUMENTS_MAX);
        words[count++] = *attempt;
    }
    words[count] = NULL;
}

static int last_user(void)
{
    return rig.is_root ? AS_NOBODY : AS_SELF;
}

void rig_refuses(const struct sandbox_worker *profile, const char *const *attempt)
{
    const char *words[RIG_ARGUMENTS_MAX];
    struct sandbox_worker shut = *profile;
    struct outcome open = {0};
    int shown = 0;

    list_words(attempt, words);
    shut.common.command = words;
    for (int who = AS_SELF; who <= last_user(); who++) {
        open = rig_run((enum who)who, words);
        shown += open.status == 0;
        const struct outcome inside = rig_run_worker((enum who)who, &shut);
        cr_expect(inside.status == RIG_REFUSED || inside.status >= RIG_SIGNALLED,
                  "%s was not refused (started by %s): status %d: %s", attempt[0],
                  who == AS_SELF ? "the test's user" : "nobody", inside.status, inside.output);
    }
    if (shown == 0)
        rig_skip("%s fails here without a sandbox, too: %s", attempt[0], open.output);
}

void rig_allows(const struct sandbox_worker *profile, const char *const *attempt)
{
    const char *words[RIG_ARGUMENTS_MAX];
    struct sandbox_worker shut = *profile;

    list_words(attempt, words);
    shut.common.command = words;
    for (int who = AS_SELF; who <= last_user(); who++) {
        const struct outcome inside = rig_run_worker((enum who)who, &shut);
        cr_expect_eq(inside.status, 0, "%s failed (started by %s): status %d: %s", attempt[0],
                     who == AS_SELF ? "the test's user" : "nobody", inside.status, inside.output);
    }
}

pid_t rig_start_victim(void)
{
    const char *const words[] = {rig_path("escape"), "wait", NULL};
    char text[8];
    int input[2], output[2];

    must(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
    const pid_t pid = start(AS_NOBODY, words, input[0], output[1]);
    close(output[1]);
    must(read(output[0], text, sizeof(text)) == (ssize_t)sizeof(text)); /* "running\n" is written at once */
    return pid;
}

bool rig_wait_for_end(int fd)
{
    return read_all(fd, NULL, 0, END_PATIENCE_MS);
}
