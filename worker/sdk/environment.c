/* environment.c - see environment.h */
#include "worker/sdk/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"

bool environment_is_supervised(void)
{
    return getenv(WORKER_ENV_ENDPOINT) != NULL;
}

static enum drover_status take_endpoint(char **ret_endpoint, struct drover_error *error)
{
    const char *text = getenv(WORKER_ENV_ENDPOINT);

    if (!text)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "environment: %s is not set (is this worker started by drover?)", WORKER_ENV_ENDPOINT);
    *ret_endpoint = strdup(text);
    return *ret_endpoint ? DROVER_OK : drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "environment: no memory");
}

/* The descriptor that a variable names; -1 without the variable. The driver's own children must not inherit it. */
static enum drover_status take_descriptor(const char *variable, int *ret_fd, struct drover_error *error)
{
    const char *text = getenv(variable);
    uint64_t number = 0;

    *ret_fd = -1;
    if (!text)
        return DROVER_OK;
    if (!text_parse_number(text, &number) || number > INT32_MAX || fcntl((int)number, F_SETFD, FD_CLOEXEC) == -1)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "environment: %s is '%s', which is no open descriptor (is this worker started by "
                                "drover?)",
                                variable, text);
    *ret_fd = (int)number;
    return DROVER_OK;
}

/* Map the page behind `fd`, and close `fd`. */
static enum drover_status map_page(int fd, struct startword_page **ret_page, struct drover_error *error)
{
    struct stat facts;
    bool large_enough = fstat(fd, &facts) == 0 && facts.st_size >= STARTWORD_PAGE_SIZE;
    void *page = large_enough ? mmap(NULL, STARTWORD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    close(fd);
    if (page == MAP_FAILED)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "environment: %s names no page of %d bytes",
                                WORKER_ENV_PAGE, STARTWORD_PAGE_SIZE);
    if (((struct startword_page *)page)->magic != STARTWORD_MAGIC) {
        munmap(page, STARTWORD_PAGE_SIZE);
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "environment: the page of %s has another layout (is the driver older or newer than "
                                "drover?)",
                                WORKER_ENV_PAGE);
    }
    *ret_page = page;
    return DROVER_OK;
}

enum drover_status environment_take(struct environment *ret_environment, struct drover_error *error)
{
    struct environment taken = {.lifeline_fd = -1};
    int page_fd = -1;
    enum drover_status status = take_descriptor(WORKER_ENV_LIFELINE, &taken.lifeline_fd, error);

    if (status == DROVER_OK)
        status = take_descriptor(WORKER_ENV_PAGE, &page_fd, error);
    if (status == DROVER_OK && page_fd != -1)
        status = map_page(page_fd, &taken.page, error);
    if (status != DROVER_OK)
        goto fail;
    status = take_endpoint(&taken.endpoint, error);
    if (status != DROVER_OK)
        goto fail;
    unsetenv(WORKER_ENV_ENDPOINT);
    unsetenv(WORKER_ENV_PAGE);
    unsetenv(WORKER_ENV_LIFELINE);
    *ret_environment = taken;
    return DROVER_OK;

fail:
    environment_done(&taken);
    return status;
}

void environment_done(struct environment *environment)
{
    free(environment->endpoint);
    environment->endpoint = NULL;
    /* The lifeline stays open: the thread that waits for its end lives as long as the process. */
}

/* Nobody is left to read a reply or to print a message for: leave without ceremony. */
static void *wait_for_the_end(void *argument)
{
    struct pollfd lifeline = {.fd = *(const int *)argument, .events = POLLIN};
    char ignored[64];

    for (;;) {
        if (poll(&lifeline, 1, -1) == -1 && errno != EINTR)
            break;
        ssize_t size = read(lifeline.fd, ignored, sizeof(ignored));
        if (size == 0 || (size == -1 && errno != EINTR && errno != EAGAIN))
            break;
    }
    _exit(0);
}

enum drover_status environment_watch_lifeline(struct environment *environment, struct drover_error *error)
{
    sigset_t all, before;
    pthread_t thread;
    int failure;

    if (environment->lifeline_fd == -1)
        return DROVER_OK;
    /* Signals are for the driver's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&thread, NULL, wait_for_the_end, &environment->lifeline_fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "environment: no thread for the lifeline: %s",
                                strerror(failure));
    pthread_detach(thread);
    return DROVER_OK;
}
