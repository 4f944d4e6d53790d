/* resolve.c - from a ref to one commit, in a mirror */
#include "worker/fetch/resolve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "worker/fetch/library.h"

#define HEADS "refs/heads/"
#define TAGS "refs/tags/"
#define REF_MAX 512

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_commit(git_repository *repository, const char *id)
{
    git_oid oid;
    git_commit *commit = NULL;
    const bool has = git_oid_fromstr(&oid, id) == 0 && git_commit_lookup(&commit, repository, &oid) == 0;
    git_commit_free(commit);
    return has;
}

bool resolve_is_here(git_repository *repository, const struct request *request)
{
    const char *id = request->commit ? request->commit : request->ref;
    return id && request_is_commit(id) && has_commit(repository, id);
}

static enum drover_status not_found(const struct request *request, const char *what, struct drover_error *error)
{
    char quoted[REF_MAX];
    const char *ref = request->ref ? request->ref : "";
    return drover_error_set(error, DROVER_NOT_FOUND, "'%s': '%s' %s%s", request->shown,
                            text_printable(ref, strlen(ref), quoted, 200), what,
                            request->offline ? ", as far as is known without the network" : "");
}

/* Look a full name up, and what commit it leads to. 0, GIT_ENOTFOUND, GIT_EPEEL (leads to no commit), or another code.
 */
static int look_up(git_repository *repository, const char *name, git_oid *ret)
{
    git_reference *reference = NULL;
    git_object *object = NULL;
    int code = git_reference_lookup(&reference, repository, name);
    if (code == GIT_EINVALIDSPEC)
        code = GIT_ENOTFOUND;
    if (code == 0) {
        code = git_reference_peel(&object, reference, GIT_OBJECT_COMMIT);
        if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
            code = GIT_EPEEL;
    }
    if (code == 0)
        *ret = *git_object_id(object);
    git_object_free(object);
    git_reference_free(reference);
    return code;
}

/* The error of a look_up() of the request's ref that returned `code`. */
static enum drover_status fail_look_up(int code, const struct request *request, struct drover_error *error)
{
    if (code == GIT_ENOTFOUND)
        return not_found(request, "is no branch, tag or commit of it", error);
    if (code == GIT_EPEEL)
        return not_found(request, "is there, but leads to no commit", error);
    (void)library_error(code, request, "its mirror is damaged", error);
    return drover_error_set(error, DROVER_DATA_LOSS, "%s", error->text);
}

static enum drover_status take(struct target *target, const char *ref, const git_oid *commit,
                               struct drover_error *error)
{
    target->ref = strdup(ref);
    target->commit = *commit;
    return target->ref ? DROVER_OK : drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

/* The branch that the server calls its own. */
static enum drover_status resolve_head(git_repository *repository, const struct request *request, struct target *target,
                                       struct drover_error *error)
{
    git_reference *head = NULL;
    git_oid commit;
    int code = git_reference_lookup(&head, repository, "HEAD");
    const char *branch = code == 0 ? git_reference_symbolic_target(head) : NULL;
    if (code == 0)
        code = branch ? look_up(repository, branch, &commit) : GIT_ENOTFOUND;
    enum drover_status status;
    if (code == 0)
        status = take(target, branch, &commit, error);
    else if (code == GIT_ENOTFOUND)
        status = drover_error_set(error, DROVER_NOT_FOUND,
                                  "'%s': has no branch of its own: give a branch, tag or commit", request->shown);
    else
        status = fail_look_up(code, request, error);
    git_reference_free(head);
    return status;
}

/* A name without refs/: a tag's or a branch's. */
static enum drover_status resolve_name(git_repository *repository, const struct request *request, struct target *target,
                                       struct drover_error *error)
{
    char tag[REF_MAX + sizeof TAGS], branch[REF_MAX + sizeof HEADS];
    git_oid tagged, head;
    (void)stpcpy(stpcpy(tag, TAGS), request->ref);
    (void)stpcpy(stpcpy(branch, HEADS), request->ref);
    const int tag_code = look_up(repository, tag, &tagged);
    const int branch_code = look_up(repository, branch, &head);
    if (tag_code == 0 && branch_code == 0)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "'%s': '%.200s' is a tag and a branch: write " TAGS "... or " HEADS "...",
                                request->shown, request->ref);
    if (tag_code == 0)
        return take(target, tag, &tagged, error);
    if (branch_code == 0)
        return take(target, branch, &head, error);
    return fail_look_up(tag_code == GIT_ENOTFOUND ? branch_code : tag_code, request, error);
}

static enum drover_status resolve_ref(git_repository *repository, const struct request *request, struct target *target,
                                      struct drover_error *error)
{
    const char *ref = request->ref;
    git_oid commit;
    if (!ref)
        return resolve_head(repository, request, target, error);
    if (strlen(ref) > REF_MAX)
        return not_found(request, "is too long for a branch, tag or commit", error);
    if (request_is_commit(ref)) {
        if (!has_commit(repository, ref) || git_oid_fromstr(&commit, ref) != 0)
            return not_found(request, "is no commit of it", error);
        return take(target, ref, &commit, error);
    }
    if (!has_prefix(ref, "refs/"))
        return resolve_name(repository, request, target, error);
    const int code = look_up(repository, ref, &commit);
    return code == 0 ? take(target, ref, &commit, error) : fail_look_up(code, request, error);
}

/* `target` is where the ref leads now: does that agree with the commit that the request insists on? */
static enum drover_status check_pin(git_repository *repository, const struct request *request,
                                    const struct target *target, const git_oid *pin, struct drover_error *error)
{
    char now[GIT_OID_HEXSZ + 1];
    assert(target->ref);
    if (git_oid_equal(&target->commit, pin))
        return DROVER_OK;
    const bool is_branch = has_prefix(target->ref, HEADS);
    if (is_branch) {
        const int code = git_graph_descendant_of(repository, &target->commit, pin);
        if (code < 0)
            return library_error(code, request, "the history of its branch", error);
        if (code == 1)
            return DROVER_OK;
    }
    git_oid_tostr(now, sizeof now, &target->commit);
    return drover_error_set(
        error, DROVER_FAILED_PRECONDITION,
        "'%s': '%.200s' %s: it was pinned to commit %s and is now at %s (if that is meant: 'drover lock "
        "update')",
        request->shown, target->ref, is_branch ? "was rewritten" : "was moved", request->commit, now);
}

enum drover_status resolve_target(git_repository *repository, const struct request *request, struct target *ret,
                                  struct drover_error *error)
{
    struct target target = {0};
    git_oid pin;
    enum drover_status status = DROVER_OK;
    const bool pinned = request->commit && git_oid_fromstr(&pin, request->commit) == 0;
    if (pinned && !has_commit(repository, request->commit))
        return drover_error_set(error, DROVER_NOT_FOUND, "'%s': commit %s is in none of its branches and tags%s",
                                request->shown, request->commit,
                                request->offline ? ", as far as is known without the network" : "");
    if (pinned && !request->ref)
        status = take(&target, request->commit, &pin, error);
    else
        status = resolve_ref(repository, request, &target, error);
    if (status == DROVER_OK && pinned)
        status = check_pin(repository, request, &target, &pin, error);
    if (status == DROVER_OK && pinned)
        target.commit = pin;
    if (status == DROVER_OK)
        *ret = target;
    else
        target_done(&target);
    return status;
}

void target_done(struct target *target)
{
    free(target->ref);
    target->ref = NULL;
}
