/* reason.c - why a worker is not there, in one line */
#include "worker/host/reason.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/text.h"

#define LAST_LINE_MAX 240   /* octets of it that are shown */
#define START_ERROR_MAX 360 /* it may name a path and two hashes */
#define PART_MAX 96

/* "exited with status 1", "was killed by SIGSEGV" */
static void write_end(const struct reason_death *death, char *buffer, size_t size)
{
    const char *name = death->code == CLD_EXITED ? NULL : sigabbrev_np(death->status);
    if (death->code == CLD_EXITED)
        (void)snprintf(buffer, size, "exited with status %d", death->status);
    else if (name != NULL)
        (void)snprintf(buffer, size, "was killed by SIG%s", name);
    else
        (void)snprintf(buffer, size, "was killed by signal %d", death->status);
}

/* What came before that: why the host ended it. */
static void write_cause(const struct reason_death *death, char *buffer, size_t size)
{
    buffer[0] = '\0';
    switch (death->cause) {
    case SUPERVISE_HUNG:
        (void)snprintf(buffer, size, "hung and ");
        break;
    case SUPERVISE_LATE:
        (void)snprintf(buffer, size, "was not ready within %" PRIu64 " ms and ", death->ready_limit_ms);
        break;
    case SUPERVISE_UNASKED:
    case SUPERVISE_ASKED:
        break;
    }
}

static void write_times(const struct reason_death *death, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (!death->was_ready && death->deaths_in_a_row > 1)
        (void)snprintf(buffer, size, " (%" PRIu64 " times in a row)", death->deaths_in_a_row);
}

/* Texts of others are made printable, and cut between characters. */
static const char *shorten(const char *text, char *buffer, size_t capacity)
{
    return text_printable(text, strlen(text), buffer, capacity);
}

void reason_of_death(const struct reason_death *death, char buffer[REASON_SIZE])
{
    char end[PART_MAX], cause[PART_MAX], times[PART_MAX], what[START_ERROR_MAX], last[LAST_LINE_MAX];

    write_times(death, times, sizeof(times));
    if (death->start_error != NULL) {
        (void)snprintf(buffer, REASON_SIZE, "%.12s: %s%s", death->artefact,
                       shorten(death->start_error, what, sizeof(what)), times);
        return;
    }
    write_end(death, end, sizeof(end));
    write_cause(death, cause, sizeof(cause));
    const bool early = !death->was_ready && death->cause == SUPERVISE_UNASKED;
    (void)snprintf(buffer, REASON_SIZE, "%.12s: %.64s %s%s%s%s%s%s", death->artefact, death->driver, cause, end,
                   early ? " before it was ready" : "", times, death->last_line[0] != '\0' ? ": " : "",
                   shorten(death->last_line, last, sizeof(last)));
}

void reason_of_config_error(const char *artefact, const char *driver, const char *text, char buffer[REASON_SIZE])
{
    char shown[LAST_LINE_MAX];
    (void)snprintf(buffer, REASON_SIZE, "%.12s: %.64s configuration error: %s", artefact, driver,
                   text[0] != '\0' ? shorten(text, shown, sizeof(shown)) : "exit status 78, and nothing on stderr");
}
