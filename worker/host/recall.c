/* recall.c - see recall.h */
#include "worker/host/recall.h"

#include "worker/host/remember.h"
#include "worker/host/wanted.h"

bool recall_has_stable(const char *folder, const struct host_service *service)
{
    struct rollout_memory memory;
    struct drover_error ignored;
    struct wanted *wanted = wanted_new(service);
    bool found = false;
    if (wanted == NULL || remember_look(folder, service->name, &memory, &ignored) != DROVER_OK)
        memory.stable_count = 0;
    for (unsigned i = 0; i < memory.stable_count && !found; i++)
        found = wanted_fits(wanted, &memory.stable[i]);
    (void)wanted_unref(wanted);
    return found;
}
