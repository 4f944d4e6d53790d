/* replace.h - a file that gets its next content as a whole or not at all */
#ifndef DROVER_SYS_REPLACE_H
#define DROVER_SYS_REPLACE_H

#include <stddef.h>

/* Write `size` bytes to `file`, which is empty and open for writing at `temporary`, bring them to the disk, and let it
 * take the place of `path`, in the same folder. Readers see the old content or the new one, wherever the process or the
 * power goes. `file` stays open. Returns 0, or an errno; then `temporary` is gone and `path` is as it was. */
int replace_file(const char *path, const char *temporary, int file, const void *data, size_t size);

/* Bring the names of the folder that `path` is in to the disk. Best effort: what is found after a loss of power is old
 * or new, and whole in any case. */
void replace_sync_folder(const char *path);

#endif
