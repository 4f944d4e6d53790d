/* reason.h - why a worker is not there, in one line
 *
 * Pure. `3f2a9c01d7e4: json exited with status 1 before it was ready (5 times in a row): users.json: no such file`
 */
#ifndef DROVER_HOST_REASON_H
#define DROVER_HOST_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/host/supervise.h"

#define REASON_SIZE 480

/* How a worker ended. Strings are borrowed. */
struct reason_death {
    const char *artefact; /* its first 12 digits are shown */
    const char *driver;
    const char *start_error; /* why it could not be started, or NULL */
    int code, status;        /* si_code and si_status */
    bool was_ready;
    bool damaged; /* the bytes in the store are not what they were: it cannot be started at all */
    bool mishap;  /* that it could not be started is no fault of the driver */
    enum supervise_cause cause;
    uint64_t ready_limit_ms;
    uint64_t deaths_in_a_row; /* before ready; 0 or 1 is not shown */
    const char *last_line;    /* on standard error, "" for none */
};

void reason_of_death(const struct reason_death *death, char buffer[REASON_SIZE]);

/* A worker refused its configuration. `text` may be anything that a worker sends; "" is allowed. */
void reason_of_config_error(const char *artefact, const char *driver, const char *text, char buffer[REASON_SIZE]);

#endif
