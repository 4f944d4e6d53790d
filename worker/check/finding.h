/* finding.h - what one check found out */
#ifndef DROVER_CHECK_FINDING_H
#define DROVER_CHECK_FINDING_H

#include <stdbool.h>

#include <drover/status.h>

enum verdict { VERDICT_OK, VERDICT_FAILED, VERDICT_SKIPPED };

#define FINDING_TEXT_SIZE 640

struct finding {
    enum verdict verdict;
    char text[FINDING_TEXT_SIZE]; /* the reason, one line */
};

/* Set verdict and text; what came before is forgotten. finding_fail() returns false, so that whoever finds a fault can
 * say and return it in one line; the others return true. */
bool finding_ok(struct finding *finding, const char *format, ...) DROVER_PRINTF(2, 3);
bool finding_fail(struct finding *finding, const char *format, ...) DROVER_PRINTF(2, 3);
bool finding_skip(struct finding *finding, const char *format, ...) DROVER_PRINTF(2, 3);

/* "ok", "failed", "skipped". */
const char *verdict_name(enum verdict verdict);

#endif
