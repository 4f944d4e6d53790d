/* memory.h - how much memory is in use, in blocks */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>

/* Blocks that were allocated by code of this program and not freed. */
size_t memory_blocks(void);

#endif
