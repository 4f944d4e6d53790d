/* environment.c - see environment.h */
#include "worker/launch/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t count_variables(char **variables)
{
    size_t count = 0;

    while (variables != NULL && variables[count] != NULL)
        count++;
    return count;
}

/* Does one of `items`, NAME or NAME=VALUE, have the name of the variable `entry`? */
static bool names(const struct option_list *items, const char *entry)
{
    const size_t size = strcspn(entry, "=");

    for (size_t i = 0; i < items->count; i++)
        if (strcspn(items->items[i], "=") == size && strncmp(items->items[i], entry, size) == 0)
            return true;
    return false;
}

char **environment_make(const struct settings *settings)
{
    char **environment = calloc(count_variables(environ) + settings->env.count + 1, sizeof(*environment));
    size_t used = 0;

    if (environment == NULL)
        return NULL;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (!names(&settings->env, *entry) && (!settings->clear_env || names(&settings->keep_env, *entry)))
            environment[used++] = *entry;
    for (size_t i = 0; i < settings->env.count; i++)
        environment[used++] = (char *)(uintptr_t)settings->env.items[i]; /* execve() takes them so, and changes none */
    return environment;
}
