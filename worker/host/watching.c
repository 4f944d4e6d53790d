/* watching.c - which files and folders of a host are watched, and what comes of it */
#include "worker/host/watching.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <utlist.h>

#include "worker/host/note.h"
#include "worker/host/service.h"
#include "worker/host/wanted.h"
#include "worker/watch/watch.h"

#define CONFIGURATION_ID UINT64_C(0) /* services are numbered from 1 */
#define FILE_DEBOUNCE_MS UINT64_C(150)
#define TREE_DEBOUNCE_MS UINT64_C(300)

/* The watch is made for the first subject: a host without any has no descriptor for it. */
static enum drover_status open_watch(struct host *host, struct drover_error *error)
{
    const struct watch_options options = {.skip_paths = (const char *const *)&host->unwatched,
                                          .skip_path_count = host->unwatched != NULL ? 1 : 0};
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = POLL_WATCH};
    if (host->watch != NULL)
        return DROVER_OK;
    if (watch_new(&options, &host->watch, error) != DROVER_OK)
        return error->status;
    if (watch_fd(host->watch) < 0 || epoll_ctl(host->epoll_fd, EPOLL_CTL_ADD, watch_fd(host->watch), &event) == 0)
        return DROVER_OK;
    host->watch = watch_free(host->watch);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no descriptor to watch files with");
}

static enum drover_status add(struct host *host, const struct watch_subject *subject, uint64_t now_ms,
                              struct drover_error *error)
{
    if (open_watch(host, error) != DROVER_OK)
        return error->status;
    return watch_add(host->watch, subject, now_ms, error);
}

void watching_end(struct service *service)
{
    if (service->watched)
        watch_remove(service->host->watch, service->number);
    service->watched = false;
}

/* What is to be watched; without a path: nothing. */
static struct watch_subject subject_of(const struct service *service, const struct wanted *wanted)
{
    const struct host_origin *origin = wanted->service.origin;
    if (wanted->service.by_hand || origin == NULL || origin->path == NULL)
        return (struct watch_subject){0};
    const bool is_tree = origin->kind == HOST_ORIGIN_SOURCE;
    const uint64_t usual_ms = is_tree ? TREE_DEBOUNCE_MS : FILE_DEBOUNCE_MS;
    return (struct watch_subject){
        .id = service->number,
        .kind = is_tree ? WATCH_TREE : WATCH_FILE,
        .path = origin->path,
        .debounce_ms = wanted->service.debounce_ms != 0 ? wanted->service.debounce_ms : usual_ms,
    };
}

static bool is_same(const struct watch_subject *a, const struct watch_subject *b)
{
    return a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0 && a->kind == b->kind &&
           a->debounce_ms == b->debounce_ms;
}

void watching_set(struct service *service, const struct wanted *before, uint64_t now_ms)
{
    const struct watch_subject subject = subject_of(service, service->wanted);
    struct drover_error error = {0};
    if (service->watched && before != NULL) {
        const struct watch_subject present = subject_of(service, before);
        if (is_same(&present, &subject))
            return; /* a change that has been seen, and is not told yet, must not be forgotten */
    }
    watching_end(service);
    if (subject.path == NULL)
        return;
    service->watched = add(service->host, &subject, now_ms, &error) == DROVER_OK;
    if (!service->watched)
        note_tell(service, 0, "unwatched", "changes of its driver are not noticed ('drover reload %s' looks): %s",
                  service->name, error.text);
}

const char *watching_report(const struct service *service)
{
    const char *report = service->watched ? watch_report(service->host->watch, service->number) : NULL;
    return report != NULL ? report : "";
}

enum drover_status watching_configuration(struct host *host, const char *path, uint64_t now_ms,
                                          struct drover_error *error)
{
    const struct watch_subject subject = {
        .id = CONFIGURATION_ID, .kind = WATCH_FILE, .path = path, .debounce_ms = FILE_DEBOUNCE_MS};
    if (host->watch != NULL)
        watch_remove(host->watch, CONFIGURATION_ID);
    return add(host, &subject, now_ms, error);
}

static void tell_configuration(struct host *host)
{
    struct note *note = note_new(HOST_CONFIGURATION, NULL);
    if (note != NULL)
        note_push(host, note);
}

static void tell_service(const struct host *host, uint64_t number, uint64_t now_ms)
{
    struct service *service;
    LL_FOREACH (host->services, service) {
        if (service->number == number)
            service_source_changed(service, now_ms);
    }
}

void watching_step(struct host *host, uint64_t now_ms)
{
    uint64_t id = 0;
    if (host->watch == NULL || host->stopping)
        return;
    watch_step(host->watch, now_ms);
    while (watch_next(host->watch, &id)) {
        if (id == CONFIGURATION_ID)
            tell_configuration(host);
        else
            tell_service(host, id, now_ms);
    }
}

uint64_t watching_next_ms(const struct host *host)
{
    return host->watch != NULL && !host->stopping ? watch_deadline_ms(host->watch) : UINT64_MAX;
}
