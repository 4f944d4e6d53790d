/* sealed.c - see sealed.h */
#include "worker/launch/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 16U
#endif

#define CHUNK_SIZE ((size_t)64 * 1024)
#define HASH_TEXT_SIZE (2 * crypto_hash_sha256_BYTES + 1)
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define NAME_SHOWN 200 /* of a memory file: the kernel takes 249 */

static enum drover_status refuse(const char *path, int code, struct drover_error *error)
{
    const enum drover_status status = code == ENOENT                     ? DROVER_NOT_FOUND
                                      : code == EACCES || code == EPERM  ? DROVER_PERMISSION_DENIED
                                      : code == ENOMEM || code == ENOSPC ? DROVER_RESOURCE_EXHAUSTED
                                                                         : DROVER_INTERNAL;
    return drover_error_set(error, status, "cannot start %.300s: %s", path, strerror(code));
}

/* Not to wait for whoever writes to a pipe of that name. */
static enum drover_status open_file(const char *path, bool is_program, int *ret_fd, struct drover_error *error)
{
    struct stat found;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return refuse(path, errno, error);
    const bool is_known = fstat(fd, &found) == 0;
    const int code = errno;
    if (is_known && S_ISREG(found.st_mode) && (!is_program || access(path, X_OK) == 0)) {
        *ret_fd = fd;
        return DROVER_OK;
    }
    close(fd);
    /* what execve() says to all of these */
    return refuse(path, is_known ? EACCES : code, error);
}

/* An empty memory file; its name is what lists of processes show. -1 and errno: EACCES where none may be executed. */
static int create_memory(const char *wanted, bool is_program)
{
    const char *slash = strrchr(wanted, '/');
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    char name[NAME_SHOWN];

    (void)snprintf(name, sizeof(name), "%s", slash != NULL ? slash + 1 : wanted);
    const int fd = memfd_create(name, flags | (is_program ? MFD_EXEC : MFD_NOEXEC_SEAL));
    /* A kernel that does not know the difference. */
    return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR)
            return false;
        data += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* Hash what is left of a file; copy it on the way unless `to` is -1. False and errno. */
static bool hash_and_copy(int from, int to, char ret_hash[HASH_TEXT_SIZE])
{
    static char chunk[CHUNK_SIZE];
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    ssize_t size;

    crypto_hash_sha256_init(&state);
    while ((size = read(from, chunk, sizeof(chunk))) > 0 || (size < 0 && errno == EINTR)) {
        if (size > 0 && to >= 0 && !write_all(to, chunk, (size_t)size))
            return false;
        crypto_hash_sha256_update(&state, (const unsigned char *)chunk, size > 0 ? (unsigned long long)size : 0);
    }
    crypto_hash_sha256_final(&state, hash);
    text_hex(hash, sizeof(hash), ret_hash);
    return size == 0;
}

static enum drover_status compare(const char *path, const char *hash, const char *wanted, struct drover_error *error)
{
    if (strcmp(hash, wanted) == 0)
        return DROVER_OK;
    return drover_error_set(error, DROVER_DATA_LOSS, "'%.200s' has SHA-256 %s, not %s: it is not run", path, hash,
                            wanted);
}

/* The interpreter of a script opens it by its descriptor, which must still be there then. */
static bool is_script(int fd)
{
    char start[2];

    return pread(fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) && memcmp(start, "#!", sizeof(start)) == 0;
}

/* Fill the memory file `memory`, or with -1 only hash. Takes neither descriptor. */
static enum drover_status fill(const struct settings *settings, const char *path, int file, int memory,
                               struct drover_error *error)
{
    char hash[HASH_TEXT_SIZE];

    if (!hash_and_copy(file, memory, hash) || (memory >= 0 && fcntl(memory, F_ADD_SEALS, ALL_SEALS) != 0))
        return refuse(path, errno, error);
    return compare(path, hash, settings->artefact, error);
}

enum drover_status sealed_open(const struct settings *settings, struct layers *layers, struct sealed *ret,
                               struct drover_error *error)
{
    const bool is_module = settings->module != NULL;
    const char *path = is_module ? settings->module : settings->command[0];
    int file = -1;

    *ret = (struct sealed){.fd = -1, .is_module = is_module};
    if (settings->artefact == NULL)
        return DROVER_OK;
    if (open_file(path, !is_module, &file, error) != DROVER_OK)
        return error->status;
    const int memory = create_memory(settings->name != NULL ? settings->name : path, !is_module);
    const bool is_forbidden = memory < 0 && errno == EACCES;
    enum drover_status status =
        memory >= 0 || is_forbidden ? fill(settings, path, file, memory, error) : refuse(path, errno, error);
    if (is_forbidden)
        layers_note(layers, LAYER_SEALED, LAYER_MISSING, "vm.memfd_noexec forbids programs in memory");
    else
        layers_note(layers, LAYER_SEALED, LAYER_HELD, "a copy in memory");
    const int unused = is_forbidden ? memory : file;
    ret->fd = is_forbidden ? file : memory;
    ret->stays = is_module || (ret->fd >= 0 && is_script(ret->fd));
    if (unused >= 0)
        close(unused);
    if (status == DROVER_OK || ret->fd < 0)
        return status;
    close(ret->fd);
    ret->fd = -1;
    return status;
}
