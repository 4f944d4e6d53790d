/* report.h - findings for people, one line each as they come, or as JSON at the end */
#ifndef DROVER_CHECK_REPORT_H
#define DROVER_CHECK_REPORT_H

#include <jansson.h>

#include "worker/check/checks.h"

struct report {
    const char *file; /* borrowed */
    json_t *lines;    /* NULL: for people */
    unsigned counts[VERDICT_SKIPPED + 1];
};

/* False when there is no memory. */
DROVER_MUST_CHECK bool report_init(struct report *report, const char *file, bool as_json);

/* One finding. */
void report_add(struct report *report, const struct check *check, const struct finding *finding);

/* The summary: of which driver, and how many of each. False when it could not be written. */
DROVER_MUST_CHECK bool report_end(struct report *report, const struct stage_hello *hello);

/* Release all. */
void report_done(struct report *report);

#endif
