/* tools.h - the programs that a build uses, and who they are */
#ifndef DROVER_BUILD_TOOLS_H
#define DROVER_BUILD_TOOLS_H

#include <drover/status.h>

#include "worker/build/digest.h"
#include "worker/build/words.h"

/* Where programs are looked for when the environment does not say. */
#define TOOLS_DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* The first executable file `name` in the absolute folders of PATH, for the caller to free(); NULL when there is none
 * (or no memory). */
char *tool_find(const char *name);

/* The value of PATH without relative folders, for the caller to free(). NULL when there is no memory. */
char *tools_path(void);

/* Add who the program at `path` is: its path, size and time of change, and what it answers to each of `questions`
 * ("--version"; NULL ends it). Errors: NOT_FOUND, FAILED_PRECONDITION (it does not answer). */
DROVER_MUST_CHECK enum drover_status tool_identify(const char *path, const char *const *questions,
                                                   struct digest *digest, struct drover_error *error);

/* Ask pkg-config about `packages`: `question` is "--modversion", or "--cflags" with `question2` "--libs". The answer is
 * added to `words`, split as a shell would. drover-worker itself, which each build has, is not asked for. Errors:
 * FAILED_PRECONDITION (one is not installed, or there is no pkg-config). */
DROVER_MUST_CHECK enum drover_status tools_ask_packages(const struct words *packages, const char *question,
                                                        const char *question2, struct words *words,
                                                        struct drover_error *error);

#endif
