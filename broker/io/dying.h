/* dying.h - dead workers whose last words have not all been read yet */
#ifndef DROVER_IO_DYING_H
#define DROVER_IO_DYING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DYING_LIMIT_MS 50 /* after this a death is applied whatever the socket says */

struct dying_worker {
    uint64_t worker;
    uint64_t started;
    uint64_t until_ms;
};

struct dying {
    struct dying_worker *workers;
    size_t count, capacity;
};

/* Aborts when there is no memory: a death must not be forgotten. */
void dying_add(struct dying *dying, uint64_t worker, uint64_t started, uint64_t now_ms);
bool dying_at(const struct dying *dying, size_t index, struct dying_worker *ret_worker);
void dying_remove(struct dying *dying, size_t index);
bool dying_is_empty(const struct dying *dying);
void dying_done(struct dying *dying);

#endif
