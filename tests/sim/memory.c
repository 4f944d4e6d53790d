/* memory.c - counts the blocks of memory that are in use, so that a run can be seen to give all back
 *
 * The linker puts these functions in the place of the C library's for every object of the program (--wrap).
 */
#include <string.h>

#include "tests/sim/memory.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *text);

static size_t blocks;

size_t memory_blocks(void)
{
    return blocks;
}

void *__wrap_malloc(size_t size)
{
    void *memory = __real_malloc(size);
    blocks += memory != NULL;
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = __real_calloc(count, size);
    blocks += memory != NULL;
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    void *grown = __real_realloc(memory, size);
    blocks += memory == NULL && grown != NULL;
    return grown;
}

void __wrap_free(void *memory)
{
    blocks -= memory != NULL;
    __real_free(memory);
}

char *__wrap_strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}
