/* artefact.c - finds and checks what came out of a build (artefact.h)
 *
 * Whoever wrote the source also decides what is in the folder of the build: nothing in it is trusted, no link in it is
 * followed, and after the copy only the copy is looked at.
 */
#include "worker/build/artefact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/binary.h"
#include "worker/build/copy.h"
#include "worker/build/trouble.h"
#include "worker/build/words.h"

#define DEPTH_MAX 16
#define FOUND_MAX 64

const char *artefact_form_name(enum artefact_form form)
{
    return form == ARTEFACT_MODULE ? "module" : "executable";
}

/* What makes a file no artefact. */
static enum drover_status check_form(int file, const char *path, enum artefact_form *ret_form,
                                     struct drover_error *error)
{
    const enum binary_kind kind = binary_look(file);
    if (kind != BINARY_EXECUTABLE && kind != BINARY_MODULE)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "artefact '%s': is %s", path,
                                binary_kind_text(kind));
    *ret_form = kind == BINARY_EXECUTABLE ? ARTEFACT_EXECUTABLE : ARTEFACT_MODULE;
    return DROVER_OK;
}

static const char *type_mistake(mode_t mode)
{
    if (S_ISDIR(mode))
        return "is a folder, not a file";
    if (S_ISLNK(mode))
        return "is a symlink, which is not followed";
    if (!S_ISREG(mode))
        return "is no regular file";
    return mode & S_IXUSR ? NULL : "is not executable (no x bit)";
}

/* --- the only program ----------------------------------------------------------------------------------------------
 */

static bool is_kind(int folder, const char *name, enum binary_kind kind)
{
    struct stat about;
    const int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return false;
    const bool is = fstat(file, &about) == 0 && !type_mistake(about.st_mode) && binary_look(file) == kind;
    close(file);
    return is;
}

struct search {
    enum binary_kind kind;
    struct words found;
};

/* Add the paths of all files of the kind in the open folder, which is closed; `above` is its path. */
static void search_folder(struct search *search, int folder, const char *above, unsigned depth)
{
    DIR *stream = fdopendir(folder);
    const struct dirent *entry;
    if (!stream) {
        close(folder);
        return;
    }
    while (search->found.count < FOUND_MAX && (entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "CMakeFiles") == 0)
            continue;
        char *path = text_format("%s%s%s", above, *above ? "/" : "", name);
        const int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        search->found.no_memory |= path == NULL;
        if (inner >= 0 && path && depth < DEPTH_MAX)
            search_folder(search, inner, path, depth + 1);
        else if (inner >= 0)
            close(inner);
        else if (path && is_kind(folder, name, search->kind))
            words_add(&search->found, path);
        free(path);
    }
    closedir(stream);
}

/* Executables; where there is none, modules: a build that makes both forms of a driver means the executable. */
static void search_results(struct search *search, const char *results)
{
    static const enum binary_kind kinds[] = {BINARY_EXECUTABLE, BINARY_MODULE};
    for (size_t i = 0; i < 2 && search->found.count == 0 && !search->found.no_memory; i++) {
        const int folder = open(results, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        search->kind = kinds[i];
        if (folder >= 0)
            search_folder(search, folder, "", 0);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The one that is meant; NULL when that cannot be told. */
static const char *choose(const struct words *found, const char *name)
{
    const char *chosen = NULL;
    if (found->count == 1)
        return found->items[0];
    for (size_t i = 0; i < found->count; i++) {
        if (strcmp(base_name(found->items[i]), name) != 0)
            continue;
        if (chosen)
            return NULL;
        chosen = found->items[i];
    }
    return chosen;
}

static enum drover_status find_only(const char *results, const char *name, char **ret_path, struct drover_error *error)
{
    struct search search = {.found = {0}};
    enum drover_status status = DROVER_OK;
    search_results(&search, results);
    const struct words *found = &search.found;
    const char *chosen = choose(found, name);
    if (chosen)
        *ret_path = strdup(chosen);
    if (found->no_memory || (chosen && !*ret_path))
        status = trouble_memory(error);
    else if (found->count == 0)
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                  "the build made no executable ('build: {artefact: PATH}' in driver.yaml names it, "
                                  "if it is another file)");
    else if (!chosen)
        status =
            drover_error_set(error, DROVER_FAILED_PRECONDITION,
                             "the build made several %ss ('%.100s', '%.100s', ...): say which is the "
                             "driver by 'build: {artefact: PATH}' in driver.yaml",
                             search.kind == BINARY_MODULE ? "module" : "executable", found->items[0], found->items[1]);
    words_done(&search.found);
    return status;
}

/* --- the one that is named -----------------------------------------------------------------------------------------
 */

/* Open `path` below `results` with no link followed in any part of it. -1 with errno. */
static int open_below(const char *results, const char *path)
{
    char *copy = strdup(path), *rest = NULL;
    int folder = copy ? open(results, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    for (char *part = copy ? strtok_r(copy, "/", &rest) : NULL; part && folder >= 0;
         part = strtok_r(NULL, "/", &rest)) {
        const int next = openat(folder, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        const int code = errno;
        close(folder);
        folder = next;
        errno = code;
    }
    free(copy);
    return folder;
}

/* Check the file behind the O_PATH descriptor `place`, and copy it. */
static enum drover_status take(int place, const char *path, const char *to, enum artefact_form *ret_form,
                               struct drover_error *error)
{
    struct stat about;
    char link[64];
    if (fstat(place, &about) != 0)
        return trouble_errno(error, errno, "artefact '%s'", path);
    const char *mistake = type_mistake(about.st_mode);
    if (mistake)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "artefact '%s': %s", path, mistake);
    /* The descriptor, not the name: the name may be another file by now. */
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
    const int file = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return trouble_errno(error, errno, "artefact '%s'", path);
    enum drover_status status = copy_descriptor(file, path, to, 0755, ARTEFACT_BYTES_MAX, error);
    close(file);
    if (status != DROVER_OK)
        return status;
    const int copy = open(to, O_RDONLY | O_CLOEXEC);
    if (copy < 0)
        return trouble_errno(error, errno, "copy of artefact '%s'", path);
    status = check_form(copy, path, ret_form, error);
    close(copy);
    return status;
}

/* NOLINTNEXTLINE(readability-function-size): where, what, how called, where to, and two results */
enum drover_status artefact_take(const char *results, const char *path, const char *name, const char *to,
                                 enum artefact_form *ret_form, struct drover_error *error)
{
    char *found = NULL;
    enum drover_status status = DROVER_OK;
    if (!path)
        status = find_only(results, name, &found, error);
    const char *chosen = path ? path : found;
    if (status != DROVER_OK || !chosen) {
        free(found);
        return status;
    }
    const int place = open_below(results, chosen);
    if (place < 0)
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                  errno == ENOENT ? "artefact '%s': the build did not make it"
                                                  : "artefact '%s': a part of its path is no folder of its own",
                                  chosen);
    else
        status = take(place, chosen, to, ret_form, error);
    if (place >= 0)
        close(place);
    free(found);
    return status;
}
