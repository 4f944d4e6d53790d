/* settings.h - the command line of drover-launch, read and checked */
#ifndef DROVER_LAUNCH_SETTINGS_H
#define DROVER_LAUNCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/status.h>

#include "common/base/options.h"
#include "worker/launch/profile.h"

enum limit {
#define LIMIT(NAME, option, resource, read, value, help) LIMIT_##NAME,
#include "worker/launch/limits.def"
#undef LIMIT
    LIMITS
};

/* All text is borrowed from argv. */
struct settings {
    enum sandbox_policy policy;
    enum sandbox_network network;
    struct option_list read, write, exec; /* granted paths */
    struct {
        bool given;
        uint64_t value;
    } limits[LIMITS];
    bool changes_user, has_group, namespaces;
    uid_t uid;
    gid_t gid, group;              /* `group`: besides its own */
    int processors;                /* 0: all */
    pid_t parent;                  /* 0: whoever it is now */
    int report_fd;                 /* -1: none */
    const char *name;              /* NULL: the program's */
    const char *artefact, *module; /* NULL: none; a module has an artefact */
    int keep[OPTION_LIST_MAX];
    size_t keep_count;
    bool clear_env;
    struct option_list keep_env, env;
    bool help, version;
    char **command; /* program and arguments, ended by NULL */
};

/* Read the command line. Without help or version there is a command, whose first word has a '/'. Errors:
 * INVALID_ARGUMENT, naming the option. */
DROVER_MUST_CHECK enum drover_status settings_read(int argc, char **argv, struct settings *ret,
                                                   struct drover_error *error);

/* The help of all options, for the caller to free(). NULL when there is no memory. */
char *settings_help(void);

#endif
