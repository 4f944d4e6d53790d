/* credentials.h - who drover-fetch is to a server: the key or agent for ssh, the token file or netrc for https
 *
 * libgit2 asks again and again, without end, as long as the server refuses: each source is tried once, then the answer
 * is an error. Nothing is ever sent to another host, port or scheme than that of the request.
 */
#ifndef DROVER_FETCH_CREDENTIALS_H
#define DROVER_FETCH_CREDENTIALS_H

#include <git2.h>

#include "worker/fetch/report.h"
#include "worker/fetch/request.h"

struct credentials {
    const struct request *request; /* borrowed */
    char *token, *netrc;           /* the files' texts; the two below point into one of them */
    const char *login, *secret;    /* for https; NULL when there is none */
    unsigned names, attempts;
};

/* Read what there is, and let `report` hide it. `request` is borrowed until credentials_done(). Called before
 * library_start(). Errors: FAILED_PRECONDITION (a file that was named cannot be read). */
DROVER_MUST_CHECK enum drover_status credentials_init(struct credentials *credentials, const struct request *request,
                                                      struct report *report, struct drover_error *error);
void credentials_done(struct credentials *credentials);

/* Answer libgit2's question. Returns 0, or a negative code with `error` set. Never a positive number, which would mean
 * "as if there was no callback". */
int credentials_answer(struct credentials *credentials, git_credential **ret, const char *url, unsigned allowed,
                       struct drover_error *error);

#endif
