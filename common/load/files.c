/* files.c - see files.h */
#include "common/load/files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/config/paths.h"

/* Longer texts are no paths (limits.h, PATH_MAX). */
#define PATH_SIZE_MAX 4096

/* What is found on the way through one service's settings. */
struct search {
    struct config_service *service;
    const char *directory;
    struct drover_error *error;
};

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

static bool is_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0' || folder[size - 1] == '/');
}

static bool is_among(const char *path, char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_below(path, paths[i]))
            return true;
    return false;
}

static bool is_granted(const struct config_service *service, const char *path)
{
    return is_among(path, service->setting_files, service->setting_files_count) ||
           is_among(path, service->grant_read, service->grant_read_count) ||
           is_among(path, service->grant_write, service->grant_write_count);
}

/* Keep `path`, which is taken. */
static enum drover_status keep(const struct search *search, char *path)
{
    struct config_service *service = search->service;
    if (is_granted(service, path)) {
        free(path);
        return DROVER_OK;
    }
    if (service->setting_files_count == CONFIG_FILES_MAX) {
        free(path);
        return drover_error_set(search->error, DROVER_FAILED_PRECONDITION,
                                "service '%s': its settings name more than %d files: grant their folder "
                                "(grants: {read: [FOLDER]})",
                                service->name, CONFIG_FILES_MAX);
    }
    if (!service->setting_files)
        service->setting_files = calloc(CONFIG_FILES_MAX, sizeof(*service->setting_files));
    if (!service->setting_files) {
        free(path);
        return no_memory(search->error);
    }
    service->setting_files[service->setting_files_count++] = path;
    return DROVER_OK;
}

static enum drover_status look_at_text(const struct search *search, struct drover_text text)
{
    struct stat about;
    if (text.size == 0 || text.size >= PATH_SIZE_MAX || memchr(text.data, '\0', text.size))
        return DROVER_OK;
    char *copy = drover_text_dup(text);
    char *path = copy ? path_resolve(search->directory, copy) : NULL;
    free(copy);
    if (!path)
        return no_memory(search->error);
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode))
        return keep(search, path);
    free(path);
    return DROVER_OK;
}

/* Look at a value and all that is in it; the parser has limited how deep that is. */
static enum drover_status look_at(const struct search *search, const struct drover_value *value)
{
    struct drover_text text;
    enum drover_status status = DROVER_OK;
    if (drover_value_text(value, &text))
        return look_at_text(search, text);
    for (size_t i = 0; status == DROVER_OK && i < drover_value_count(value); i++)
        status = look_at(search, drover_value_at(value, i));
    return status;
}

enum drover_status files_find(struct config_service *service, const char *directory, struct drover_error *error)
{
    const struct search search = {.service = service, .directory = directory, .error = error};
    struct drover_document *document = NULL;
    if (!service->settings)
        return DROVER_OK;
    enum drover_status status = drover_document_parse(service->settings, service->settings_size, &document, error);
    if (status == DROVER_OK)
        status = look_at(&search, drover_document_root(document));
    drover_document_free(document);
    return status;
}
