/* resolve.h - from a ref to one commit, in a mirror */
#ifndef DROVER_FETCH_RESOLVE_H
#define DROVER_FETCH_RESOLVE_H

#include <git2.h>

#include "worker/fetch/request.h"

struct target {
    char *ref; /* the full name, as refs/heads/main, or a commit id; owned */
    git_oid commit;
};

/* Can the request be answered without asking the server: is the very commit that it wants in the mirror? */
bool resolve_is_here(git_repository *repository, const struct request *request);

/* Find what the request wants. A ref is a whole commit id, a full name (refs/...), or the name of a tag or branch, but
 * not of both. With --commit that commit is taken, if the ref still leads to it: a tag must be at it, a branch must
 * have it in its history. Errors: NOT_FOUND (no such ref or commit), FAILED_PRECONDITION (the name means two things;
 * the tag was moved or the branch rewritten: both commits are named), DATA_LOSS (the mirror is damaged),
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status resolve_target(git_repository *repository, const struct request *request,
                                                    struct target *ret, struct drover_error *error);

void target_done(struct target *target);

#endif
