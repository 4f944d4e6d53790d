/* question.h - what a new generation is asked, as something owned */
#ifndef DROVER_HOST_QUESTION_H
#define DROVER_HOST_QUESTION_H

#include <stdbool.h>

#include "worker/host/host.h"

/* Copy all that `from` points to; release `to` with question_done() in any case. False when there is no memory: then
 * it is nothing. */
bool question_copy(struct host_self_test *to, const struct host_self_test *from);

/* Release what it points to, which must be its own. It is nothing then. */
void question_done(struct host_self_test *question);

#endif
