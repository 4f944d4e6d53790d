/* hash.c - the hash of a tree of files, as store.h defines it */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/base/text.h"
#include "worker/store/state.h"
#include "worker/store/walk.h"

static const char magic[] = "drover-tree-1"; /* with its NUL */

static void add(crypto_hash_sha256_state *state, const void *data, size_t size)
{
    crypto_hash_sha256_update(state, data, size);
}

static void add_number(crypto_hash_sha256_state *state, uint64_t number)
{
    uint64_t octets = htole64(number);
    add(state, &octets, sizeof octets);
}

static enum drover_status add_bytes(crypto_hash_sha256_state *state, const struct walk_entry *entry,
                                    struct drover_error *error)
{
    unsigned char chunk[32 * 1024];
    uint64_t left = (uint64_t)entry->about->st_size;
    for (;;) {
        ssize_t got = read(entry->file, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return store_fail(error, errno, "file '%s'", entry->path);
        if ((uint64_t)got > left || (got == 0 && left > 0))
            return drover_error_set(error, DROVER_ABORTED, "file '%s': changed while it was read", entry->path);
        if (got == 0)
            return DROVER_OK;
        add(state, chunk, (size_t)got);
        left -= (uint64_t)got;
    }
}

static enum drover_status add_file(const struct walk_entry *entry, void *context, struct drover_error *error)
{
    crypto_hash_sha256_state *state = context;
    const unsigned char executable = entry->about->st_mode & S_IXUSR ? 1 : 0;
    const size_t size = strlen(entry->path);
    add_number(state, size);
    add(state, entry->path, size);
    add(state, &executable, 1);
    add_number(state, (uint64_t)entry->about->st_size);
    return add_bytes(state, entry, error);
}

enum drover_status store_tree_hash(const char *path, char ret_hex[STORE_NAME_SIZE], struct drover_error *error)
{
    static const struct walk_visitor visitor = {.file = add_file};
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    add(&state, magic, sizeof magic);
    enum drover_status status = walk_tree(path, &visitor, &state, error);
    if (status != DROVER_OK)
        return status;
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, hash);
    text_hex(hash, sizeof hash, ret_hex);
    return DROVER_OK;
}
