/* mirror.c - finds, makes and cleans mirrors (mirror.h) */
#include "worker/fetch/mirror.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/fetch/library.h"
#include "worker/store/walk.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* Is the file one that libgit2 has only while it writes? No name of a ref ends so. */
static bool is_left_over(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    return ends_with(name, ".lock") || strncmp(name, "pack_git2_", 10) == 0 || strncmp(name, "tmp_", 4) == 0;
}

static enum drover_status remove_left_over(const struct walk_entry *entry, void *context, struct drover_error *error)
{
    (void)error;
    if (is_left_over(entry->path))
        (void)unlinkat(*(const int *)context, entry->path, 0);
    return DROVER_OK;
}

/* The lock of the URL is ours: whoever left something is dead. */
static enum drover_status clean(const struct mirror *mirror, struct drover_error *error)
{
    static const struct walk_visitor visitor = {.file = remove_left_over};
    int folder = open(mirror->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return drover_error_set(error, DROVER_DATA_LOSS, "mirror '%s' cannot be opened", mirror->path);
    const enum drover_status status = walk_tree(mirror->path, &visitor, &folder, error);
    close(folder);
    return status;
}

/* Make an empty bare repository at `path`. */
static enum drover_status init_repository(const struct mirror *mirror, const char *path, struct drover_error *error)
{
    git_repository *repository = NULL;
    git_repository_init_options options;
    git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_NO_DOTGIT_DIR |
                    GIT_REPOSITORY_INIT_NO_REINIT;
    const int code = git_repository_init_ext(&repository, path, &options);
    if (code != 0)
        return library_error(code, mirror->request, "its mirror cannot be made", error);
    git_repository_free(repository);
    return DROVER_OK;
}

static enum drover_status make(const struct mirror *mirror, struct drover_error *error)
{
    struct store_tmp *tmp = NULL;
    enum drover_status status = store_tmp_new(mirror->store, "mirror", &tmp, error);
    if (status != DROVER_OK)
        return status;
    char *path = text_format("%s/mirror", store_tmp_path(tmp));
    if (!path)
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    if (status == DROVER_OK)
        status = init_repository(mirror, path, error);
    if (status == DROVER_OK)
        status = store_publish_named(mirror->store, STORE_GIT, mirror->request->name, tmp, "mirror", NULL, error);
    free(path);
    store_tmp_free(tmp);
    return status;
}

static enum drover_status open_repository(struct mirror *mirror, struct drover_error *error)
{
    const struct request *request = mirror->request;
    enum drover_status status = store_hold(mirror->store, STORE_GIT, request->name, &mirror->hold, error);
    if (status == DROVER_OK)
        status = store_verify(mirror->store, STORE_GIT, request->name, error);
    if (status == DROVER_OK)
        status = clean(mirror, error);
    if (status != DROVER_OK)
        return status;
    if (git_repository_open_bare(&mirror->repository, mirror->path) == 0)
        return DROVER_OK;
    (void)library_error(GIT_ERROR, request, "its mirror cannot be opened", error);
    return drover_error_set(error, DROVER_DATA_LOSS, "%s", error->text);
}

enum drover_status mirror_open(struct mirror *mirror, const struct store *store, const struct request *request,
                               struct report *report, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    *mirror = (struct mirror){.request = request, .store = store, .report = report};
    mirror->path = store_path(store, STORE_GIT, request->name);
    if (!mirror->path)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    if (!store_has(store, STORE_GIT, request->name)) {
        if (request->offline)
            return drover_error_set(error, DROVER_NOT_FOUND,
                                    "'%s': not in the store, and the network may not be used (--offline)",
                                    request->shown);
        status = make(mirror, error);
    }
    return status == DROVER_OK ? open_repository(mirror, error) : status;
}

void mirror_close(struct mirror *mirror)
{
    git_repository_free(mirror->repository);
    mirror->repository = NULL;
    mirror->hold = store_unlock(mirror->hold);
    free(mirror->path);
    mirror->path = NULL;
}
