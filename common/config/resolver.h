/* resolver.h - one resolution in progress: shared by the files that resolve references, and by nobody else
 *
 * Every allocation passes through resolver_checked() or one of the functions that call it, so that a resolution that
 * was short of memory on its way is refused in the end, whatever it came to.
 */
#ifndef DROVER_CONFIG_RESOLVER_H
#define DROVER_CONFIG_RESOLVER_H

#include "common/config/reference.h"

#define RESOLVER_WORD_MAX 63
#define RESOLVER_QUOTE_SIZE 121

struct resolver {
    const char *reference;           /* as written */
    char quote[RESOLVER_QUOTE_SIZE]; /* as it may be shown */
    const struct reference_setting *setting;
    const struct reference_disk *disk;
    struct reference_resolution *result;
    bool no_memory;
};

/* "a source directory": what stands behind "is" in a message. */
const char *resolver_is_a(enum reference_kind kind);

/* Passes on what an allocation gave, and remembers when it gave nothing. */
char *resolver_checked(struct resolver *resolver, char *text);

/* Add a step (taken). Steps beyond the last slot are dropped: there are more slots than any row needs. */
void resolver_step(struct resolver *resolver, char *step);

/* Refuse for a reason (taken); NULL: for want of memory. */
void resolver_refuse(struct resolver *resolver, char *reason);

/* Decide for a kind; takes target, name and reason. */
void resolver_decide(struct resolver *resolver, enum reference_kind kind, char *target, char *name, char *reason);

/* Letters, digits, '-' and '_', and not too many? */
bool resolver_is_word(const char *text);

/* The rows that look at the registry and the disk (reference_local.c). `problem` is what is said of a word that is no
 * built-in driver: "is not built in". */
void resolve_builtin(struct resolver *resolver, const char *word, const char *problem);
void resolve_word(struct resolver *resolver, const char *word);
void resolve_path(struct resolver *resolver, const char *path);
void resolve_source(struct resolver *resolver, const char *path);
void resolver_refuse_unknown(struct resolver *resolver, const char *word, const char *problem);

/* The first place where `path` exists: below the configuration's folder, then below the driver path. Returns the
 * absolute path for the caller to free(), or NULL. */
char *resolver_find_path(struct resolver *resolver, const char *path, enum reference_disk_kind *ret_kind);

/* The base name of a path without its extension, for the caller to free(). NULL when there is no memory. */
char *resolver_name_of_path(const char *path);

#endif
