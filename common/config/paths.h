/* paths.h - paths as text: nothing here looks at the disk */
#ifndef DROVER_CONFIG_PATHS_H
#define DROVER_CONFIG_PATHS_H

#include <stdbool.h>

/* `path` itself if it is absolute, else below `directory`; without "." and double slashes. ".." is kept, as only the
 * disk knows what it means behind a link. For the caller to free(); NULL when there is no memory. */
char *path_resolve(const char *directory, const char *path);

/* The same with each ".." taken away together with the name before it: good enough for a suggestion. */
char *path_resolve_folded(const char *directory, const char *path);

/* Is one of the components of `path` ".."? */
bool path_has_parent(const char *path);

/* The last component; borrowed from `path`, which must not end in a slash. */
const char *path_base(const char *path);

#endif
