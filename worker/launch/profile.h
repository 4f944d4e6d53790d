/* profile.h - command lines of drover-launch: one for a compile, one for a worker
 *
 * What a profile grants beyond what it is told to:
 *   - both may read and execute the system's programs and libraries, and read /proc (Landlock keeps the secrets of
 *     processes outside the sandbox), /dev/null and random numbers;
 *   - neither is root, unless a worker is told to stay so: where the caller is root, and names no other user, it is
 *     SANDBOX_NOBODY;
 *   - no core dumps.
 *
 * drover-launch kills no process group when time is up: its caller does.
 */
#ifndef DROVER_LAUNCH_PROFILE_H
#define DROVER_LAUNCH_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/status.h>

#define SANDBOX_NOBODY 65534

/* What is done when a part of the sandbox does not hold on this system. */
enum sandbox_policy {
    SANDBOX_REQUIRED,    /* the program is not run */
    SANDBOX_BEST_EFFORT, /* it is run with what holds */
    SANDBOX_OFF,         /* nothing but user and limits is tried */
};

enum sandbox_network {
    SANDBOX_NETWORK_NONE,     /* no sockets at all */
    SANDBOX_NETWORK_UNIX,     /* sockets of this machine with a path */
    SANDBOX_NETWORK_LOOPBACK, /* and TCP and UDP, which should stay on this machine: nothing can hold that yet */
    SANDBOX_NETWORK_OUTBOUND, /* and TCP and UDP; no TCP port may be bound */
};

/* "required", "best-effort", "off"; "none", "unix", "loopback", "outbound". Names are never NULL; false for a word that
 * is none. */
const char *sandbox_policy_name(enum sandbox_policy policy);
bool sandbox_policy_parse(const char *word, enum sandbox_policy *ret);
const char *sandbox_network_name(enum sandbox_network network);
bool sandbox_network_parse(const char *word, enum sandbox_network *ret);

/* What both profiles have; all borrowed. Lists end with NULL and may be NULL. */
struct sandbox_common {
    const char *launcher; /* path of drover-launch */
    enum sandbox_policy policy;
    const char *const *read;      /* paths: the source, the SDK; what was granted, which a worker may execute, too */
    const char *const *write;     /* besides the folder of the profile */
    const char *const *env;       /* NAME=VALUE */
    uint64_t memory_bytes, cpu_s; /* 0: what the profile says */
    uid_t uid;                    /* 0: SANDBOX_NOBODY for root, no change for others */
    gid_t gid;                    /* 0: the same number as uid */
    bool namespaces;              /* where they are to be had */
    pid_t parent;                 /* 0: not checked */
    int report_fd;                /* -1: none */
    const char *const *command;   /* program (with a '/') and arguments */
};

/* A compile may change `folder` only, which is its TMPDIR and HOME, too, has no sockets, 2 GiB of memory, 120 s of
 * processor time, files of 256 MiB, 256 descriptors, 256 processes, and an environment of its own. */
struct sandbox_compile {
    struct sandbox_common common;
    const char *folder;
};

/* A worker may change its `folder`, which is its TMPDIR and HOME, too, reach the broker and what `network` says. It has
 * 1024 processes beyond those of its user and 1024 descriptors, no limit of memory or time unless one is given, and of
 * the caller's environment what names its language, time zone and broker; with the policy `off` all of it. */
struct sandbox_worker {
    struct sandbox_common common;
    const char *folder;           /* NULL: none */
    enum sandbox_network network; /* none means unix here: the broker is behind such a socket */
    bool stays_root;              /* where the caller is root and `uid` is 0 */
    gid_t group;                  /* of another user: one more group, for the broker's socket; 0: none */
    uint64_t processors;          /* 0: all */
    const char *libraries;        /* a folder to be read and searched for libraries; NULL: none */
    const char *module;           /* NULL, or the file whose copy is the last argument of the program */
    const char *artefact;         /* SHA-256 in hex of the module or else the program; NULL: what lies there is run */
    const char *name;             /* what lists of processes show; NULL: the program */
    const int *keep_fds;          /* descriptors of its own: the start word's page, the lifeline */
    size_t keep_count;
};

/* Make a command line, ended by NULL, for the caller to release with sandbox_argv_free(). Errors: INVALID_ARGUMENT (no
 * command, no folder for a compile, more paths than drover-launch takes), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status sandbox_compile_argv(const struct sandbox_compile *compile, char ***ret,
                                                          struct drover_error *error);
DROVER_MUST_CHECK enum drover_status sandbox_worker_argv(const struct sandbox_worker *worker, char ***ret,
                                                         struct drover_error *error);
char **sandbox_argv_free(char **argv);

#endif
