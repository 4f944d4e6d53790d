/* print.h - what stat() says of files, as one number to compare
 *
 * Left out is what reading changes: the access time.
 */
#ifndef DROVER_WATCH_PRINT_H
#define DROVER_WATCH_PRINT_H

#include <stdint.h>
#include <sys/stat.h>

#define PRINT_START UINT64_C(0xcbf29ce484222325)

/* Go on with a number that began as PRINT_START. */
uint64_t print_number(uint64_t print, uint64_t number);
uint64_t print_text(uint64_t print, const char *text);

/* Device, inode, mode, size, and the times of the last change of content and of inode. */
uint64_t print_stat(uint64_t print, const struct stat *about);

#endif
