/* child.c - one worker process as the host sees it
 *
 * START: child_new() announces it, child_start() forks. END: child_lose() cuts it loose; host_next_event() frees it
 * when its LOST event has been taken.
 */
#include "worker/host/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <utlist.h>

#include "common/sys/sys.h"
#include "worker/host/event.h"
#include "worker/host/runnable.h"
#include "worker/host/wanted.h"

#define READ_SIZE 16384
#define READ_LAST ((size_t)1024 * 1024) /* no pipe holds more, unless somebody still writes */

static void init_slots(struct child *child)
{
    struct event_slot slot = {.service = child->service, .child = child};
    slot.kind = HOST_EXPECT;
    child->expect = slot;
    slot.kind = HOST_CLOSED;
    child->closed = slot;
    slot.kind = HOST_LOST;
    child->lost = slot;
    slot.kind = HOST_PROBE;
    child->probe = slot;
    slot.kind = HOST_RECONFIGURE;
    child->reconfigure = slot;
}

struct child *child_new(struct host *host, struct replica *replica)
{
    struct child *child = calloc(1, sizeof(*child));
    if (child == NULL)
        return NULL;

    child->number = host->next_number++;
    child->generation = replica->generation->number;
    (void)snprintf(child->artefact, sizeof(child->artefact), "%s", replica->generation->runnable->artefact);
    child->service = replica->generation->service;
    child->replica = replica;
    init_slots(child);
    process_init(&child->process);
    sys_random(child->token, sizeof(child->token));
    if (process_prepare(&child->process, child->token, &child->prepare_error) == DROVER_OK)
        event_push(&host->events, &child->expect);
    DL_APPEND(host->children, child);
    return child;
}

struct child *child_free(struct host *host, struct child *child)
{
    if (child == NULL)
        return NULL;
    event_remove(&host->events, &child->expect);
    event_remove(&host->events, &child->closed);
    event_remove(&host->events, &child->lost);
    event_remove(&host->events, &child->probe);
    event_remove(&host->events, &child->reconfigure);
    process_done(&child->process);
    DL_DELETE(host->children, child);
    free(child);
    return NULL;
}

struct launch_plan child_plan(const struct host *host, const struct child *child)
{
    const struct runnable *runnable = child->replica->generation->runnable;
    const struct host_service *service = &child->replica->generation->wanted->service;
    return (struct launch_plan){
        .helpers = host->helpers,
        .name = service->driver,
        .program = runnable->program,
        .builtin = service->builtin,
        .module = runnable->module,
        .artefact = runnable->verified ? runnable->artefact : NULL,
        .library_folder = runnable->library_folder,
        .directory = service->directory,
        .folder = service->folder,
        .sandbox = service->sandbox,
        .endpoint = host->endpoint,
        .number = child->number,
    };
}

static bool watch(const struct host *host, const struct child *child, int fd, enum poll_kind kind)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = child->number * POLL_KINDS + (uint64_t)kind};
    return epoll_ctl(host->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool watch_all(const struct host *host, const struct child *child)
{
    const struct process *process = &child->process;
    return watch(host, child, process->pidfd, POLL_PIDFD) &&
           watch(host, child, process->output[CAPTURE_STDOUT], POLL_STDOUT) &&
           watch(host, child, process->output[CAPTURE_STDERR], POLL_STDERR);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* What is about to run as it lies there is called what it is by now; an artefact is checked by drover-launch. */
static enum drover_status name_program(struct runnable *runnable, struct drover_error *error)
{
    struct stat now;
    char artefact[ARTEFACT_SIZE];
    if (runnable->verified || stat(runnable->program, &now) != 0 || same_file(&now, &runnable->seen))
        return DROVER_OK; /* where there is no file, starting it will say so */
    if (sys_hash_file(runnable->program, artefact, error) != DROVER_OK)
        return error->status;
    memcpy(runnable->artefact, artefact, sizeof(artefact));
    runnable->seen = now;
    return DROVER_OK;
}

enum drover_status child_start(struct host *host, struct child *child, struct drover_error *error)
{
    const struct launch_plan plan = child_plan(host, child);
    if (child->process.page == NULL)
        return drover_error_set(error, child->prepare_error.status, "cannot start %s: %s", plan.program,
                                child->prepare_error.text);
    enum drover_status status = name_program(child->replica->generation->runnable, error);
    if (status == DROVER_OK)
        status = process_launch(&child->process, &plan, error);
    if (status != DROVER_OK)
        return status;
    child->pid = child->process.pid;
    if (watch_all(host, child))
        return DROVER_OK;

    /* Its death would go unnoticed. */
    const int code = errno;
    process_destroy(&child->process);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "cannot watch %s: %s", plan.program, strerror(code));
}

void child_close_word(struct host *host, struct child *child)
{
    if (child->word_closed || child->process.page == NULL)
        return;
    child->word_closed = true;
    child->started = startword_close(child->process.page);
    event_push(&host->events, &child->closed);
}

void child_lose(struct host *host, struct child *child)
{
    const bool announced = child->process.page != NULL;
    if (announced && !child->word_closed)
        child->started = startword_close(child->process.page);
    child->word_closed = true;
    child->replica->child = NULL;
    child->replica = NULL;
    event_remove(&host->events, &child->probe); /* nobody is there to be asked */
    event_remove(&host->events, &child->reconfigure);
    if (child->process.pidfd >= 0)
        (void)epoll_ctl(host->epoll_fd, EPOLL_CTL_DEL, child->process.pidfd, NULL);
    process_done(&child->process);
    if (announced)
        event_push(&host->events, &child->lost);
    else
        (void)child_free(host, child);
}

struct capture_log *child_log(const struct child *child)
{
    return &child->service->logs[child->replica->index];
}

static struct capture_origin origin_of(struct host *host, const struct child *child, enum capture_source source)
{
    return (struct capture_origin){
        .pid = child->pid,
        .source = source,
        .wall_ms = sys_wall_ms(),
        .next_serial = &host->next_serial,
    };
}

static void close_output(struct host *host, struct child *child, enum capture_source source)
{
    const struct capture_origin origin = origin_of(host, child, source);
    int *fd = &child->process.output[source];
    if (*fd < 0)
        return;
    capture_finish(&child->streams[source], child_log(child), &origin);
    (void)epoll_ctl(host->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
    close(*fd);
    *fd = -1;
}

void child_read(struct host *host, struct child *child, enum capture_source source, size_t limit)
{
    char buffer[READ_SIZE];
    const struct capture_origin origin = origin_of(host, child, source);
    const int fd = child->process.output[source];

    for (size_t taken = 0; fd >= 0 && taken < limit;) {
        const ssize_t size = read(fd, buffer, sizeof(buffer));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            close_output(host, child, source);
            return;
        }
        capture_feed(&child->streams[source], child_log(child), &origin, buffer, (size_t)size);
        taken += (size_t)size;
    }
}

void child_finish_output(struct host *host, struct child *child)
{
    child_read(host, child, CAPTURE_STDOUT, READ_LAST);
    child_read(host, child, CAPTURE_STDERR, READ_LAST);
    close_output(host, child, CAPTURE_STDOUT);
    close_output(host, child, CAPTURE_STDERR);
}

struct child *child_find(const struct host *host, uint64_t number)
{
    struct child *child;
    DL_FOREACH (host->children, child) {
        if (child->number == number && child->replica != NULL)
            return child;
    }
    return NULL;
}
