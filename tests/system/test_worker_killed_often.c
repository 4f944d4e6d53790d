/* test_worker_killed_often.c - 200 kills in a row leave no zombie, no descriptor and no memory behind */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"
#include "tests/support/family.h"

#define WARM_UP 20
#define KILLS 200
#define DESCRIPTOR_SLACK 2
#define MEMORY_SLACK_KIB 1024

static struct broker_rig rig;
static struct caller caller;

/* What the broker holds. */
struct holdings {
    size_t descriptors, zombies;
    long memory_kib;
};

static void broker_path(char path[64], const char *name)
{
    snprintf(path, 64, "/proc/%d/%s", (int)rig.pid, name);
}

static size_t count_descriptors(void)
{
    char path[64];
    size_t count = 0;
    const struct dirent *entry;

    broker_path(path, "fd");
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static long read_memory_kib(void)
{
    char path[64];
    long size = 0, resident = 0;

    broker_path(path, "statm");
    FILE *file = fopen(path, "re");
    cr_assert(file != NULL && fscanf(file, "%ld %ld", &size, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Parent and state stand behind the name, which is in parentheses. */
static bool is_zombie_of_broker(const char *pid)
{
    char path[288], line[512] = "";
    char state = 0;
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const char *got = fgets(line, sizeof(line), file);
    fclose(file);
    const char *behind = got != NULL ? strrchr(line, ')') : NULL;
    return behind != NULL && sscanf(behind, ") %c %d", &state, &parent) == 2 && state == 'Z' && parent == (int)rig.pid;
}

static size_t count_zombies(void)
{
    DIR *proc = opendir("/proc");
    size_t count = 0;
    const struct dirent *entry;

    while (proc != NULL && (entry = readdir(proc)) != NULL)
        count += isdigit((unsigned char)entry->d_name[0]) && is_zombie_of_broker(entry->d_name);
    if (proc != NULL)
        closedir(proc);
    return count;
}

static struct holdings look(void)
{
    return (struct holdings){
        .descriptors = count_descriptors(), .zombies = count_zombies(), .memory_kib = read_memory_kib()};
}

/* Kill the worker `count` times; each time the next one answers. */
static void kill_in_a_row(size_t count)
{
    pid_t pid = caller_ask_pid(&caller, "echo");

    for (size_t i = 0; i < count; i++) {
        const pid_t killed = pid;
        cr_assert_eq(kill(killed, SIGKILL), 0);
        pid = caller_ask_pid(&caller, "echo");
        cr_assert_neq(pid, killed, "a dead worker has answered");
    }
}

Test(worker_killed_often, leaves_nothing_behind)
{
    struct broker_rig_service service;
    broker_rig_init(&rig, "  echo: {driver: echo, restart: {min: 10ms}}");
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);

    kill_in_a_row(WARM_UP);
    broker_rig_await_state(&rig, "echo", "ready", &service);
    const struct holdings before = look();
    const uint64_t start_us = sys_now_us();
    kill_in_a_row(KILLS);
    const double ms = (double)(sys_now_us() - start_us) / 1000;
    broker_rig_await_state(&rig, "echo", "ready", &service);
    const struct holdings after = look();

    printf("%d kills, %.0f ms each until the next worker has answered; descriptors %zu -> %zu, memory %ld -> %ld KiB\n",
           KILLS, ms / KILLS, before.descriptors, after.descriptors, before.memory_kib, after.memory_kib);
    cr_expect_eq(after.zombies, 0);
    cr_expect_leq(after.descriptors, before.descriptors + DESCRIPTOR_SLACK);
    if (!broker_rig_is_sanitized())
        cr_expect_leq(after.memory_kib, before.memory_kib + MEMORY_SLACK_KIB);
    cr_expect_eq(service.workers[0].restarts, WARM_UP + KILLS);
    cr_expect(strstr(service.last_error, "was killed by SIGKILL") != NULL, "%s", service.last_error);
    caller_done(&caller);
    broker_rig_done(&rig);
}
