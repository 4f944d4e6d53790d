/* filesystem.h - where inotify does not see everything: other machines, and other ways to the same files */
#ifndef DROVER_WATCH_FILESYSTEM_H
#define DROVER_WATCH_FILESYSTEM_H

#include <stdint.h>

/* What a filesystem of this type (statfs(2), f_type) is called, if files in it may change without an event; else
 * NULL. */
const char *filesystem_blind(uint32_t type);

/* The same for the filesystem of `path`; NULL when it cannot be told. */
const char *filesystem_blind_at(const char *path);

#endif
