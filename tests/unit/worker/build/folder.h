/* folder.h - a folder of a test's own, with files in it */
#ifndef TEST_BUILD_FOLDER_H
#define TEST_BUILD_FOLDER_H

#include <stddef.h>
#include <sys/types.h>

/* Make one; its path stays valid until folder_remove(). */
const char *folder_make(void);
void folder_remove(void);

/* `name` in the folder, in one of eight buffers that are used in turn. */
const char *folder_path(const char *name);

/* Make a file with `size` octets of `data`, and the folders that lead to it. Returns its path. */
const char *folder_write_bytes(const char *name, mode_t mode, const void *data, size_t size);
const char *folder_write(const char *name, mode_t mode, const char *text);

#endif
