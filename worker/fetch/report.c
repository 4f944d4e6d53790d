/* report.c - what drover-fetch tells: one JSON object a line on standard output */
#include "worker/fetch/report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/text.h"
#include "common/sys/sys.h"

#define PROGRESS_PAUSE_MS 200
#define LAST_LINE_WAIT_MS 200
#define SECRET_MIN 4 /* what is shorter would also blot out ordinary words */

void report_init(struct report *report)
{
    *report = (struct report){.writing = PTHREAD_MUTEX_INITIALIZER};
}

void report_finish(struct report *report)
{
    while (report->secret_count > 0)
        free(report->secrets[--report->secret_count]);
}

bool report_hide(struct report *report, const char *secret)
{
    if (!secret || strlen(secret) < SECRET_MIN)
        return true;
    char *copy = report->secret_count < REPORT_SECRETS_MAX ? strdup(secret) : NULL;
    if (copy)
        report->secrets[report->secret_count++] = copy;
    return copy != NULL;
}

/* Overwrite each `secret` in `text` with asterisks. */
static void blot_out(char *text, const char *secret)
{
    const size_t size = strlen(secret);
    for (char *at = text; (at = strstr(at, secret)) != NULL; at += size)
        memset(at, '*', size);
}

/* The same for "user:password@" behind "://". */
static void blot_out_users(char *text)
{
    for (char *at = text; (at = strstr(at, "://")) != NULL;) {
        at += 3;
        const size_t size = strcspn(at, "/ '\"");
        const char *end = memrchr(at, '@', size);
        if (end && memchr(at, ':', (size_t)(end - at)))
            memset(at, '*', (size_t)(end - at));
    }
}

/* Write all of it; a reader that is gone is its own affair. */
static void write_all(const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(STDOUT_FILENO, data, size);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
}

/* The line of `object`, which is taken, for the caller to free(); NULL when there is no memory. */
static char *line_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    char *line = text ? text_format("%s\n", text) : NULL;
    free(text);
    json_decref(object);
    return line;
}

static void emit(struct report *report, json_t *object)
{
    char *line = line_of(object);
    if (!line)
        return;
    pthread_mutex_lock(&report->writing);
    write_all(line, strlen(line));
    pthread_mutex_unlock(&report->writing);
    free(line);
}

void report_progress(struct report *report, uint64_t objects, uint64_t total, uint64_t bytes, unsigned percent)
{
    const uint64_t now = sys_now_ms();
    const bool is_last = percent == 100 && report->last_percent != 100;
    if (now < report->next_progress_ms && !is_last)
        return;
    report->next_progress_ms = now + PROGRESS_PAUSE_MS;
    report->last_percent = percent;
    emit(report, json_pack("{s:s, s:I, s:I, s:I, s:i}", "event", "progress", "objects", (json_int_t)objects,
                           "total_objects", (json_int_t)total, "bytes", (json_int_t)bytes, "percent", (int)percent));
}

void report_done(struct report *report, const struct report_result *result)
{
    emit(report, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s}", "event", "done", "url", result->url, "ref",
                           result->ref, "commit", result->commit, "subdir", result->subdir, "tree", result->tree,
                           "content", result->content, "path", result->path));
}

static json_t *error_object(const struct report *report, const struct drover_error *error)
{
    char text[DROVER_ERROR_TEXT_SIZE];
    /* A server's words may be part of it: one line of sound UTF-8, without secrets. */
    text_printable(error->text, strlen(error->text), text, sizeof text);
    for (unsigned i = 0; i < report->secret_count; i++)
        blot_out(text, report->secrets[i]);
    blot_out_users(text);
    return json_pack("{s:s, s:s, s:s}", "event", "error", "status", drover_status_name(error->status), "message", text);
}

void report_error(struct report *report, const struct drover_error *error)
{
    emit(report, error_object(report, error));
}

void report_error_and_exit(struct report *report, const struct drover_error *error)
{
    struct timespec until;
    char *line = line_of(error_object(report, error));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LAST_LINE_WAIT_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    /* Who holds the mutex now is stuck because nobody reads: there is nobody to tell. It is never given back. */
    if (line && pthread_mutex_timedlock(&report->writing, &until) == 0)
        write_all(line, strlen(line));
    _exit(report_exit_status(error->status));
}

int report_exit_status(enum drover_status status)
{
    switch ((unsigned)status) {
    case DROVER_OK:
        return 0;
    case DROVER_DEADLINE_EXCEEDED:
    case DROVER_UNAVAILABLE:
        return 75;
    case DROVER_UNAUTHENTICATED:
    case DROVER_PERMISSION_DENIED:
        return 77;
    case DROVER_INVALID_ARGUMENT:
    case DROVER_NOT_FOUND:
    case DROVER_FAILED_PRECONDITION:
        return 78;
    default:
        return 1;
    }
}
