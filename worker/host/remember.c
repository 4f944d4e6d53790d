/* remember.c - what services remember of their versions, on disk */
#include "worker/host/remember.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/replace.h"
#include "common/sys/sys.h"
#include "worker/rollout/stable.h"

#define NAME_QUOTED 40

/* The files of one service. */
struct place {
    char *file, *fresh, *bad;
};

static void place_done(struct place *place)
{
    free(place->file);
    free(place->fresh);
    free(place->bad);
    *place = (struct place){0};
}

/* What the configuration takes for a name is one; this is for those who do not come from there. */
static bool is_name(const char *service)
{
    return service[0] != '\0' && strpbrk(service, "./") == NULL;
}

/* On failure there is nothing to release. */
static enum drover_status place_init(struct place *place, const char *folder, const char *service,
                                     struct drover_error *error)
{
    char name[NAME_QUOTED];
    if (!is_name(service)) {
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT,
                               "service '%s': its name must not be empty, nor have a '.' or '/'",
                               text_printable(service, strlen(service), name, sizeof(name)));
        return DROVER_INVALID_ARGUMENT;
    }
    *place = (struct place){.file = text_format("%s/%s", folder, service),
                            .fresh = text_format("%s/%s.new", folder, service),
                            .bad = text_format("%s/%s.bad", folder, service)};
    if (place->file != NULL && place->fresh != NULL && place->bad != NULL)
        return DROVER_OK;
    place_done(place);
    (void)drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for the paths of what '%s' remembers", service);
    return DROVER_RESOURCE_EXHAUSTED;
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static enum drover_status parse(const char *text, size_t size, const char *path, struct rollout_memory *ret,
                                struct drover_error *error)
{
    struct stable_mistakes mistakes;
    if (stable_parse(text, size, path, ret, &mistakes) == DROVER_OK)
        return DROVER_OK;
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s", mistakes.lines[0]);
}

static enum drover_status read_memory(const char *path, struct rollout_memory *ret, struct drover_error *error)
{
    char *text = NULL;
    size_t size = 0;
    enum drover_status status = sys_read_file(path, STABLE_SIZE_MAX, &text, &size, error);
    if (status == DROVER_OK)
        status = parse(text, size, path, ret, error);
    free(text);
    return status;
}

/* Keep the file, and tell what is wrong with it and where it is. */
static enum drover_status move_aside(const struct place *place, const struct drover_error *wrong,
                                     struct drover_error *error)
{
    const char *name = strrchr(place->bad, '/') + 1;
    if (rename(place->file, place->bad) != 0)
        return drover_error_set(error, wrong->status, "%s (it cannot be kept as '%s': %s)", wrong->text, name,
                                strerror(errno));
    replace_sync_folder(place->bad);
    return drover_error_set(error, wrong->status, "%s (it is kept as '%s')", wrong->text, name);
}

enum drover_status remember_load(const char *folder, const char *service, struct rollout_memory *ret,
                                 struct drover_error *error)
{
    struct drover_error wrong;
    struct place place;
    *ret = (struct rollout_memory){0};
    enum drover_status status = place_init(&place, folder, service, error);
    if (status != DROVER_OK)
        return status;
    status = read_memory(place.file, ret, &wrong);
    if (status == DROVER_NOT_FOUND)
        status = DROVER_OK;
    else if (status != DROVER_OK)
        status = move_aside(&place, &wrong, error);
    place_done(&place);
    return status;
}

enum drover_status remember_look(const char *folder, const char *service, struct rollout_memory *ret,
                                 struct drover_error *error)
{
    struct place place;
    *ret = (struct rollout_memory){0};
    enum drover_status status = place_init(&place, folder, service, error);
    if (status != DROVER_OK)
        return status;
    status = read_memory(place.file, ret, error);
    place_done(&place);
    return status;
}

/* --- writing -------------------------------------------------------------------------------------------------------
 */

static int make_folder(const char *folder)
{
    if (mkdir(folder, 0700) == 0)
        replace_sync_folder(folder);
    else if (errno != EEXIST)
        return errno;
    return 0;
}

/* 0, or an errno. What a killed process has left is written over. */
static int write_memory(const struct place *place, const char *text)
{
    const int file = open(place->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return errno;
    const int code = replace_file(place->file, place->fresh, file, text, strlen(text));
    close(file);
    return code;
}

static enum drover_status fail(const struct place *place, const char *what, int code, struct drover_error *error)
{
    return drover_error_set(error, sys_status_of(code), "'%s': cannot be %s: %s", place->file, what, strerror(code));
}

enum drover_status remember_save(const char *folder, const char *service, const struct rollout_memory *memory,
                                 struct drover_error *error)
{
    struct place place;
    enum drover_status status = place_init(&place, folder, service, error);
    if (status != DROVER_OK)
        return status;
    char *text = stable_write(memory);
    int code = text != NULL ? make_folder(folder) : ENOMEM;
    if (code == 0)
        code = write_memory(&place, text);
    if (code != 0)
        status = fail(&place, "written", code, error);
    free(text);
    place_done(&place);
    return status;
}

/* 0, or an errno. */
static int remove_file(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR ? 0 : errno;
}

enum drover_status remember_forget(const char *folder, const char *service, struct drover_error *error)
{
    struct place place;
    enum drover_status status = place_init(&place, folder, service, error);
    if (status != DROVER_OK)
        return status;
    int code = remove_file(place.file);
    if (code == 0)
        code = remove_file(place.fresh);
    if (code != 0)
        status = fail(&place, "removed", code, error);
    else
        replace_sync_folder(place.file);
    place_done(&place);
    return status;
}
