/* testing.h - the self-test of a generation: each of its workers is asked, all must answer well */
#ifndef DROVER_HOST_TESTING_H
#define DROVER_HOST_TESTING_H

#include "worker/host/state.h"

#define TESTING_LIMIT_MS UINT64_C(9000) /* for an answer; the rollout's own limit is a little longer */

/* What a generation is asked: as its service says, or else its driver's own manifest; of no method where neither does.
 * Borrowed from the generation. */
const struct host_self_test *testing_question(const struct generation *generation);

/* Ask all workers of the generation (HOST_PROBE). */
void testing_begin(struct generation *generation);

/* What one of them answered. */
void testing_take(struct replica *replica, enum drover_status status, const char *text);

/* ANSWERED_WELL when all have, ANSWERED_BADLY when one has not, as generation->why says; then it is NOT_ASKED again. */
enum answer testing_judge(struct generation *generation);

#endif
