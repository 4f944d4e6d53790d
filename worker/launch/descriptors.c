/* descriptors.c - see descriptors.h */
#include "worker/launch/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX (OPTION_LIST_MAX + 2)

static int compare(const void *left, const void *right)
{
    const int a = *(const int *)left, b = *(const int *)right;

    return (a > b) - (a < b);
}

/* Sorted; those that are not used are negative. */
static size_t list_kept(const struct settings *settings, const struct sealed *sealed, int kept[KEPT_MAX])
{
    size_t count = settings->keep_count;

    memcpy(kept, settings->keep, count * sizeof(kept[0]));
    kept[count++] = settings->report_fd;
    kept[count++] = sealed->fd;
    qsort(kept, count, sizeof(kept[0]), compare);
    return count;
}

/* Standard streams always stay, whatever else they are used for. */
static bool set_close_on_exec(int fd, bool closes)
{
    return fd < 0 || fcntl(fd, F_SETFD, closes && fd > STDERR_FILENO ? FD_CLOEXEC : 0) == 0;
}

/* Close `first` to `last`, if there are any. */
static bool close_between(unsigned first, unsigned last)
{
    return first > last || close_range(first, last, 0) == 0;
}

enum drover_status descriptors_enforce(const struct settings *settings, const struct sealed *sealed,
                                       struct drover_error *error)
{
    int kept[KEPT_MAX];
    const size_t count = list_kept(settings, sealed, kept);
    unsigned next = STDERR_FILENO + 1;

    for (size_t i = 0; i < count; i++) {
        if (!set_close_on_exec(kept[i], false))
            return drover_error_set(error, DROVER_INVALID_ARGUMENT, "descriptor %d is to be kept, but is not open",
                                    kept[i]);
        if (kept[i] < (int)next)
            continue;
        if (!close_between(next, (unsigned)kept[i] - 1))
            goto fail;
        next = (unsigned)kept[i] + 1;
    }
    if (close_between(next, ~0U) && set_close_on_exec(settings->report_fd, true) &&
        set_close_on_exec(sealed->fd, !sealed->stays))
        return DROVER_OK;
fail:
    return drover_error_set(error, DROVER_INTERNAL, "cannot close descriptors: %s", strerror(errno));
}
