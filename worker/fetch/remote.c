/* remote.c - asks a server for all branches and tags (mirror.h)
 *
 * START: connect; the server says what it has. OPERATION: what is gone there goes here, then everything is fetched by
 * two refspecs that are written down below, whatever the server or a configuration would like. END: HEAD is the branch
 * that the server calls its own.
 *
 * The library calls back for progress, certificates and credentials. Each callback may end the fetch: it leaves its
 * reason in the struct and returns a negative number. None ever returns a positive one: for certificates that would
 * accept any.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "worker/fetch/deadline.h"
#include "worker/fetch/library.h"
#include "worker/fetch/mirror.h"

#define REFS_MAX 100000
#define FINGERPRINT_SIZE 45

struct exchange {
    const struct request *request;
    struct report *report;
    struct credentials *credentials;
    git_remote *remote;
    struct drover_error why; /* of the callback that ended it; status 0: none did */
};

/* --- what the library asks -----------------------------------------------------------------------------------------
 */

static unsigned percent_of(const git_indexer_progress *progress)
{
    const uint64_t done = (uint64_t)progress->received_objects + progress->indexed_objects + progress->indexed_deltas;
    const uint64_t all = 2 * (uint64_t)progress->total_objects + progress->total_deltas;
    return all == 0 ? 0 : (unsigned)(done * 100 / all);
}

static int on_progress(const git_indexer_progress *progress, void *payload)
{
    struct exchange *exchange = payload;
    const uint64_t limit = exchange->request->max_download;
    if (progress->received_bytes > limit) {
        (void)drover_error_set(&exchange->why, DROVER_RESOURCE_EXHAUSTED,
                               "'%s': more than %" PRIu64 " bytes would have to be received (--max-download)",
                               exchange->request->shown, limit);
        return GIT_EUSER;
    }
    deadline_stage("receiving objects");
    report_progress(exchange->report, progress->received_objects, progress->total_objects, progress->received_bytes,
                    percent_of(progress));
    return 0;
}

/* As ssh-keygen -l shows it: base64 without its padding. */
static void print_fingerprint(const git_cert_hostkey *key, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < sizeof key->hash_sha256; i++) {
        bits = bits << 8 | key->hash_sha256[i];
        for (count += 8; count >= 6; count -= 6)
            *text++ = digits[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *text++ = digits[bits << (6 - count) & 63];
    *text = '\0';
}

static int on_certificate(git_cert *certificate, int is_valid, const char *host, void *payload)
{
    struct exchange *exchange = payload;
    char fingerprint[FINGERPRINT_SIZE] = "(none)";
    deadline_stage("talking to the server");
    if (is_valid)
        return GIT_PASSTHROUGH; /* it stays what it is: valid */
    if (certificate->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
        const git_cert_hostkey *key = (const git_cert_hostkey *)certificate;
        if (key->type & GIT_CERT_SSH_SHA256)
            print_fingerprint(key, fingerprint);
        (void)drover_error_set(&exchange->why, DROVER_UNAUTHENTICATED,
                               "'%s': the host key of '%.100s' (SHA256:%s) is not known, or has changed: compare it, "
                               "then put it into known_hosts (--known-hosts)",
                               exchange->request->shown, host, fingerprint);
    } else {
        (void)drover_error_set(
            &exchange->why, DROVER_UNAUTHENTICATED,
            "'%s': the certificate of '%.100s' is not valid: expired, for another host, or signed by "
            "nobody who is trusted here (--ca)",
            exchange->request->shown, host);
    }
    return GIT_ECERTIFICATE;
}

static int on_credentials(git_credential **ret, const char *url, const char *user, unsigned allowed, void *payload)
{
    struct exchange *exchange = payload;
    (void)user;
    deadline_stage("logging in");
    const int code = credentials_answer(exchange->credentials, ret, url, allowed, &exchange->why);
    return code > 0 ? GIT_EAUTH : code;
}

/* --- the exchange --------------------------------------------------------------------------------------------------
 */

/* The error of a function of the library that returned `code`. */
static enum drover_status fail(const struct exchange *exchange, int code, const char *what, struct drover_error *error)
{
    if (exchange->why.status != DROVER_OK)
        return drover_error_set(error, exchange->why.status, "%s", exchange->why.text);
    return library_error(code, exchange->request, what, error);
}

static void fill_callbacks(git_remote_callbacks *callbacks, struct exchange *exchange)
{
    callbacks->transfer_progress = on_progress;
    callbacks->certificate_check = on_certificate;
    callbacks->credentials = on_credentials;
    callbacks->payload = exchange;
}

static enum drover_status connect_remote(struct exchange *exchange, struct drover_error *error)
{
    git_remote_connect_options options;
    git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    fill_callbacks(&options.callbacks, exchange);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    options.proxy_opts.type = exchange->request->loopback ? GIT_PROXY_NONE : GIT_PROXY_AUTO;
    deadline_stage("connecting");
    const int code = git_remote_connect_ext(exchange->remote, GIT_DIRECTION_FETCH, &options);
    return code == 0 ? DROVER_OK : fail(exchange, code, "no connection", error);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Remove the refs of `repository` that are not among the sorted `names`. Names that come may be folders of names that
 * go. */
static int remove_gone(git_repository *repository, const char **names, size_t count)
{
    git_strarray refs = {0};
    int code = git_reference_list(&refs, repository);
    for (size_t i = 0; i < refs.count && code == 0; i++) {
        const char *name = refs.strings[i];
        if (!bsearch(&name, names, count, sizeof *names, by_name))
            code = git_reference_remove(repository, name);
    }
    git_strarray_dispose(&refs);
    return code;
}

/* Remove the tags that lead to no commit: with one of them in the mirror, libgit2 1.5 cannot fetch from a path.
 * Branches always lead to one. */
static enum drover_status remove_odd_tags(git_repository *repository, const struct request *request,
                                          struct drover_error *error)
{
    git_strarray refs = {0};
    int code = git_reference_list(&refs, repository);
    for (size_t i = 0; i < refs.count && code == 0; i++) {
        git_reference *reference = NULL;
        git_object *commit = NULL;
        code = git_reference_lookup(&reference, repository, refs.strings[i]);
        if (code == 0 && git_reference_type(reference) == GIT_REFERENCE_DIRECT &&
            git_reference_peel(&commit, reference, GIT_OBJECT_COMMIT) != 0)
            code = git_reference_delete(reference);
        git_object_free(commit);
        git_reference_free(reference);
    }
    git_strarray_dispose(&refs);
    return code == 0 ? DROVER_OK : library_error(code, request, "its mirror", error);
}

static enum drover_status prune(struct exchange *exchange, git_repository *repository, struct drover_error *error)
{
    const git_remote_head **heads = NULL;
    size_t count = 0;
    int code = git_remote_ls(&heads, &count, exchange->remote);
    if (code != 0)
        return fail(exchange, code, "its branches and tags", error);
    if (count > REFS_MAX)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "'%s': has more than %d branches and tags",
                                exchange->request->shown, REFS_MAX);
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < count; i++)
        names[i] = heads[i]->name;
    qsort(names, count, sizeof *names, by_name);
    code = remove_gone(repository, names, count);
    free(names);
    return code == 0 ? DROVER_OK : fail(exchange, code, "its mirror", error);
}

static enum drover_status download(struct exchange *exchange, struct drover_error *error)
{
    /* The library does not write to them. */
    static char heads[] = "+refs/heads/*:refs/heads/*", tags[] = "+refs/tags/*:refs/tags/*";
    char *specs[] = {heads, tags};
    const git_strarray refspecs = {specs, 2};
    git_fetch_options options;
    git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    fill_callbacks(&options.callbacks, exchange);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    options.proxy_opts.type = exchange->request->loopback ? GIT_PROXY_NONE : GIT_PROXY_AUTO;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE; /* the refspec has them all */
    options.prune = GIT_FETCH_NO_PRUNE;
    options.update_fetchhead = 0;
    deadline_stage("waiting for objects");
    const int code = git_remote_fetch(exchange->remote, &refspecs, &options, NULL);
    return code == 0 ? DROVER_OK : fail(exchange, code, "fetch", error);
}

/* Let HEAD be the server's own branch; a server that has none changes nothing. */
static void set_head(git_repository *repository, const git_buf *branch)
{
    if (branch->ptr && strncmp(branch->ptr, "refs/heads/", 11) == 0)
        (void)git_repository_set_head(repository, branch->ptr);
}

enum drover_status mirror_fetch(struct mirror *mirror, struct credentials *credentials, struct drover_error *error)
{
    struct exchange exchange = {.request = mirror->request, .report = mirror->report, .credentials = credentials};
    git_buf branch = {0};
    enum drover_status status = remove_odd_tags(mirror->repository, mirror->request, error);
    if (status != DROVER_OK)
        return status;
    const int code = git_remote_create_anonymous(&exchange.remote, mirror->repository, mirror->request->address);
    if (code != 0)
        return library_error(code, mirror->request, "no such remote", error);
    status = connect_remote(&exchange, error);
    if (status == DROVER_OK && git_remote_default_branch(&branch, exchange.remote) != 0)
        git_error_clear();
    if (status == DROVER_OK)
        status = prune(&exchange, mirror->repository, error);
    if (status == DROVER_OK)
        status = download(&exchange, error);
    if (status == DROVER_OK)
        set_head(mirror->repository, &branch);
    git_buf_dispose(&branch);
    git_remote_free(exchange.remote);
    return status;
}
