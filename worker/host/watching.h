/* watching.h - which files and folders of a host are watched, and what comes of it */
#ifndef DROVER_HOST_WATCHING_H
#define DROVER_HOST_WATCHING_H

#include "worker/host/state.h"

/* Watch from where the service's driver comes, as it is wanted now, and nothing else of it: before that is obtained, so
 * that no change is missed. `before` is what was wanted (NULL: nothing). What cannot be watched is told. */
void watching_set(struct service *service, const struct wanted *before, uint64_t now_ms);
void watching_end(struct service *service);

/* How, in a few words: "inotify", "polled: ..."; "" when it is not watched. Borrowed. */
const char *watching_report(const struct service *service);

DROVER_MUST_CHECK enum drover_status watching_configuration(struct host *host, const char *path, uint64_t now_ms,
                                                            struct drover_error *error);

/* Take what has changed: services look for their drivers. */
void watching_step(struct host *host, uint64_t now_ms);
uint64_t watching_next_ms(const struct host *host);

#endif
