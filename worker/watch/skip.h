/* skip.h - what in a tree is nobody's source */
#ifndef DROVER_WATCH_SKIP_H
#define DROVER_WATCH_SKIP_H

#include <stdbool.h>
#include <stddef.h>

/* Hidden folders (so .git) and folders called "build" are always left out. */
struct skip {
    char **names; /* of files and folders */
    size_t name_count;
    char **paths; /* absolute; links on the way to them are followed when they are added */
    size_t path_count;
};

/* Copy both lists, which may be NULL when they are empty. False when there is no memory; skip_done() is due anyway. */
bool skip_init(struct skip *skip, const char *const *names, size_t name_count, const char *const *paths,
               size_t path_count);
void skip_done(struct skip *skip);

/* True when `name` in `folder` (absolute, no links in it) is left out. */
bool skip_entry(const struct skip *skip, const char *folder, const char *name, bool is_folder);

#endif
