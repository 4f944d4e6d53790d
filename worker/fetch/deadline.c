/* deadline.c - ends the program when its time is over */
#include "worker/fetch/deadline.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

static struct {
    struct report *report;
    const char *shown;
    uint64_t deadline_ms;
    _Atomic(const char *) stage;
} state = {.stage = "starting"};

void deadline_stage(const char *what)
{
    atomic_store(&state.stage, what);
}

static void *watch(void *unused)
{
    struct drover_error error = {0};
    struct timespec left = {.tv_sec = (time_t)(state.deadline_ms / 1000),
                            .tv_nsec = (long)(state.deadline_ms % 1000) * 1000000};
    (void)unused;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        continue;
    (void)drover_error_set(&error, DROVER_DEADLINE_EXCEEDED, "'%s': not done within %" PRIu64 " ms, while %s",
                           state.shown, state.deadline_ms, atomic_load(&state.stage));
    report_error_and_exit(state.report, &error);
}

enum drover_status deadline_start(struct report *report, const char *shown, uint64_t deadline_ms,
                                  struct drover_error *error)
{
    pthread_t thread;
    sigset_t all, before;
    state.report = report;
    state.shown = shown;
    state.deadline_ms = deadline_ms;
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int code = pthread_create(&thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no thread for the deadline: error %d", code);
    pthread_detach(thread);
    return DROVER_OK;
}
