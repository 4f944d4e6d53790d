/* roots.c - what a collection must not remove */
#include "worker/store/program/roots.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/text.h"
#include "common/load/lockfile.h"
#include "common/sys/sys.h"
#include "worker/rollout/stable.h"
#include "worker/store/program/program.h"

#define CONTENT_PREFIX "sha256:"

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

static bool make_room(struct roots *roots)
{
    if (roots->count < roots->room)
        return true;
    const size_t room = roots->room > 0 ? 2 * roots->room : 64;
    struct store_root *items = reallocarray(roots->items, room, sizeof(*items));
    if (items == NULL)
        return false;
    roots->items = items;
    roots->room = room;
    return true;
}

static enum drover_status add(struct roots *roots, enum store_kind kind, const char *name, struct drover_error *error)
{
    char *copy = make_room(roots) ? strdup(name) : NULL;
    if (copy == NULL)
        return no_memory(error);
    roots->items[roots->count++] = (struct store_root){kind, copy};
    return DROVER_OK;
}

void roots_done(struct roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        free((char *)(uintptr_t)roots->items[i].name); /* add() has made it */
    free(roots->items);
    *roots = (struct roots){0};
}

/* --- the lock file -------------------------------------------------------------------------------------------------
 */

/* The mirror of a URL has its hash for a name. */
static enum drover_status add_mirror(struct roots *roots, const char *url, struct drover_error *error)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char name[STORE_NAME_SIZE];
    crypto_hash_sha256(hash, (const unsigned char *)url, strlen(url));
    text_hex(hash, sizeof(hash), name);
    return add(roots, STORE_GIT, name, error);
}

static enum drover_status add_entry(struct roots *roots, const struct lock_entry *entry, struct drover_error *error)
{
    enum drover_status status = add_mirror(roots, entry->url, error);
    if (status == DROVER_OK)
        status = add(roots, STORE_SRC, entry->content + strlen(CONTENT_PREFIX), error);
    for (size_t i = 0; status == DROVER_OK && i < entry->artefact_count; i++) {
        status = add(roots, STORE_BUILD, entry->artefacts[i].key, error);
        if (status == DROVER_OK)
            status = add(roots, STORE_ARTEFACT, entry->artefacts[i].sha256, error);
    }
    return status;
}

enum drover_status roots_add_lock(struct roots *roots, const char *path, struct drover_error *error)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    enum drover_status status = lockfile_read(path, &lock, &messages);
    if (status != DROVER_OK)
        status = drover_error_set(error, status, "%s", messages.count > 0 ? messages.lines[0] : "out of memory");
    for (size_t i = 0; status == DROVER_OK && i < lock->count; i++)
        status = add_entry(roots, &lock->entries[i], error);
    config_messages_done(&messages);
    lock_free(lock);
    return status;
}

/* --- what services remember ----------------------------------------------------------------------------------------
 */

static enum drover_status parse(const char *text, size_t size, const char *path, struct rollout_memory *ret,
                                struct drover_error *error)
{
    struct stable_mistakes mistakes;
    if (stable_parse(text, size, path, ret, &mistakes) == DROVER_OK)
        return DROVER_OK;
    return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                            "%s (nothing is removed before its broker was restarted, or the file is gone)",
                            mistakes.lines[0]);
}

static enum drover_status add_memory(struct roots *roots, const struct rollout_memory *memory,
                                     struct drover_error *error)
{
    char name[ROLLOUT_HASH_TEXT_SIZE];
    enum drover_status status = DROVER_OK;
    for (unsigned i = 0; status == DROVER_OK && i < memory->stable_count; i++)
        status = add(roots, STORE_ARTEFACT, rollout_hash_text(&memory->stable[i].artefact, name), error);
    return status;
}

/* A file that is gone by now was forgotten meanwhile. */
static enum drover_status add_file(struct roots *roots, const char *path, struct drover_error *error)
{
    struct rollout_memory memory;
    char *text = NULL;
    size_t size = 0;
    enum drover_status status = sys_read_file(path, STABLE_SIZE_MAX, &text, &size, error);
    if (status == DROVER_NOT_FOUND)
        return DROVER_OK;
    if (status == DROVER_OK)
        status = parse(text, size, path, &memory, error);
    if (status == DROVER_OK)
        status = add_memory(roots, &memory, error);
    free(text);
    return status;
}

/* With a dot in their names they are of no meaning: not written to the end, or moved aside. */
static enum drover_status add_named(struct roots *roots, const char *folder, const char *name,
                                    struct drover_error *error)
{
    if (strchr(name, '.') != NULL)
        return DROVER_OK;
    char *path = text_format("%s/%s", folder, name);
    enum drover_status status = path != NULL ? add_file(roots, path, error) : no_memory(error);
    free(path);
    return status;
}

enum drover_status roots_add_versions(struct roots *roots, const char *folder, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    DIR *stream = opendir(folder);
    if (stream == NULL)
        return errno == ENOENT ? DROVER_OK : program_trouble(error, errno, folder);
    errno = 0;
    for (const struct dirent *entry; status == DROVER_OK && (entry = readdir(stream)) != NULL; errno = 0)
        status = add_named(roots, folder, entry->d_name, error);
    if (status == DROVER_OK && errno != 0)
        status = program_trouble(error, errno, folder);
    closedir(stream);
    return status;
}
