/* versions.c - what versions are made of: artefacts as they are run, and configurations, by their hashes */
#include "worker/host/versions.h"

#include <stdlib.h>

#include <utlist.h>

#include "worker/host/runnable.h"
#include "worker/host/wanted.h"

struct runnable *versions_runnable(const struct service *service, const struct rollout_hash *hash)
{
    struct runnable *runnable;
    LL_FOREACH (service->runnables, runnable) {
        if (rollout_hash_equal(&runnable->hash, hash))
            return runnable;
    }
    return NULL;
}

static struct configuration *find_configuration(const struct service *service, const struct rollout_hash *hash)
{
    struct configuration *configuration;
    LL_FOREACH (service->configurations, configuration) {
        if (rollout_hash_equal(&configuration->hash, hash))
            return configuration;
    }
    return NULL;
}

/* What is known already is replaced: the same bytes, but maybe made elsewhere. */
void versions_keep(struct service *service, struct runnable *runnable)
{
    struct runnable *known = versions_runnable(service, &runnable->hash);
    if (known != NULL) {
        LL_DELETE(service->runnables, known);
        (void)runnable_unref(known);
    }
    LL_PREPEND(service->runnables, runnable);
}

bool versions_keep_configuration(struct service *service, const struct rollout_hash *hash, struct wanted *wanted)
{
    struct configuration *configuration = find_configuration(service, hash);
    if (configuration == NULL) {
        configuration = calloc(1, sizeof(*configuration));
        if (configuration == NULL)
            return false;
        configuration->hash = *hash;
        LL_PREPEND(service->configurations, configuration);
    }
    struct wanted *before = configuration->wanted;
    configuration->wanted = wanted_ref(wanted);
    (void)wanted_unref(before);
    return true;
}

typedef bool uses_fn(const struct rollout_version *version, const struct rollout_hash *hash);

static bool uses_artefact(const struct rollout_version *version, const struct rollout_hash *hash)
{
    return rollout_hash_equal(&version->artefact, hash);
}

static bool uses_configuration(const struct rollout_version *version, const struct rollout_hash *hash)
{
    return rollout_hash_equal(&version->configuration, hash);
}

static bool is_used(const struct service *service, uses_fn *uses, const struct rollout_hash *hash)
{
    const struct rollout *rollout = &service->rollout;
    const struct rollout_version *const versions[] = {
        &rollout->active.version, &rollout->leaving.version, &rollout->candidate.version, &rollout->previous,
        &rollout->home,           &rollout->pending.version, &rollout->wanted.version,    &service->version};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (uses(versions[i], hash))
            return true;
    for (unsigned i = 0; i < rollout->memory.stable_count; i++)
        if (uses(&rollout->memory.stable[i], hash))
            return true;
    return false;
}

void versions_drop_unused(struct service *service)
{
    struct runnable *runnable, *next;
    struct configuration *configuration, *after;
    LL_FOREACH_SAFE(service->runnables, runnable, next)
    {
        if (is_used(service, uses_artefact, &runnable->hash))
            continue;
        LL_DELETE(service->runnables, runnable);
        (void)runnable_unref(runnable);
    }
    LL_FOREACH_SAFE(service->configurations, configuration, after)
    {
        if (is_used(service, uses_configuration, &configuration->hash) || configuration->wanted == service->wanted)
            continue;
        LL_DELETE(service->configurations, configuration);
        (void)wanted_unref(configuration->wanted);
        free(configuration);
    }
}

struct wanted *versions_wanted(const struct service *service, const struct rollout_hash *hash)
{
    const struct configuration *configuration = find_configuration(service, hash);
    return configuration != NULL ? configuration->wanted : NULL;
}

/* Can this version be started without being obtained? */
static bool is_startable(struct service *service, const struct rollout_version *version)
{
    if (!wanted_fits(service->wanted, version))
        return false;
    if (versions_runnable(service, &version->artefact) != NULL)
        return true;
    struct runnable *runnable = service->wanted->service.origin != NULL
                                    ? runnable_in_store(service->host, &version->artefact)
                                    : runnable_of_program(service->host, service->wanted);
    if (runnable == NULL)
        return false;
    const bool same = rollout_hash_equal(&runnable->hash, &version->artefact);
    versions_keep(service, runnable);
    return same;
}

void versions_forget_unstartable(struct service *service, struct rollout_memory *memory)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < memory->stable_count; i++)
        if (is_startable(service, &memory->stable[i]))
            memory->stable[kept++] = memory->stable[i];
    memory->stable_count = kept;
}
