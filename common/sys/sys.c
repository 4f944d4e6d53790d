/* sys.c - what drover asks of the operating system in more than one place
 *
 * Nothing here keeps state; every function may be called from any thread, but sys_seed_libzmq() and
 * sys_raise_descriptor_limit() change the process and belong to the start of main().
 */
#include "common/sys/sys.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/base/text.h"

#define CHUNK_SIZE ((size_t)32 * 1024)

static uint64_t now_us(clockid_t clock)
{
    struct timespec now;
    /* Fails only for a clock that does not exist. */
    if (clock_gettime(clock, &now) != 0)
        abort();
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t sys_now_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t sys_now_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

uint64_t sys_wall_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

void sys_random(void *data, size_t size)
{
    unsigned char *at = data;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        /* Without randomness a token or a session could be guessed: better no process than that. */
        if (got <= 0)
            abort();
        at += got;
        size -= (size_t)got;
    }
}

uint64_t sys_random64(void)
{
    uint64_t value;
    sys_random(&value, sizeof value);
    return value;
}

enum drover_status sys_status_of(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return DROVER_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return DROVER_PERMISSION_DENIED;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
        return DROVER_RESOURCE_EXHAUSTED;
    default:
        return DROVER_INTERNAL;
    }
}

/* Say in `error` what the system call on `path` that set `code` failed of. */
static enum drover_status file_error(const char *path, int code, struct drover_error *error)
{
    const enum drover_status status = sys_status_of(code);
    const char *why = strerrordesc_np(code);
    if (!why)
        return drover_error_set(error, status, "file '%s': error %d", path, code);
    return drover_error_set(error, status, "file '%s': %c%s", path, tolower((unsigned char)why[0]), why + 1);
}

/* read() that goes on after a signal. */
static ssize_t read_some(int file, void *data, size_t size)
{
    ssize_t got;
    do {
        got = read(file, data, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Read what is left of `file` into new memory, growing it as needed: pipes and /proc do not know their size. `hint` is
 * what the size probably is. 0, or an errno; EFBIG beyond `limit`. */
static int read_rest(int file, size_t hint, size_t limit, char **ret_data, size_t *ret_size)
{
    size_t capacity = (hint < limit ? hint : limit) + 2, used = 0;
    int code = ENOMEM;
    char *data = malloc(capacity);
    while (data) {
        /* One octet beyond the limit is asked for, to see that there is one, and one is kept for the NUL. */
        ssize_t got = read_some(file, data + used, capacity - used - 1);
        if (got < 0) {
            code = errno;
            break;
        }
        used += (size_t)got;
        if (got == 0) {
            data[used] = '\0';
            *ret_data = data;
            *ret_size = used;
            return 0;
        }
        if (used > limit) {
            code = EFBIG;
            break;
        }
        if (used + 1 < capacity)
            continue;
        capacity = capacity < limit / 2 ? capacity * 2 : limit + 2;
        char *larger = realloc(data, capacity);
        if (!larger)
            break;
        data = larger;
    }
    free(data);
    return code;
}

enum drover_status sys_read_file(const char *path, size_t limit, char **ret_data, size_t *ret_size,
                                 struct drover_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return file_error(path, errno, error);
    struct stat about;
    int code = fstat(file, &about) == 0 ? 0 : errno;
    if (code == 0)
        code = read_rest(file, about.st_size > 0 ? (size_t)about.st_size : CHUNK_SIZE, limit, ret_data, ret_size);
    close(file);
    if (code == EFBIG)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "file '%s': larger than %zu bytes", path, limit);
    return code == 0 ? DROVER_OK : file_error(path, code, error);
}

enum drover_status sys_hash_file(const char *path, char ret_hex[65], struct drover_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return file_error(path, errno, error);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    unsigned char chunk[CHUNK_SIZE];
    ssize_t got;
    while ((got = read_some(file, chunk, sizeof chunk)) > 0)
        crypto_hash_sha256_update(&state, chunk, (unsigned long long)got);
    int code = errno;
    close(file);
    if (got < 0)
        return file_error(path, code, error);
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, hash);
    text_hex(hash, sizeof hash, ret_hex);
    return DROVER_OK;
}

char *sys_program_dir(void)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0)
        return NULL;
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    slash[slash == path ? 1 : 0] = '\0';
    return strdup(path);
}

char *sys_helper_path(const char *name)
{
    char *folder = sys_program_dir();
    char *path = folder ? text_format("%s/%s", folder, name) : NULL;
    if (path && access(path, X_OK) != 0) {
        free(path);
        path = text_format("%s/../" DROVER_LIBEXECDIR "/drover/%s", folder, name);
    }
    free(folder);
    return path;
}

/* Rewrite the absolute `path` in place without ".", ".." and doubled slashes. */
static void normalise(char *path)
{
    char *out = path;
    const char *in = path;
    while (*in) {
        in += strspn(in, "/");
        size_t size = strcspn(in, "/");
        if (size == 2 && memcmp(in, "..", 2) == 0) {
            while (out > path && *--out != '/')
                ;
        } else if (size > 0 && !(size == 1 && *in == '.')) {
            *out++ = '/';
            memmove(out, in, size);
            out += size;
        }
        in += size;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

char *sys_absolute_path(const char *path)
{
    char *absolute;
    if (path[0] == '/') {
        absolute = strdup(path);
    } else {
        char *folder = getcwd(NULL, 0);
        absolute = folder ? text_format("%s/%s", folder, path) : NULL;
        free(folder);
    }
    if (absolute)
        normalise(absolute);
    return absolute;
}

void sys_seed_libzmq(void)
{
    srand((unsigned)sys_random64());
}

uint64_t sys_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    struct rlimit wanted = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur;
}
