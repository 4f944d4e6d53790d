/* dying.c - see dying.h */
#include <stdlib.h>

#include "broker/io/dying.h"

void dying_add(struct dying *dying, uint64_t worker, uint64_t started, uint64_t now_ms)
{
    if (dying->count == dying->capacity) {
        dying->capacity = dying->capacity == 0 ? 16 : dying->capacity * 2;
        dying->workers = realloc(dying->workers, dying->capacity * sizeof(*dying->workers));
        if (dying->workers == NULL)
            abort();
    }
    dying->workers[dying->count++] =
        (struct dying_worker){.worker = worker, .started = started, .until_ms = now_ms + DYING_LIMIT_MS};
}

bool dying_at(const struct dying *dying, size_t index, struct dying_worker *ret_worker)
{
    if (index >= dying->count)
        return false;
    *ret_worker = dying->workers[index];
    return true;
}

void dying_remove(struct dying *dying, size_t index)
{
    for (size_t i = index + 1; i < dying->count; i++)
        dying->workers[i - 1] = dying->workers[i];
    dying->count--;
}

bool dying_is_empty(const struct dying *dying)
{
    return dying->count == 0;
}

void dying_done(struct dying *dying)
{
    free(dying->workers);
}
