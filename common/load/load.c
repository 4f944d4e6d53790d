/* load.c - see load.h */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/load/load.h"
#include "common/sys/sys.h"

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
    return stat_buffer.st_mode & 0111 ? REFERENCE_DISK_EXECUTABLE : REFERENCE_DISK_FILE;
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

/* One message that is not about a place in the file. */
static enum drover_status fail(struct config_messages *messages, const struct drover_error *error)
{
    messages->lines = calloc(1, sizeof(*messages->lines));
    if (messages->lines == NULL)
        return DROVER_RESOURCE_EXHAUSTED;
    messages->lines[0] = strdup(error->text);
    messages->count = messages->lines[0] != NULL ? 1 : 0;
    return error->status;
}

enum drover_status load_config(const char *path, struct config **ret_config, struct config_messages *ret_messages)
{
    const struct config_sources sources = {.env = env, .file = file, .disk = &load_disk};
    struct drover_error error = {0};
    char *text = NULL;
    size_t size = 0;
    *ret_messages = (struct config_messages){0};
    if (sys_read_file(path, CONFIG_SIZE_MAX, &text, &size, &error) != DROVER_OK)
        return fail(ret_messages, &error);
    char *absolute = sys_absolute_path(path);
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;
    if (absolute != NULL)
        status = config_parse(text, size, path, dirname(absolute), &sources, ret_config, ret_messages);
    free(absolute);
    free(text);
    return status;
}
