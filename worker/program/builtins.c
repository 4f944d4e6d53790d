/* builtins.c - see builtins.h */
#include "worker/program/builtins.h"

#include <string.h>

#include "common/base/text.h"

#define BUILTIN(interface, name, symbol) extern const struct drover_driver *const symbol;
#include "common/config/builtins.def"
#undef BUILTIN

static const char *const names[] = {
#define BUILTIN(interface, name, symbol) #interface "/" #name,
#include "common/config/builtins.def"
#undef BUILTIN
};

/* In the order of `names`. */
static const struct drover_driver *const *const drivers[] = {
#define BUILTIN(interface, name, symbol) &symbol,
#include "common/config/builtins.def"
#undef BUILTIN
};

#define COUNT (sizeof(names) / sizeof(names[0]))

const struct drover_driver *builtin_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(names[i], name) == 0)
            return *drivers[i];
    }
    return NULL;
}

const char *builtin_nearest(const char *word)
{
    return text_nearest(word, names, COUNT);
}

void builtin_list(FILE *out)
{
    for (size_t i = 0; i < COUNT; i++)
        fprintf(out, "%-20s %s\n", names[i], (*drivers[i])->summary ? (*drivers[i])->summary : "");
}
