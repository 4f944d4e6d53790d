/* binary.h - what a file is as a program, told from its octets without running any of them
 *
 * A shared object is a driver module when it offers the symbol BINARY_DESCRIPTOR, which DROVER_DRIVER() of
 * drover/worker.h makes. It is looked up as the dynamic linker would, through the hash tables, so whatever is said here
 * is what dlsym() will find; section names, which a stripped file lacks, are not used.
 *
 * The file may be anybody's: every number in it is checked before it is believed, and how much is read does not depend
 * on what it claims.
 */
#ifndef DROVER_SYS_BINARY_H
#define DROVER_SYS_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The symbol by which a module names its table of functions. */
#define BINARY_DESCRIPTOR "drover_driver_descriptor"

enum binary_kind {
    BINARY_UNREADABLE, /* cannot be opened: errno says why */
    BINARY_EMPTY,
    BINARY_OTHER,      /* text, data, a folder, a device */
    BINARY_SCRIPT,     /* begins with #! */
    BINARY_EXECUTABLE, /* ELF for this machine; position-independent ones and static ones too */
    BINARY_MODULE,     /* a shared object with the descriptor */
    BINARY_LIBRARY,    /* a shared object without */
    BINARY_OBJECT,     /* ELF, and neither executable nor shared: an object file, a core dump */
    BINARY_ALIEN,      /* ELF for another kind of machine */
    BINARY_DAMAGED,    /* begins as ELF, but cannot be understood, or is not all there */
    BINARY_KIND_END
};

/* Where the octets come from: `read` fills in `size` octets from position `at` on, or returns false. */
struct binary_source {
    bool (*read)(void *context, uint64_t at, void *data, size_t size);
    void *context;
};

/* What the octets are; never BINARY_UNREADABLE. */
enum binary_kind binary_examine(const struct binary_source *source);

/* The same of an open file, whose position is not moved, and of a path, whose links are followed. Anything but a
 * regular file is BINARY_OTHER. */
enum binary_kind binary_look(int file);
enum binary_kind binary_look_at(const char *path);

/* What stands behind "is": "an executable", "a shared object that is no driver (...)". Never NULL. */
const char *binary_kind_text(enum binary_kind kind);

#endif
