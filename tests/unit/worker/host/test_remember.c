/* test_remember.c - what services remember on disk: whole, wherever a process or the disk's room ends */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/host/remember.h"
#include "worker/rollout/stable.h"
#include "worker/store/walk.h"

#define CALLS_MAX 4096 /* system calls of one save, which has some twenty */
#define NO_TRACING 200 /* exit status of a child that may not be traced */
#define STOP_NOWHERE 0

static char top[64], folder[80];
static struct drover_error error;

static void set_up(void)
{
    strcpy(top, "/tmp/drover-remember-XXXXXX");
    cr_assert_not_null(mkdtemp(top));
    snprintf(folder, sizeof(folder), "%s/versions", top);
}

static void tear_down(void)
{
    cr_expect_eq(walk_remove(AT_FDCWD, top), 0);
}

TestSuite(remember, .init = set_up, .fini = tear_down, .timeout = 60);

static struct rollout_version version_of(unsigned char octet)
{
    struct rollout_version version;
    memset(&version.source, octet, sizeof(version.source));
    memset(&version.artefact, octet + 1, sizeof(version.artefact));
    memset(&version.configuration, octet + 2, sizeof(version.configuration));
    return version;
}

/* One that has `octet` for its mark, so that an old one and a new one differ in every line. */
static struct rollout_memory memory_of(unsigned char octet)
{
    struct rollout_memory memory = {.stable_count = 0};
    for (unsigned char i = 0; i < ROLLOUT_STABLE_MAX; i++) {
        const struct rollout_version version = version_of((unsigned char)(octet + 8 * i));
        rollout_memory_mark(&memory, &version);
    }
    for (unsigned char i = 0; i < ROLLOUT_QUARANTINE_MAX; i++) {
        const struct rollout_version version = version_of((unsigned char)(octet + i + 100));
        rollout_memory_quarantine(&memory, &version, i % 2 == 0, "died before it was ready: signal 11");
    }
    return memory;
}

static const char *at(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "we");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static bool holds(const char *name, const char *text)
{
    char buffer[256] = "";
    FILE *file = fopen(at(name), "re");
    if (file == NULL)
        return false;
    const size_t size = fread(buffer, 1, sizeof(buffer) - 1, file);
    fclose(file);
    return size == strlen(text) && strcmp(buffer, text) == 0;
}

static unsigned mode_of(const char *path)
{
    struct stat about;
    cr_assert_eq(lstat(path, &about), 0, "%s", path);
    return about.st_mode & 07777;
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *stream = opendir(folder);
    cr_assert_not_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static void save(const char *service, const struct rollout_memory *memory)
{
    cr_assert_eq(remember_save(folder, service, memory, &error), DROVER_OK, "%s", error.text);
}

static struct rollout_memory load(const char *service)
{
    struct rollout_memory memory;
    cr_assert_eq(remember_load(folder, service, &memory, &error), DROVER_OK, "%s", error.text);
    return memory;
}

/* By their texts: structures may have holes. */
static bool are_equal(const struct rollout_memory *a, const struct rollout_memory *b)
{
    char *first = stable_write(a), *second = stable_write(b);
    cr_assert(first != NULL && second != NULL);
    const bool equal = strcmp(first, second) == 0;
    free(first);
    free(second);
    return equal;
}

static void expect_says(const char *words)
{
    cr_expect_not_null(strstr(error.text, words), "'%s' is not in: %s", words, error.text);
    cr_expect_null(strchr(error.text, '\n'));
}

static void expect_nothing(const struct rollout_memory *memory)
{
    cr_expect_eq(memory->stable_count, 0);
    cr_expect_eq(memory->quarantine_count, 0);
}

Test(remember, is_nothing_without_a_file_or_a_folder)
{
    struct rollout_memory memory = load("echo");
    expect_nothing(&memory);
    cr_assert_eq(mkdir(folder, 0700), 0);
    memory = load("echo");
    expect_nothing(&memory);
    cr_expect_eq(count_files(), 0);
}

Test(remember, gives_back_what_was_saved_to_its_service)
{
    const struct rollout_memory first = memory_of(1), second = memory_of(2);
    save("first", &first);
    save("2nd-_x", &second);
    const struct rollout_memory got = load("first"), other = load("2nd-_x");
    cr_expect(are_equal(&got, &first));
    cr_expect(are_equal(&other, &second));
    cr_expect_eq(count_files(), 2, "nothing else is left");
}

Test(remember, is_for_its_owner_alone)
{
    const struct rollout_memory memory = memory_of(1);
    const mode_t mask = umask(0);
    save("echo", &memory);
    umask(mask);
    cr_expect_eq(mode_of(folder), 0700);
    cr_expect_eq(mode_of(at("echo")), 0600);
}

Test(remember, keeps_beside_what_it_does_not_understand)
{
    struct rollout_memory memory = memory_of(1);
    const struct rollout_memory fresh = memory_of(2);
    cr_assert_eq(mkdir(folder, 0700), 0);
    put("echo", "drover-rollout 1\nstabel 00\nend\n");
    cr_expect_eq(remember_load(folder, "echo", &memory, &error), DROVER_INVALID_ARGUMENT);
    expect_says("/versions/echo:2:1: 'stabel 00'");
    expect_says("kept as 'echo.bad'");
    expect_nothing(&memory);
    save("echo", &fresh);
    memory = load("echo");
    cr_expect(are_equal(&memory, &fresh));
    cr_expect(holds("echo.bad", "drover-rollout 1\nstabel 00\nend\n"));
}

Test(remember, says_why_what_it_does_not_understand_is_not_kept)
{
    struct rollout_memory memory;
    cr_assert_eq(mkdir(folder, 0700), 0);
    put("echo", "");
    cr_assert_eq(mkdir(at("echo.bad"), 0700), 0);
    cr_expect_eq(remember_load(folder, "echo", &memory, &error), DROVER_INVALID_ARGUMENT);
    expect_says("cannot be kept as 'echo.bad': Is a directory");
    expect_nothing(&memory);
}

Test(remember, does_not_read_a_file_beyond_all_measure)
{
    struct rollout_memory memory;
    cr_assert_eq(mkdir(folder, 0700), 0);
    put("echo", "drover-rollout 1\nend\n");
    cr_assert_eq(truncate(at("echo"), STABLE_SIZE_MAX + 1), 0);
    cr_expect_eq(remember_load(folder, "echo", &memory, &error), DROVER_RESOURCE_EXHAUSTED);
    expect_says("larger than");
    expect_nothing(&memory);
}

Test(remember, moves_aside_even_a_folder_in_its_place)
{
    struct rollout_memory memory = memory_of(1);
    cr_assert_eq(mkdir(folder, 0700), 0);
    cr_assert_eq(mkdir(at("echo"), 0700), 0);
    cr_expect_neq(remember_load(folder, "echo", &memory, &error), DROVER_OK);
    expect_says("/versions/echo': is a directory");
    expect_nothing(&memory);
    memory = memory_of(1);
    save("echo", &memory);
    memory = load("echo");
    cr_expect_eq(memory.stable_count, ROLLOUT_STABLE_MAX);
}

Test(remember, writes_over_what_a_killed_process_has_left)
{
    const struct rollout_memory memory = memory_of(1);
    cr_assert_eq(mkdir(folder, 0700), 0);
    put("echo.new", "drover-roll");
    const struct rollout_memory before = load("echo");
    expect_nothing(&before);
    save("echo", &memory);
    const struct rollout_memory after = load("echo");
    cr_expect(are_equal(&after, &memory));
    cr_expect_eq(count_files(), 1);
}

Test(remember, forgets_one_service_and_not_the_others)
{
    const struct rollout_memory memory = memory_of(1);
    save("echo", &memory);
    save("other", &memory);
    put("echo.new", "drover-roll");
    cr_expect_eq(remember_forget(folder, "echo", &error), DROVER_OK, "%s", error.text);
    cr_expect_eq(remember_forget(folder, "echo", &error), DROVER_OK, "%s", error.text);
    const struct rollout_memory gone = load("echo"), left = load("other");
    expect_nothing(&gone);
    cr_expect(are_equal(&left, &memory));
    cr_expect_eq(count_files(), 1);
}

Test(remember, forgets_where_there_is_no_folder)
{
    cr_expect_eq(remember_forget(folder, "echo", &error), DROVER_OK, "%s", error.text);
}

Test(remember, refuses_names_that_lead_elsewhere)
{
    static const char *const names[] = {"", ".", "..", "../x", "a/b", "echo.bad"};
    struct rollout_memory memory = memory_of(1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_expect_eq(remember_save(folder, names[i], &memory, &error), DROVER_INVALID_ARGUMENT, "%s", names[i]);
        cr_expect_eq(remember_forget(folder, names[i], &error), DROVER_INVALID_ARGUMENT, "%s", names[i]);
        struct rollout_memory got = memory;
        cr_expect_eq(remember_load(folder, names[i], &got, &error), DROVER_INVALID_ARGUMENT, "%s", names[i]);
        expect_nothing(&got);
        expect_says("its name must not be empty");
    }
    cr_expect_eq(access(folder, F_OK), -1, "no folder was made");
}

Test(remember, says_that_there_is_no_place_for_the_folder)
{
    const struct rollout_memory memory = memory_of(1);
    char nowhere[96];
    snprintf(nowhere, sizeof(nowhere), "%s/no/where", top);
    cr_expect_eq(remember_save(nowhere, "echo", &memory, &error), DROVER_NOT_FOUND);
    expect_says("/no/where/echo': cannot be written: No such file");
}

/* --- a disk that is full, or read-only -----------------------------------------------------------------------------
 */

/* Nobody but root may mount. */
static void mount_small(void)
{
    cr_assert_eq(mkdir(folder, 0700), 0);
    if (mount("none", folder, "tmpfs", 0, "size=64k,mode=0700") != 0)
        cr_skip_test("no right to mount a small disk");
}

static void fill_up(void)
{
    static const char block[4096];
    const int file = open(at("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    for (int i = 0; i < 64 && write(file, block, sizeof(block)) > 0; i++)
        continue;
    cr_assert_eq(write(file, block, sizeof(block)), -1);
    cr_assert_eq(errno, ENOSPC);
    close(file);
}

static void expect_old(const struct rollout_memory *old)
{
    const struct rollout_memory got = load("echo");
    cr_expect(are_equal(&got, old));
}

Test(remember, keeps_the_old_when_the_disk_is_full)
{
    const struct rollout_memory old = memory_of(1), fresh = memory_of(2);
    mount_small();
    save("echo", &old);
    fill_up();
    cr_expect_eq(remember_save(folder, "echo", &fresh, &error), DROVER_RESOURCE_EXHAUSTED);
    expect_says("/versions/echo': cannot be written: No space left");
    cr_expect_eq(count_files(), 2, "the part that was written is gone");
    expect_old(&old);
    cr_assert_eq(unlink(at("filler")), 0);
    save("echo", &fresh);
    expect_old(&fresh);
    cr_expect_eq(umount(folder), 0);
}

Test(remember, keeps_the_old_when_the_disk_is_read_only)
{
    const struct rollout_memory old = memory_of(1), fresh = memory_of(2);
    mount_small();
    save("echo", &old);
    put("bad", "what?\n");
    cr_assert_eq(mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    cr_expect_eq(remember_save(folder, "echo", &fresh, &error), DROVER_PERMISSION_DENIED);
    expect_says("Read-only");
    cr_expect_eq(remember_forget(folder, "echo", &error), DROVER_PERMISSION_DENIED);
    expect_old(&old);
    struct rollout_memory memory;
    cr_expect_eq(remember_load(folder, "bad", &memory, &error), DROVER_INVALID_ARGUMENT);
    expect_says("cannot be kept as 'bad.bad': Read-only");
    cr_expect_eq(umount(folder), 0);
}

/* --- killed --------------------------------------------------------------------------------------------------------
 */

/* The system calls of one save, as they were begun. */
static struct {
    unsigned long numbers[CALLS_MAX];
    unsigned count;
} calls;

static pid_t begin_save(const struct rollout_memory *memory)
{
    const pid_t child = fork();
    if (child == 0) {
        struct drover_error its;
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
            _exit(NO_TRACING);
        _exit(remember_save(folder, "echo", memory, &its) == DROVER_OK ? 0 : 1);
    }
    return child;
}

/* Let it run up to the next system call that it begins. False when it has ended. */
static bool go_on(pid_t child, int *how)
{
    struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
    do {
        if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0 || waitpid(child, how, 0) != child || !WIFSTOPPED(*how))
            return false;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0)
            return false;
    } while (info.op != PTRACE_SYSCALL_INFO_ENTRY);
    cr_assert_lt(calls.count, CALLS_MAX);
    calls.numbers[calls.count++] = (unsigned long)info.entry.nr;
    return true;
}

/* Save in another process and kill that before it does its system call number `last` (from 1 on; STOP_NOWHERE: let it
 * end). True when it was killed. */
static bool save_and_die(const struct rollout_memory *memory, unsigned last)
{
    int how = 0;
    calls.count = 0;
    const pid_t child = begin_save(memory);
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &how, 0), child);
    if (!WIFSTOPPED(how))
        cr_skip_test("no right to trace a process");
    cr_assert_eq(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    while (go_on(child, &how))
        if (calls.count == last) {
            cr_assert_eq(kill(child, SIGKILL), 0);
            cr_assert_eq(waitpid(child, &how, 0), child);
            return true;
        }
    cr_assert(WIFEXITED(how), "status %x", (unsigned)how);
    cr_assert_eq(WEXITSTATUS(how), 0);
    return false;
}

Test(remember, is_the_old_or_the_new_wherever_a_save_is_killed)
{
    const struct rollout_memory old = memory_of(1), fresh = memory_of(2);
    unsigned olds = 0, news = 0;
    save("echo", &old);
    for (unsigned last = 1; save_and_die(&fresh, last); last++) {
        const struct rollout_memory got = load("echo");
        const bool is_new = are_equal(&got, &fresh);
        cr_assert(is_new || are_equal(&got, &old), "killed before system call %u of it", last);
        olds += !is_new;
        news += is_new;
        save("echo", &old);
        cr_assert_eq(count_files(), 1);
    }
    cr_expect_gt(olds, 3, "open, write, fsync, rename");
    cr_expect_gt(news, 1, "open, fsync");
}

Test(remember, is_whole_or_absent_wherever_the_first_save_is_killed)
{
    const struct rollout_memory memory = memory_of(1);
    for (unsigned last = 1; save_and_die(&memory, last); last++) {
        const struct rollout_memory got = load("echo");
        cr_assert(got.stable_count == 0 || are_equal(&got, &memory), "killed before system call %u of it", last);
        cr_assert_eq(walk_remove(AT_FDCWD, folder), 0);
    }
}

/* Where `number` stands for the first time from `from` on; calls.count when it does not. */
static unsigned find_call(unsigned from, unsigned long number)
{
    while (from < calls.count && calls.numbers[from] != number)
        from++;
    return from;
}

Test(remember, brings_the_bytes_to_the_disk_before_the_name_and_then_the_name)
{
    const struct rollout_memory memory = memory_of(1);
    save("echo", &memory);
    cr_assert_not(save_and_die(&memory, STOP_NOWHERE));
    const unsigned written = find_call(0, SYS_write), synced = find_call(written, SYS_fsync);
#ifdef SYS_rename
    const unsigned renamed = find_call(0, SYS_rename);
#else
    const unsigned renamed = find_call(0, SYS_renameat);
#endif
    cr_expect_lt(written, synced);
    cr_expect_lt(synced, renamed);
    cr_expect_lt(renamed, calls.count);
    cr_expect_lt(find_call(renamed, SYS_fsync), calls.count, "of the folder");
}
