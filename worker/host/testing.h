/* testing.h - the self-test of a generation: each of its workers is asked, all must answer well */
#ifndef DROVER_HOST_TESTING_H
#define DROVER_HOST_TESTING_H

#include "worker/host/state.h"

#define TESTING_LIMIT_MS UINT64_C(9000) /* for an answer; the rollout's own limit is a little longer */

/* Ask all workers of the generation (HOST_PROBE). */
void testing_begin(struct generation *generation);

/* What one of them answered. */
void testing_take(struct replica *replica, enum drover_status status, const char *text);

/* ANSWERED_WELL when all have, ANSWERED_BADLY when one has not, as generation->why says; then it is NOT_ASKED again. */
enum answer testing_judge(struct generation *generation);

#endif
