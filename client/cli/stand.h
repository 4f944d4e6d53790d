/* stand.h - how the generations of a service stand, and what has become of a change: from the broker's answers
 *
 * Pure. A change is judged by how the service stood before and stands after it, and by the events in between.
 */
#ifndef DROVER_CLI_STAND_H
#define DROVER_CLI_STAND_H

#include <stdbool.h>
#include <stdint.h>

#include <drover/value.h>

#define STAND_WORD_SIZE 32
#define STAND_HASH_SIZE 65
#define STAND_REASON_SIZE 512

/* Texts are printable. */
struct stand {
    char incarnation[STAND_WORD_SIZE]; /* of the broker: another one tells that it was restarted */
    char state[STAND_WORD_SIZE];       /* the rollout's: "probation"; "" where the broker does not tell */
    char progress[STAND_WORD_SIZE];    /* how its driver is being obtained; "" */
    char artefact[STAND_HASH_SIZE];    /* of what serves; "" */
    char last_error[STAND_REASON_SIZE];
    uint64_t active; /* generation that serves; 0: none */
    uint64_t events; /* serial of the newest event of the broker */
};

/* Read the answer to `status` of one service. */
void stand_read(const struct drover_value *status, struct stand *ret);

/* Is nothing under way in this state of a rollout? */
bool stand_is_resting(const char *state);

/* What was asked for. */
enum stand_wish { STAND_RELOAD, STAND_ROLLBACK };

enum verdict {
    VERDICT_SWITCHED,  /* another generation serves, as was wanted */
    VERDICT_UNCHANGED, /* what served goes on: there was nothing to do, or a change under way was withdrawn */
    VERDICT_GIVEN_UP,  /* what was wanted does not serve */
};

/* What has become of a change; `events` is the answer to `events` of this service after `before->events`. `ret_reason`
 * (of STAND_REASON_SIZE) is "" unless it was given up. */
enum verdict stand_judge(enum stand_wish wish, const struct stand *before, const struct stand *after,
                         const struct drover_value *events, char *ret_reason);

#endif
