/* reference.h - what a driver reference means: a kind and a reason, never a guess
 *
 * Pure: what is on disk comes in through `struct reference_disk`. The rules are in reference.c, one function a row of
 * the table in docs/man/drover.yaml.5.scd, "Driver references".
 */
#ifndef DROVER_CONFIG_REFERENCE_H
#define DROVER_CONFIG_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>

enum reference_kind {
    REFERENCE_REFUSED,
    REFERENCE_BUILTIN,
    REFERENCE_EXECUTABLE,
    REFERENCE_MODULE,
    REFERENCE_SOURCE,
    REFERENCE_GIT,
};

enum reference_disk_kind {
    REFERENCE_DISK_NOTHING,
    REFERENCE_DISK_EXECUTABLE, /* a regular file with an x bit */
    REFERENCE_DISK_FILE,       /* a regular file without */
    REFERENCE_DISK_MODULE,     /* a shared object with a drover descriptor, whatever its mode */
    REFERENCE_DISK_LIBRARY,    /* a shared object without one, whatever its mode */
    REFERENCE_DISK_DIRECTORY,
    REFERENCE_DISK_OTHER,
};

/* The file system, as a parameter. `look` follows links; `path` is absolute. */
struct reference_disk {
    enum reference_disk_kind (*look)(void *context, const char *path);
    void *context;
};

/* In which setting a reference stands. Borrowed. */
struct reference_setting {
    const char *interface; /* "userprovider" */
    const char *directory; /* absolute: relative paths start here */
    bool plugins;
    char *const *driver_path; /* absolute folders */
    size_t driver_path_count;
    char *const *fetch_allow; /* schemes that git URLs may have; NULL: not known, and then no URL is refused for it */
    size_t fetch_allow_count;
    bool lenient; /* a path that no driver can come from now is decided as if one could: see `obstacle` */
};

#define REFERENCE_SIZE_MAX 4096 /* bytes; longer ones are refused */
#define REFERENCE_STEPS_MAX 32

/* The decision and every step that led to it. Release with reference_resolution_done(). */
struct reference_resolution {
    enum reference_kind kind;
    char *target;   /* built-in: "userprovider/json"; path kinds: the absolute path; git: the whole URL in its normal
                       form; NULL when refused */
    char *url;      /* git only: the target without ref and subfolder; NULL for the others */
    char *ref;      /* git only: branch, tag or commit; NULL for the repository's own branch */
    char *subdir;   /* git only: the folder inside of the repository; NULL for its top */
    char *name;     /* the driver's name: the settings section that belongs to it; NULL when refused */
    char *reason;   /* one line; NULL only when there was no memory, and then the reference is refused */
    char *warning;  /* one line for the log when the outcome is not what was asked for first, or NULL */
    char *obstacle; /* lenient only: why it would be refused, in the words of that; the kind is a guess then, a module
                       by its name, a source directory by the slash at its end, else an executable. NULL: it is there */
    char *steps[REFERENCE_STEPS_MAX];
    size_t step_count;
};

/* Resolve `reference`. Always fills in `*ret`. Passwords in URLs do not show in any text. */
void reference_resolve(const char *reference, const struct reference_setting *setting,
                       const struct reference_disk *disk, struct reference_resolution *ret);
void reference_resolution_done(struct reference_resolution *resolution);

/* The name of the driver that `reference` (which may be refused) names: the word, the base name without extension, the
 * repository or its subfolder. Stores it for the caller to free(), NULL when it names none. Returns false, storing
 * nothing, when there is no memory. */
DROVER_MUST_CHECK bool reference_driver_name(const char *reference, char **ret_name);

/* "builtin", "executable", "module", "source", "git", "refused". */
const char *reference_kind_name(enum reference_kind kind);

/* Is there a built-in driver of this interface and name (builtins.def)? */
bool reference_is_builtin(const char *interface, const char *name);

#endif
