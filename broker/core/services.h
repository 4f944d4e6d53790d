/* services.h - the services of a core: set, refused, removed
 *
 * A service that is removed leaves the table at once, so that nobody finds it any more; its record lives as long as it
 * has workers, which may have calls. A new service of the name has nothing to do with it.
 */
#ifndef DROVER_CORE_SERVICES_H
#define DROVER_CORE_SERVICES_H

#include "broker/core/state.h"

/* The service of that name; NULL when there is none (any more). */
struct service *services_find(const struct core *core, const char *name);

/* Why calls to it are refused; NULL when they are not. Borrowed. */
const char *services_refusal(const struct service *service);

/* A worker of this service is gone: if the service is removed and that was the last one, it is freed. */
void services_worker_gone(struct core *core, struct service *service);

/* Free all services, removed ones too. They have no workers and no calls any more. */
void services_free_all(struct core *core);

#endif
