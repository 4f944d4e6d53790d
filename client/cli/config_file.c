/* config_file.c - a configuration file from disk; see config_file.h */
#include "client/cli/config_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/sys/sys.h"

static enum reference_disk_kind look(void *context, const char *path)
{
    struct stat about;

    (void)context;
    if (stat(path, &about) != 0)
        return REFERENCE_DISK_NOTHING;
    if (S_ISDIR(about.st_mode))
        return REFERENCE_DISK_DIRECTORY;
    if (!S_ISREG(about.st_mode))
        return REFERENCE_DISK_OTHER;
    return (about.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0 ? REFERENCE_DISK_EXECUTABLE : REFERENCE_DISK_FILE;
}

const struct reference_disk config_file_disk = {.look = look};

static char *read_env(void *context, const char *name)
{
    const char *value = getenv(name);

    (void)context;
    return value == NULL ? NULL : strdup(value);
}

static char *read_secret(void *context, const char *path)
{
    char *text = NULL;
    size_t size = 0;

    (void)context;
    if (sys_read_file(path, CONFIG_SECRET_MAX, &text, &size, NULL) != DROVER_OK)
        return NULL;
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = '\0';
    return text;
}

static void say(struct config_messages *messages, const char *text)
{
    messages->lines = calloc(1, sizeof(*messages->lines));
    if (messages->lines != NULL)
        messages->lines[0] = strdup(text);
    messages->count = messages->lines != NULL && messages->lines[0] != NULL;
}

enum drover_status config_file_load(const char *path, struct config **ret_config, struct config_messages *ret_messages)
{
    static const struct config_sources sources = {.env = read_env, .file = read_secret, .disk = &config_file_disk};
    char *text = NULL, *directory = sys_absolute_path(path);
    struct drover_error error = {0};
    size_t size = 0;
    enum drover_status status = sys_read_file(path, CONFIG_SIZE_MAX, &text, &size, &error);

    *ret_messages = (struct config_messages){0};
    if (status == DROVER_OK && directory == NULL)
        status = drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "%.200s: out of memory", path);
    if (status == DROVER_OK) {
        char *slash = strrchr(directory, '/');
        slash[slash == directory] = '\0'; /* of a file in the root folder the slash remains */
        status = config_parse(text, size, path, directory, &sources, ret_config, ret_messages);
    } else {
        say(ret_messages, error.text);
    }
    free(directory);
    free(text);
    return status;
}
