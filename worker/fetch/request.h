/* request.h - what drover-fetch was asked for
 *
 * START: request_parse() reads the command line. request_check() makes sense of it: the URL is taken apart and judged.
 * After that nothing of it changes.
 */
#ifndef DROVER_FETCH_REQUEST_H
#define DROVER_FETCH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <drover/status.h>

#include "worker/store/store.h"

enum scheme { SCHEME_HTTPS, SCHEME_SSH, SCHEME_FILE, SCHEME_HTTP, SCHEME_GIT, SCHEMES };

struct request {
    /* As given; borrowed from argv. NULL and 0 where nothing was. */
    const char *store, *url, *ref, *subdir, *commit, *allow;
    const char *ca, *known_hosts, *key, *token_file;
    const char *max_bytes_text, *max_download_text;
    uint64_t deadline_ms, max_entries;
    bool offline, refresh, help, version;

    /* What follows from it; owned. */
    enum scheme scheme;
    bool loopback; /* the host is this machine */
    char *address; /* the URL in its normal form */
    char *shown;   /* the same for messages: without what may be a secret */
    char *user, *host;
    char *port;                 /* "" when the URL has none */
    char name[STORE_NAME_SIZE]; /* of the mirror: SHA-256 of the address */
    uint64_t max_bytes, max_download;
};

/* Fill in `request`, which is `{0}`, from the command line. Errors: INVALID_ARGUMENT. */
DROVER_MUST_CHECK enum drover_status request_parse(int argc, char **argv, struct request *request,
                                                   struct drover_error *error);

/* Errors: INVALID_ARGUMENT (no sound URL, ref, subfolder, commit or size), PERMISSION_DENIED (a scheme that is not
 * allowed), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status request_check(struct request *request, struct drover_error *error);

void request_done(struct request *request);

/* The usage text, for the caller to free(). NULL when there is no memory. */
char *request_help(void);

/* "https", "ssh", ... */
const char *request_scheme_name(enum scheme scheme);

/* Is `text` a whole commit id: 40 lower-case hex digits? */
bool request_is_commit(const char *text);

#endif
