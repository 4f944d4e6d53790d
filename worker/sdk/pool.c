/* pool.c - see pool.h */
#include "worker/sdk/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/sdk/call.h"

struct executor {
    struct backlog *backlog;
    struct runner runner;
    pthread_t thread;
};

struct pool {
    size_t count; /* executors whose thread runs */
    struct executor executors[];
};

static void *execute(void *argument)
{
    struct executor *executor = argument;
    struct job *job;

    while ((job = backlog_take(executor->backlog, true))) {
        if (job->end == JOB_OPEN)
            runner_run(&executor->runner, job);
        backlog_end(executor->backlog, job, false);
    }
    return NULL;
}

static enum drover_status start(struct executor *executor, struct backlog *backlog, const struct served *served,
                                struct drover_error *error)
{
    executor->backlog = backlog;
    enum drover_status status = runner_init(&executor->runner, served, error);
    if (status != DROVER_OK)
        return status;
    int failure = pthread_create(&executor->thread, NULL, execute, executor);
    if (failure) {
        runner_done(&executor->runner);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: no thread for an executor: %s",
                                strerror(failure));
    }
    return DROVER_OK;
}

enum drover_status pool_new(struct backlog *backlog, const struct served *served, unsigned count,
                            struct pool **ret_pool, struct drover_error *error)
{
    struct pool *pool = calloc(1, sizeof(*pool) + count * sizeof(pool->executors[0]));
    enum drover_status status = DROVER_OK;
    sigset_t all, before;

    if (!pool)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: no memory for %u executors", count);
    /* Signals are for the socket's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->count < count && status == DROVER_OK) {
        status = start(&pool->executors[pool->count], backlog, served, error);
        pool->count += status == DROVER_OK;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != DROVER_OK) {
        backlog_halt(backlog);
        pool_free(pool);
        return status;
    }
    *ret_pool = pool;
    return DROVER_OK;
}

struct pool *pool_free(struct pool *pool)
{
    if (!pool)
        return NULL;
    for (size_t i = 0; i < pool->count; i++) {
        pthread_join(pool->executors[i].thread, NULL);
        runner_done(&pool->executors[i].runner);
    }
    free(pool);
    return NULL;
}
