/* limits.c - see limits.h
 *
 * Memory: RLIMIT_DATA counts what a process can write to and has for itself, whether it uses it or not; RLIMIT_AS
 * counts libraries, reservations of allocators and shared memory as well, so it is set SHARED_BYTES higher, to bound
 * the last of them. Both are per process.
 *
 * Processes: RLIMIT_NPROC counts all that its user runs on this machine, so the limit given is added to what that is
 * now: a desktop of its user must not keep a driver from its threads.
 */
#include "worker/launch/limits.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/launch/sanitized.h"

#define LAYER_OF(limit) ((enum layer)(LAYER_MEMORY + (limit)))
#define SHARED_BYTES (UINT64_C(1) << 30)
#define LAST_SECONDS 1 /* between SIGXCPU, which can be caught, and SIGKILL */

#define LIMIT(NAME, option, resource, read, value, help) \
    _Static_assert((int)LAYER_##NAME == (int)LAYER_MEMORY + (int)LIMIT_##NAME, "layers.def has another order");
#include "worker/launch/limits.def"
#undef LIMIT

/* NOLINTNEXTLINE(bugprone-branch-clone): the type of the first parameter differs between C libraries */
static bool set_limit(int resource, uint64_t value)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
        return false;
    const rlim_t hard = resource == RLIMIT_CPU ? value + LAST_SECONDS : value;
    if (hard < limit.rlim_max)
        limit.rlim_max = hard;
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* The links of a process's folder `task` are its threads and two more. */
static uint64_t count_threads(int proc_fd, const char *process)
{
    char path[NAME_MAX + 6];
    struct stat tasks;

    (void)snprintf(path, sizeof(path), "%s/task", process);
    return fstatat(proc_fd, path, &tasks, 0) == 0 && tasks.st_nlink > 2 ? (uint64_t)tasks.st_nlink - 2 : 0;
}

uint64_t limits_count_tasks(uid_t uid)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    struct stat found;
    uint64_t count = 0;

    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            fstatat(dirfd(processes), entry->d_name, &found, 0) != 0 || found.st_uid != uid)
            continue;
        count += count_threads(dirfd(processes), entry->d_name);
    }
    if (processes != NULL)
        closedir(processes);
    return count;
}

/* Not always the first of the `count` ones that are allowed: other workers choose, too. */
static void choose(const cpu_set_t *allowed, unsigned count, unsigned wanted, cpu_set_t *ret)
{
    const unsigned first = (unsigned)getpid() % count;
    unsigned place = 0;

    CPU_ZERO(ret);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, allowed) && (place++ + count - first) % count < wanted)
            CPU_SET(i, ret);
}

void limits_choose_processors(const struct settings *settings, struct layers *layers)
{
    cpu_set_t allowed, chosen;

    if (settings->processors == 0)
        return;
    const bool is_known = sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
    const unsigned count = is_known ? (unsigned)CPU_COUNT(&allowed) : 0;
    const unsigned wanted = (unsigned)settings->processors < count ? (unsigned)settings->processors : count;
    if (is_known)
        choose(&allowed, count, wanted, &chosen);
    if (is_known && sched_setaffinity(0, sizeof(chosen), &chosen) == 0)
        layers_note(layers, LAYER_PROCESSORS, LAYER_HELD, "%u", wanted);
    else
        layers_note_failure(layers, LAYER_PROCESSORS, "sched_setaffinity");
}

/* Why a limit is not worth setting; NULL when it is. */
static const char *reason_against(enum limit limit, uint64_t tasks, enum layer_state *ret_state)
{
    *ret_state = LAYER_MISSING;
    if (limit == LIMIT_MEMORY && IS_SANITIZED) {
        *ret_state = LAYER_LEFT_OUT;
        return "built with a sanitizer, which reserves terabytes of address space";
    }
    if (limit == LIMIT_PROCESSES && getuid() == 0)
        return "the kernel does not count the processes of root; give it another user";
    if (limit == LIMIT_PROCESSES && tasks == 0 && access("/proc/self", F_OK) != 0)
        return "there is no /proc to count those of its user";
    return NULL;
}

static bool set_one(enum limit limit, uint64_t value, uint64_t tasks)
{
    static const int resources[LIMITS] = {
#define LIMIT(NAME, option, resource, read, value, help) [LIMIT_##NAME] = resource,
#include "worker/launch/limits.def"
#undef LIMIT
    };

    if (limit == LIMIT_PROCESSES)
        return set_limit(resources[limit], value + tasks);
    return set_limit(resources[limit], value) && (limit != LIMIT_MEMORY || set_limit(RLIMIT_AS, value + SHARED_BYTES));
}

void limits_enforce(const struct settings *settings, uint64_t tasks, struct layers *layers)
{
    if (set_limit(RLIMIT_CORE, 0))
        layers_note(layers, LAYER_CORE, LAYER_HELD, "0");
    else
        layers_note_failure(layers, LAYER_CORE, "setrlimit");
    for (int i = 0; i < LIMITS; i++) {
        const uint64_t value = settings->limits[i].value;
        enum layer_state state;
        if (!settings->limits[i].given)
            continue;
        const char *reason = reason_against((enum limit)i, tasks, &state);
        if (reason != NULL)
            layers_note(layers, LAYER_OF(i), state, "%s", reason);
        else if (set_one((enum limit)i, value, tasks))
            layers_note(layers, LAYER_OF(i), LAYER_HELD, "%" PRIu64, value);
        else
            layers_note_failure(layers, LAYER_OF(i), "setrlimit");
    }
}
