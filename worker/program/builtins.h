/* builtins.h - the drivers that are linked into drover-worker, as a table made of common/config/builtins.def */
#ifndef DROVER_PROGRAM_BUILTINS_H
#define DROVER_PROGRAM_BUILTINS_H

#include <stdio.h>

#include <drover/worker.h>

/* The driver called "interface/driver"; NULL when there is none. */
const struct drover_driver *builtin_find(const char *name);

/* The name nearest to `word`, or NULL. */
const char *builtin_nearest(const char *word);

/* One line a driver: "userprovider/json  <summary>". */
void builtin_list(FILE *out);

#endif
