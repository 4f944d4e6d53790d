/* lockkeeper.c - see lockkeeper.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/io/lockkeeper.h"
#include "broker/io/log.h"
#include "common/base/text.h"
#include "common/load/lockfile.h"

#define CONTENT_SIZE 80

enum drover_status lockkeeper_read(struct lockkeeper *keeper, const struct config *config, enum lockkeeper_mode mode,
                                   struct config_messages *ret_messages)
{
    *keeper = (struct lockkeeper){.mode = mode, .path = strdup(config->lock_path)};
    return lockfile_read(config->lock_path, &keeper->lock, ret_messages);
}

enum drover_status lockkeeper_refresh(struct lockkeeper *keeper, struct drover_error *error)
{
    struct config_messages messages = {0};
    struct lock *lock = NULL;
    const enum drover_status status = lockfile_read(keeper->path, &lock, &messages);
    if (status == DROVER_OK) {
        lock_free(keeper->lock);
        keeper->lock = lock;
    } else {
        (void)drover_error_set(error, status, "%.480s", messages.count > 0 ? messages.lines[0] : "no memory");
    }
    config_messages_done(&messages);
    return status;
}

void lockkeeper_done(struct lockkeeper *keeper)
{
    keeper->lock = lock_free(keeper->lock);
    free(keeper->path);
    keeper->path = NULL;
}

/* An entry of the same repository that was asked for in another way; NULL when there is none. */
static const struct lock_entry *find_relative(const struct lock *lock, const char *url)
{
    for (size_t i = 0; i < lock->count; i++)
        if (strcmp(lock->entries[i].url, url) == 0)
            return &lock->entries[i];
    return NULL;
}

static const char *word(const char *text, const char *instead)
{
    return text != NULL ? text : instead;
}

char *lockkeeper_explain(const struct lockkeeper *keeper, const struct config_service *service)
{
    const struct reference_resolution *asked = &service->resolution;
    const struct lock_entry *other = find_relative(keeper->lock, asked->url);
    if (other == NULL)
        return text_format("'%.200s' is not in drover.lock, and may not be added ('drover lock update' adds it)",
                           asked->url);
    return text_format(
        "'%.120s': drover.lock has '%.60s' of folder '%.60s', but '%.60s' of folder '%.60s' is asked for "
        "('drover lock update' adds it)",
        asked->url, word(other->requested, "its own branch"), word(other->subdir, "/"),
        word(asked->ref, "its own branch"), word(asked->subdir, "/"));
}

/* What was obtained, as an entry of its own: a lock takes copies, but not of `const` texts. */
struct note {
    char content[CONTENT_SIZE], commit[HOST_COMMIT_SIZE], tree[HOST_COMMIT_SIZE];
    char target[sizeof(DROVER_TARGET)], key[HOST_HASH_SIZE], artefact[HOST_HASH_SIZE];
    struct lock_entry entry;
    struct lock_artefact built;
};

static void fill_note(struct note *note, const struct reference_resolution *asked, const struct host_obtained *obtained)
{
    (void)snprintf(note->content, sizeof(note->content), "sha256:%s", obtained->content);
    memcpy(note->commit, obtained->commit, sizeof(note->commit));
    memcpy(note->tree, obtained->tree, sizeof(note->tree));
    memcpy(note->key, obtained->key, sizeof(note->key));
    memcpy(note->artefact, obtained->artefact, sizeof(note->artefact));
    memcpy(note->target, DROVER_TARGET, sizeof(note->target));
    note->entry = (struct lock_entry){.url = asked->url,
                                      .requested = asked->ref,
                                      .subdir = asked->subdir,
                                      .commit = note->commit,
                                      .tree = note->tree,
                                      .content = note->content};
    note->built = (struct lock_artefact){.target = note->target, .key = note->key, .sha256 = note->artefact};
}

static enum drover_status put(struct lock *lock, const struct note *note, struct drover_error *error)
{
    const struct lock_entry *entry = &note->entry;
    const struct lock_entry *there = lock_find(lock, entry->url, entry->requested, entry->subdir);
    if (there != NULL && strcmp(there->commit, entry->commit) != 0)
        return DROVER_OK; /* it was updated meanwhile, for the next start */
    const enum drover_status status = there == NULL ? lock_set(lock, entry, error) : DROVER_OK;
    return status == DROVER_OK ? lock_set_artefact(lock, entry, &note->built, error) : status;
}

void lockkeeper_note(struct lockkeeper *keeper, const struct config_service *service,
                     const struct host_obtained *obtained)
{
    struct drover_error error = {.text = "no memory"};
    struct note note;
    if (service->resolution.kind != REFERENCE_GIT || keeper->mode != LOCKKEEPER_WRITES)
        return;
    fill_note(&note, &service->resolution, obtained);
    enum drover_status status = lockkeeper_refresh(keeper, &error);
    if (status == DROVER_OK)
        status = put(keeper->lock, &note, &error);
    if (status == DROVER_OK)
        status = lockfile_write(keeper->path, keeper->lock, &error);
    if (status != DROVER_OK && !keeper->warned)
        log_line(LOG_LEVEL_WARNING, "service '%s' has commit %s, which cannot be noted: %s", service->name,
                 obtained->commit, error.text);
    keeper->warned |= status != DROVER_OK;
}
