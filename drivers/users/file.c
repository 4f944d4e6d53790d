/* file.c - reading until the end, whatever fstat said of the size */
#include "drivers/users/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was read so far. */
struct bytes {
    char *data;
    size_t size, room;
};

static enum drover_status no_memory(const char *path, struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for users file '%s'", path);
}

/* Make room for one byte more, and for the NUL. */
static enum drover_status grow(struct bytes *bytes, const char *path, struct drover_error *error)
{
    size_t room = bytes->room * 2;

    if (room > FILE_SIZE_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "users file '%s': larger than 1 GiB", path);
    char *data = realloc(bytes->data, room);
    if (!data)
        return no_memory(path, error);
    bytes->data = data;
    bytes->room = room;
    return DROVER_OK;
}

static enum drover_status read_descriptor(int fd, const char *path, struct bytes *bytes, struct drover_error *error)
{
    for (;;) {
        if (bytes->size + 1 == bytes->room) {
            enum drover_status status = grow(bytes, path, error);
            if (status != DROVER_OK)
                return status;
        }
        ssize_t got = read(fd, bytes->data + bytes->size, bytes->room - bytes->size - 1);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return drover_error_set(error, DROVER_INVALID_ARGUMENT, "users file '%s': %s", path, strerror(errno));
        bytes->size += got > 0 ? (size_t)got : 0;
    }
    bytes->data[bytes->size] = '\0';
    return DROVER_OK;
}

enum drover_status file_read(const char *path, char **ret_data, size_t *ret_size, struct drover_error *error)
{
    struct bytes bytes = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "users file '%s': %s", path, strerror(errno));
    /* The size is a hint only: with it one read gets all, and one more finds the end. */
    bytes.room =
        fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size < FILE_SIZE_MAX ? (size_t)st.st_size + 2 : 4096;
    bytes.data = malloc(bytes.room);
    enum drover_status status = bytes.data ? read_descriptor(fd, path, &bytes, error) : no_memory(path, error);
    close(fd);
    if (status != DROVER_OK) {
        free(bytes.data);
        return status;
    }
    *ret_data = bytes.data;
    *ret_size = bytes.size;
    return DROVER_OK;
}
