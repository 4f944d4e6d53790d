/* verdict.h - what a helper's end means for the driver that is wanted; pure
 *
 * A helper tells what it has made, or why it could not. Here that is compared with what it should be: the pin of the
 * configuration, the commit and content of the lock file.
 */
#ifndef DROVER_HOST_VERDICT_H
#define DROVER_HOST_VERDICT_H

#include <stdbool.h>

#include "worker/host/helper.h"
#include "worker/host/host.h"
#include "worker/host/obtain.h"
#include "worker/host/reason.h"

/* What was found on the way. Strings are owned; `{0}` is nothing. */
struct finding {
    struct host_obtained obtained;
    char *source;         /* the folder of a repository's files */
    char *path;           /* the artefact in the store */
    char *library_folder; /* of libdrover-worker, or NULL */
    bool module;          /* drover-worker hosts it */

    struct host_self_test self_test; /* of its manifest: owned, too */
};

void finding_done(struct finding *finding);

struct verdict {
    enum obtain_event event;  /* DONE, TROUBLE or REFUSED */
    bool quarantine;          /* REFUSED: the bytes are not those that are pinned */
    char reason[REASON_SIZE]; /* "" for DONE */
};

/* Judge how the helper of `stage` (STORING, FETCHING, BUILDING) ended. What it made is added to `finding`, unless it is
 * refused. */
void verdict_judge(enum obtain_state stage, const struct host_origin *origin, const struct helper_end *end,
                   struct finding *finding, struct verdict *ret);

#endif
