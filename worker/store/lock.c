/* lock.c - locks by name, and on entries
 *
 * A lock is the flock(2) of an open file: it ends with its holder, however that ends. The kernel cannot wait for one
 * until a point in time, so it is asked again and again, ever less often.
 *
 * Files in locks/ may be removed by store_sweep() while they are locked by it. So who has got a lock looks whether the
 * file is still the one of that name, and begins anew if not. The same goes for entries that are removed or replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/store/state.h"

#define PAUSE_MIN_MS 1
#define PAUSE_MAX_MS 50
#define NAME_MAX_SIZE 100

static void pause_ms(uint64_t ms)
{
    const struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

static bool is_same_file(int file, const char *path)
{
    struct stat here, there;
    return fstat(file, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* Open `path` and lock it. 0 or an errno; EWOULDBLOCK when somebody has it, or had it until now. */
static int try_lock(const struct store *store, const char *path, int flags, int operation, int *ret_file)
{
    int file = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return errno;
    store_step(store, "open lock");
    int code = flock(file, operation | LOCK_NB) == 0 ? 0 : errno;
    if (code == 0 && !is_same_file(file, path))
        code = EWOULDBLOCK;
    if (code == 0)
        *ret_file = file;
    else
        close(file);
    return code;
}

/* try_lock() until `deadline_ms`. */
static int wait_for_lock(const struct store *store, const char *path, int flags, int operation, uint64_t deadline_ms,
                         int *ret_file)
{
    uint64_t pause = PAUSE_MIN_MS;
    for (;;) {
        int code = try_lock(store, path, flags, operation, ret_file);
        uint64_t now = sys_now_ms();
        if ((code != EWOULDBLOCK && code != EINTR) || now >= deadline_ms)
            return code;
        pause_ms(pause < deadline_ms - now ? pause : deadline_ms - now);
        pause = pause < PAUSE_MAX_MS / 2 ? 2 * pause : PAUSE_MAX_MS;
    }
}

static enum drover_status new_lock(int file, struct store_lock **ret, struct drover_error *error)
{
    struct store_lock *lock = malloc(sizeof *lock);
    if (!lock) {
        close(file);
        return store_no_memory(error);
    }
    lock->file = file;
    *ret = lock;
    return DROVER_OK;
}

static bool is_lock_name(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t size = strlen(name);
    return size > 0 && size <= NAME_MAX_SIZE && name[0] != '.' && strspn(name, good) == size;
}

enum drover_status store_lock(const struct store *store, const char *name, uint64_t deadline_ms,
                              struct store_lock **ret, struct drover_error *error)
{
    if (!is_lock_name(name))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "store: '%s' is no name of a lock", name);
    char *path = store_below(store, "locks/%s.lock", name);
    if (!path)
        return store_no_memory(error);
    int file = -1;
    enum drover_status status = DROVER_OK;
    int code = wait_for_lock(store, path, O_RDWR | O_CREAT, LOCK_EX, deadline_ms, &file);
    if (code == EWOULDBLOCK || code == EINTR)
        status = drover_error_set(error, DROVER_DEADLINE_EXCEEDED, "lock '%s': another process has it", path);
    else if (code != 0)
        status = store_fail(error, code, "lock '%s'", path);
    free(path);
    return status == DROVER_OK ? new_lock(file, ret, error) : status;
}

enum drover_status store_hold(const struct store *store, enum store_kind kind, const char *name,
                              struct store_lock **ret, struct drover_error *error)
{
    /* An entry that is locked by another is being removed: it is as good as gone. */
    int file = -1, code = ENOENT;
    char *path = store_path(store, kind, name);
    if (!path)
        return store_no_memory(error);
    if (store_is_name(name))
        code = wait_for_lock(store, path, O_RDONLY | O_NONBLOCK, LOCK_SH, STORE_NO_DEADLINE, &file);
    if (code == 0)
        (void)futimens(file, NULL); /* when it was used decides what goes first, nothing else */
    enum drover_status status = DROVER_OK;
    if (code == ENOENT)
        status = drover_error_set(error, DROVER_NOT_FOUND, "store: %s '%s' is not in it", store_kind_name(kind), name);
    else if (code != 0)
        status = store_fail(error, code, "store: %s '%s'", store_kind_name(kind), path);
    free(path);
    return status == DROVER_OK ? new_lock(file, ret, error) : status;
}

struct store_lock *store_unlock(struct store_lock *lock)
{
    if (lock) {
        close(lock->file);
        free(lock);
    }
    return NULL;
}
