/* single.c - see single.h */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/io/single.h"

#define ROUNDS 25 /* a second in all */
#define ROUND_MS 40

static void read_owner(int descriptor, char *owner, size_t size)
{
    const ssize_t length = pread(descriptor, owner, size - 1, 0);
    owner[length > 0 ? length : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
}

static void write_owner(int descriptor)
{
    char owner[32];
    const int length = snprintf(owner, sizeof(owner), "%ld\n", (long)getpid());
    if (ftruncate(descriptor, 0) == 0)
        (void)!pwrite(descriptor, owner, (size_t)length, 0); /* for messages only: the lock itself is what counts */
}

/* A broker that was just killed holds its locks until the kernel has taken it apart. */
static bool lock(int descriptor)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            return true;
        (void)poll(NULL, 0, ROUND_MS);
    }
    return false;
}

enum drover_status single_lock(const char *path, struct drover_error *error)
{
    const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return drover_error_set(error, DROVER_PERMISSION_DENIED, "lock file '%s' cannot be opened: %s", path,
                                strerror(errno));
    if (!lock(descriptor)) {
        char owner[32];
        read_owner(descriptor, owner, sizeof(owner));
        close(descriptor);
        return drover_error_set(error, DROVER_ALREADY_EXISTS,
                                "another drover-broker (process %s) holds '%s': stop it, or use another path", owner,
                                path);
    }
    write_owner(descriptor);
    return DROVER_OK; /* the descriptor stays open for the life of the process: it is the lock */
}

enum drover_status single_make_folder(const char *path, unsigned mode, struct drover_error *error)
{
    struct stat stat_buffer;
    if (mkdir(path, mode) == 0)
        return DROVER_OK;
    if (errno == EEXIST && stat(path, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode))
        return DROVER_OK;
    return drover_error_set(error, DROVER_PERMISSION_DENIED, "folder '%s' cannot be made: %s", path, strerror(errno));
}
