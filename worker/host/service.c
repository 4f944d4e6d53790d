/* service.c - a service: its generations of replicas, its state, the reason it is not ready
 *
 * The reason is the last thing that went wrong. It stays when the workers are back (`drover status` shows it as
 * last_error) until all of them have been ready for 5 minutes, or a restart by hand, or a new generation.
 */
#include "worker/host/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/event.h"
#include "worker/host/obtaining.h"
#include "worker/host/replica.h"
#include "worker/host/wanted.h"
#include "worker/store/store.h"

#define DRAIN_LIMIT_MS UINT64_C(10000)

struct service *service_find(const struct host *host, const char *name)
{
    struct service *service;
    LL_FOREACH (host->services, service) {
        if (strcmp(service->name, name) == 0)
            return service;
    }
    return NULL;
}

/* Generations */

static struct generation *generation_free(struct generation *generation)
{
    if (generation == NULL)
        return NULL;
    generation->held = store_unlock(generation->held);
    free(generation->program);
    free(generation->module);
    free(generation->artefact);
    free(generation->library_folder);
    free(generation->replicas);
    (void)wanted_unref(generation->wanted);
    free(generation);
    return NULL;
}

/* What is run: the path of a program or module, what its bytes are, and where libdrover-worker is for it. Borrowed. */
struct driver {
    const char *program, *module, *artefact, *library_folder;
};

static bool copy_if(char **to, const char *text)
{
    *to = text != NULL ? strdup(text) : NULL;
    return text == NULL || *to != NULL;
}

/* Always room for a whole hash, so that it can be corrected in place. */
static char *copy_artefact(const char *artefact)
{
    char *copy = calloc(1, ARTEFACT_SIZE);
    if (copy != NULL)
        (void)snprintf(copy, ARTEFACT_SIZE, "%s", artefact != NULL ? artefact : "");
    return copy;
}

static void set_up_replicas(struct generation *generation)
{
    const struct host_service *options = &generation->wanted->service;
    const struct supervise_rules rules = {
        .restart_min_ms = options->restart_min_ms,
        .restart_max_ms = options->restart_max_ms,
        .ready_limit_ms = options->ready_limit_ms,
        .drain_limit_ms = options->drain_limit_ms != 0 ? options->drain_limit_ms : DRAIN_LIMIT_MS,
    };
    for (unsigned i = 0; i < generation->count; i++) {
        generation->replicas[i].generation = generation;
        generation->replicas[i].index = i;
        supervise_init(&generation->replicas[i].machine, &rules);
    }
}

static struct generation *generation_new(struct wanted *wanted, const struct driver *driver)
{
    const struct host_service *options = &wanted->service;
    struct generation *generation = calloc(1, sizeof(*generation));
    if (generation == NULL)
        return NULL;
    generation->wanted = wanted_ref(wanted);
    generation->interface = options->interface;
    generation->driver = options->driver;
    generation->directory = options->directory;
    generation->builtin = options->builtin;
    generation->folder = options->folder;
    generation->sandbox = options->sandbox;
    generation->count = options->replicas;
    generation->replicas = calloc(options->replicas, sizeof(*generation->replicas));
    const bool good =
        copy_if(&generation->module, driver->module) && copy_if(&generation->library_folder, driver->library_folder);
    generation->program = strdup(driver->program);
    generation->artefact = copy_artefact(driver->artefact);
    if (generation->replicas == NULL || generation->program == NULL || generation->artefact == NULL || !good)
        return generation_free(generation);
    if (stat(generation->program, &generation->seen) != 0)
        generation->seen = (struct stat){0}; /* starting it will say why */
    set_up_replicas(generation);
    return generation;
}

static bool generation_has_ended(const struct generation *generation)
{
    for (unsigned i = 0; i < generation->count; i++)
        if (generation->replicas[i].machine.state != SUPERVISE_STOPPED)
            return false;
    return true;
}

static void generation_event(struct generation *generation, enum supervise_event event, uint64_t now_ms)
{
    for (unsigned i = 0; i < generation->count; i++)
        replica_event(&generation->replicas[i], event, now_ms);
}

/* Services */

static struct service *service_new(struct host *host, const char *name)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->host = host;
    service->name = strdup(name);
    service->state = HOST_SERVICE_STOPPED;
    service->state_event.kind = HOST_SERVICE_STATE;
    service->state_event.service = service;
    service->obtained_event.kind = HOST_OBTAINED;
    service->obtained_event.service = service;
    return service->name != NULL ? service : service_free(service);
}

struct service *service_free(struct service *service)
{
    if (service == NULL)
        return NULL;
    (void)obtaining_free(service->obtaining, 0);
    for (unsigned i = 0; i < service->log_count; i++)
        capture_log_done(&service->logs[i]);
    free(service->logs);
    while (service->retired != NULL) {
        struct generation *newest = service->retired;
        service->retired = newest->next;
        (void)generation_free(newest);
    }
    (void)generation_free(service->current);
    (void)wanted_unref(service->wanted);
    free(service->name);
    free(service);
    return NULL;
}

/* Logs outlive generations: a replica writes on where the one before it in the same place stopped. */
static bool grow_logs(struct service *service, unsigned count)
{
    if (count <= service->log_count)
        return true;
    struct capture_log *logs = realloc(service->logs, count * sizeof(*logs));
    if (logs == NULL)
        return false;
    memset(&logs[service->log_count], 0, (count - service->log_count) * sizeof(*logs));
    service->logs = logs;
    service->log_count = count;
    return true;
}

/* The generation before drains at its leisure; any older one has had its time. */
static void retire_current(struct service *service, uint64_t now_ms)
{
    struct generation *older;
    LL_FOREACH (service->retired, older) {
        generation_event(older, SUPERVISE_ON_STOP, now_ms);
    }
    if (service->current == NULL)
        return;
    generation_event(service->current, SUPERVISE_ON_DRAIN, now_ms);
    LL_PREPEND(service->retired, service->current);
    service->current = NULL;
}

static void clear_reason(struct service *service)
{
    service->changed |= service->reason[0] != '\0';
    service->reason[0] = '\0';
}

/* From now on `generation` (taken) is what serves. */
static void put_in_place(struct service *service, struct generation *generation, uint64_t now_ms)
{
    retire_current(service, now_ms);
    generation->service = service;
    generation->number = ++service->last_generation;
    service->current = generation;
    clear_reason(service);
    generation_event(generation, SUPERVISE_ON_RESTART, now_ms);
}

/* A driver that is there already. */
static struct generation *generation_of_program(const struct host *host, struct wanted *wanted)
{
    const struct host_service *options = &wanted->service;
    const struct driver driver = {.program = options->program != NULL ? options->program : host->worker_program,
                                  .artefact = options->artefact,
                                  .library_folder = host->library_folder};
    return generation_new(wanted, &driver);
}

/* Instead of what was wanted before, which is not obtained any more. */
static void obtain(struct service *service, struct obtaining *obtaining, uint64_t now_ms)
{
    (void)obtaining_free(service->obtaining, now_ms);
    event_remove(&service->host->events, &service->obtained_event);
    service->obtaining = obtaining;
    if (obtaining != NULL)
        obtaining_event(obtaining, OBTAIN_ON_BEGIN, now_ms);
}

enum drover_status service_set(struct host *host, const struct host_service *options, uint64_t now_ms,
                               struct drover_error *error)
{
    struct service *known = service_find(host, options->name);
    struct service *service = known != NULL ? known : service_new(host, options->name);
    struct wanted *wanted = wanted_new(options);
    struct obtaining *obtaining = NULL;
    struct generation *generation = NULL;
    if (service == NULL || wanted == NULL || !grow_logs(service, options->replicas))
        goto fail;
    if (options->origin != NULL)
        obtaining = obtaining_new(service, wanted);
    else
        generation = generation_of_program(host, wanted);
    if (obtaining == NULL && generation == NULL)
        goto fail;

    if (known == NULL)
        LL_APPEND(host->services, service);
    (void)wanted_unref(service->wanted);
    service->wanted = wanted;
    clear_reason(service);
    obtain(service, obtaining, now_ms);
    if (generation != NULL)
        put_in_place(service, generation, now_ms);
    return DROVER_OK;

fail:
    (void)wanted_unref(wanted);
    if (known == NULL)
        (void)service_free(service);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory to start it", options->name);
}

/* --- drivers that are obtained -------------------------------------------------------------------------------------
 */

/* Whoever cleans the store up must not take what runs. That it cannot be held is no reason not to run it. */
static struct store_lock *hold(struct host *host, const char *artefact)
{
    struct store_lock *lock = NULL;
    struct drover_error ignored = {0};
    if (host->store == NULL && store_open(host->store_path, NULL, &host->store, &ignored) != DROVER_OK)
        return NULL;
    return store_hold(host->store, STORE_ARTEFACT, artefact, &lock, &ignored) == DROVER_OK ? lock : NULL;
}

static struct generation *generation_of_finding(struct host *host, struct wanted *wanted, const struct finding *finding)
{
    const struct driver driver = {
        .program = finding->module ? host->worker_program : finding->path,
        .module = finding->module ? finding->path : NULL,
        .artefact = finding->obtained.artefact,
        .library_folder = finding->library_folder != NULL ? finding->library_folder : host->library_folder,
    };
    struct generation *generation = generation_new(wanted, &driver);
    if (generation == NULL)
        return NULL;
    generation->verified = true;
    generation->held = hold(host, finding->obtained.artefact);
    return generation;
}

static bool runs_already(const struct service *service, const struct finding *finding)
{
    const struct generation *current = service->current;
    return current != NULL && current->wanted == service->wanted &&
           strcmp(current->artefact, finding->obtained.artefact) == 0;
}

void service_obtained(struct service *service, uint64_t now_ms)
{
    const struct finding *finding = &service->obtaining->finding;
    event_push(&service->host->events, &service->obtained_event);
    if (runs_already(service, finding)) {
        clear_reason(service);
        generation_event(service->current, SUPERVISE_ON_RESTART, now_ms);
        return;
    }
    struct generation *generation = generation_of_finding(service->host, service->wanted, finding);
    if (generation != NULL)
        put_in_place(service, generation, now_ms);
    else
        service_not_obtained(service, "no memory to start it ('drover restart' tries again)");
}

static void set_reason(struct service *service, const char *text)
{
    if (strcmp(service->reason, text) == 0)
        return;
    (void)snprintf(service->reason, sizeof(service->reason), "%s", text);
    service->changed = true;
}

void service_not_obtained(struct service *service, const char *reason)
{
    set_reason(service, reason);
}

/* What is in the store is compared with its name and made again, once: a store that damages all goes the way of any
 * driver that cannot be started. */
void service_driver_damaged(struct service *service, uint64_t now_ms)
{
    if (service->obtaining == NULL || service->repaired)
        return;
    service->repaired = true;
    obtaining_event(service->obtaining, OBTAIN_ON_BEGIN, now_ms);
}

void service_worker_ready(struct service *service)
{
    service->repaired = false;
}

/* --- events --------------------------------------------------------------------------------------------------------
 */

void service_restart(struct service *service, uint64_t now_ms)
{
    clear_reason(service);
    if (service->obtaining != NULL)
        obtaining_event(service->obtaining, OBTAIN_ON_BEGIN, now_ms);
    else
        generation_event(service->current, SUPERVISE_ON_RESTART, now_ms);
}

void service_drain(struct service *service, uint64_t now_ms)
{
    char reason[REASON_SIZE];
    if (service->obtaining != NULL)
        obtaining_event(service->obtaining, OBTAIN_ON_STOP, now_ms);
    if (service->current != NULL)
        generation_event(service->current, SUPERVISE_ON_DRAIN, now_ms);
    (void)snprintf(reason, sizeof(reason), "stopped by hand ('drover restart %s' starts it)", service->name);
    set_reason(service, reason);
}

void service_stop(struct service *service, uint64_t now_ms)
{
    struct generation *retired;
    if (service->obtaining != NULL)
        obtaining_event(service->obtaining, OBTAIN_ON_STOP, now_ms);
    if (service->current != NULL)
        generation_event(service->current, SUPERVISE_ON_STOP, now_ms);
    LL_FOREACH (service->retired, retired) {
        generation_event(retired, SUPERVISE_ON_STOP, now_ms);
    }
    set_reason(service, "drover is stopping");
}

void service_set_reason(const struct generation *generation, const char *text)
{
    if (generation == generation->service->current)
        set_reason(generation->service, text);
}

/* How many replicas of the current generation are what. */
struct census {
    unsigned ready, healthy, wanted, looping;
};

static struct census count_replicas(const struct generation *generation)
{
    struct census census = {0};
    for (unsigned i = 0; i < generation->count; i++) {
        const struct supervise *machine = &generation->replicas[i].machine;
        census.ready += machine->state == SUPERVISE_READY;
        census.healthy += machine->state == SUPERVISE_READY && machine->healthy;
        census.wanted += machine->wanted;
        census.looping += machine->wanted && machine->looping;
    }
    return census;
}

static enum host_service_state judge_replicas(const struct census *census, unsigned count)
{
    if (census->ready == count)
        return HOST_SERVICE_READY;
    if (census->ready > 0)
        return HOST_SERVICE_DEGRADED;
    if (census->wanted == 0)
        return HOST_SERVICE_STOPPED;
    return census->looping == census->wanted ? HOST_SERVICE_CRASHLOOP : HOST_SERVICE_STARTING;
}

static void drop_ended_generations(struct service *service)
{
    struct generation **link = &service->retired;
    while (*link != NULL) {
        struct generation *generation = *link;
        if (!generation_has_ended(generation)) {
            link = &generation->next;
            continue;
        }
        *link = generation->next;
        (void)generation_free(generation);
    }
}

/* What is said when nothing runs and nothing is to: the driver is on its way, cannot be had, or nobody wants it. */
static enum host_service_state judge_obtaining(const struct obtaining *obtaining)
{
    if (obtaining != NULL && obtain_is_busy(&obtaining->machine))
        return HOST_SERVICE_BUILDING;
    return obtaining != NULL && obtaining->quarantine ? HOST_SERVICE_QUARANTINED : HOST_SERVICE_STOPPED;
}

static enum host_service_state judge(const struct service *service)
{
    enum host_service_state state = HOST_SERVICE_STOPPED;
    if (service->current != NULL) {
        const struct census census = count_replicas(service->current);
        state = judge_replicas(&census, service->current->count);
    }
    return state == HOST_SERVICE_STOPPED ? judge_obtaining(service->obtaining) : state;
}

static bool is_healthy(const struct generation *generation)
{
    return generation != NULL && count_replicas(generation).healthy == generation->count;
}

void service_update(struct service *service)
{
    const enum host_service_state state = judge(service);
    if (is_healthy(service->current))
        clear_reason(service);
    if (state != service->state || service->changed)
        event_push(&service->host->events, &service->state_event);
    service->state = state;
    service->changed = false;
    drop_ended_generations(service);
}

struct replica *service_replica(const struct service *service, unsigned index)
{
    const struct generation *generation = service->current != NULL ? service->current : service->retired;
    while (generation != NULL && index >= generation->count) {
        index -= generation->count;
        generation = generation == service->current ? service->retired : generation->next;
    }
    return generation != NULL ? &generation->replicas[index] : NULL;
}
