/* child.h - one worker process as the host sees it: page, descriptors in the epoll set, output, events */
#ifndef DROVER_HOST_CHILD_H
#define DROVER_HOST_CHILD_H

#include "worker/host/state.h"

/* Decide on a child for `replica`: gives it a number and a page, and announces it (HOST_EXPECT). A page that cannot
 * be made is remembered and makes child_start() fail. NULL when there is no memory. */
struct child *child_new(struct host *host, struct replica *replica);

/* Take it out of the host's list and release it. Returns NULL. */
struct child *child_free(struct host *host, struct child *child);

/* Fork. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status child_start(struct host *host, struct child *child, struct drover_error *error);

/* Close its start word, once, and tell (HOST_CLOSED). */
void child_close_word(struct host *host, struct child *child);

/* It is dead, or was never started: cut it from its replica and tell (HOST_LOST); takes it. */
void child_lose(struct host *host, struct child *child);

/* Read what a pipe holds, at most `limit` octets; at its end the pipe is closed. */
void child_read(struct host *host, struct child *child, enum capture_source source, size_t limit);

/* Read what is left in both pipes and close them. */
void child_finish_output(struct host *host, struct child *child);

/* The lines of the replica that it belongs to. */
struct capture_log *child_log(const struct child *child);

/* The plan that it was or will be started with; borrows from the child's generation. */
struct launch_plan child_plan(const struct host *host, const struct child *child);

/* The living child of a number, or NULL. */
struct child *child_find(const struct host *host, uint64_t number);

#endif
