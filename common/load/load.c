/* load.c - see load.h */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/load/files.h"
#include "common/load/load.h"
#include "common/load/messages.h"
#include "common/sys/binary.h"
#include "common/sys/sys.h"

/* A regular file: what is in it decides before its mode does. */
static enum reference_disk_kind look_into(const char *path, mode_t mode)
{
    enum binary_kind kind = binary_look_at(path);
    if (kind == BINARY_MODULE)
        return REFERENCE_DISK_MODULE;
    if (kind == BINARY_LIBRARY)
        return REFERENCE_DISK_LIBRARY;
    return mode & 0111 ? REFERENCE_DISK_EXECUTABLE : REFERENCE_DISK_FILE;
}

static enum reference_disk_kind look(void *context, const char *path)
{
    (void)context;
    struct stat stat_buffer;
    if (stat(path, &stat_buffer) != 0)
        return REFERENCE_DISK_NOTHING;
    if (S_ISDIR(stat_buffer.st_mode))
        return REFERENCE_DISK_DIRECTORY;
    if (!S_ISREG(stat_buffer.st_mode))
        return REFERENCE_DISK_OTHER;
    return look_into(path, stat_buffer.st_mode);
}

const struct reference_disk load_disk = {.look = look};

static char *env(void *context, const char *name)
{
    (void)context;
    const char *value = getenv(name);
    return value != NULL ? strdup(value) : NULL;
}

static char *file(void *context, const char *path)
{
    (void)context;
    char *data = NULL;
    size_t size = 0;
    if (sys_read_file(path, CONFIG_SECRET_MAX, &data, &size, NULL) != DROVER_OK)
        return NULL;
    if (memchr(data, '\0', size) != NULL) { /* it could not be told from its beginning */
        free(data);
        return NULL;
    }
    if (size > 0 && data[size - 1] == '\n')
        data[size - 1] = '\0';
    return data;
}

/* In place of the messages that there are. */
static enum drover_status fail(struct config_messages *messages, enum drover_status status, char *line)
{
    config_messages_done(messages);
    return messages_one(messages, status, line);
}

/* What the settings of all services name. */
static enum drover_status find_files(struct config *config, struct config_messages *messages)
{
    struct drover_error error = {0};
    for (size_t i = 0; i < config->service_count; i++) {
        struct config_service *service = &config->services[i];
        enum drover_status status = files_find(service, config->directory, &error);
        if (status == DROVER_FAILED_PRECONDITION && messages->count > 0)
            return DROVER_INVALID_ARGUMENT; /* there are mistakes enough */
        if (status == DROVER_FAILED_PRECONDITION)
            return fail(messages, DROVER_INVALID_ARGUMENT,
                        text_format("%s:%u:%u: %s", config->path, service->line, service->column, error.text));
        if (status != DROVER_OK)
            return fail(messages, status, strdup(error.text));
    }
    return DROVER_OK;
}

static enum drover_status load(const char *path, const char *place, bool lenient, struct config **ret_config,
                               struct config_messages *ret_messages)
{
    const struct config_sources sources = {.env = env, .file = file, .disk = &load_disk, .lenient = lenient};
    struct drover_error error = {0};
    struct config *config = NULL;
    char *text = NULL;
    size_t size = 0;
    *ret_messages = (struct config_messages){0};
    if (sys_read_file(path, CONFIG_SIZE_MAX, &text, &size, &error) != DROVER_OK)
        return messages_one(ret_messages, error.status, strdup(error.text));
    char *absolute = sys_absolute_path(place);
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;
    if (absolute != NULL)
        status = config_parse(text, size, path, dirname(absolute), &sources, &config, ret_messages);
    free(absolute);
    free(text);
    if (status == DROVER_OK)
        status = find_files(config, ret_messages);
    if (status == DROVER_OK)
        *ret_config = config;
    else
        config_free(config);
    return status;
}

enum drover_status load_config(const char *path, struct config **ret_config, struct config_messages *ret_messages)
{
    return load(path, path, false, ret_config, ret_messages);
}

enum drover_status load_config_leniently(const char *path, struct config **ret_config,
                                         struct config_messages *ret_messages)
{
    return load(path, path, true, ret_config, ret_messages);
}

enum drover_status load_config_as(const char *path, const char *place, struct config **ret_config,
                                  struct config_messages *ret_messages)
{
    return load(path, place, false, ret_config, ret_messages);
}
