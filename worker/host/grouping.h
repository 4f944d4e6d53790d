/* grouping.h - services of a host that switch together: all of them, or none */
#ifndef DROVER_HOST_GROUPING_H
#define DROVER_HOST_GROUPING_H

#include "worker/host/state.h"

/* Make room for one more member of the group. False when there is no memory. */
bool groups_reserve(struct host *host, uint64_t number);

/* The service is one of it. */
void groups_join(struct host *host, uint64_t number, struct service *service);

/* The service goes away: its group is given up. */
void groups_leave(struct host *host, const struct service *service);

/* Judge each group, and tell what has become of it. True when a service was told something. */
bool groups_step(struct host *host, uint64_t now_ms);

/* The group that the service is a member of; 0: none. */
uint64_t groups_of(const struct service *service);

void groups_free(struct host *host);

#endif
