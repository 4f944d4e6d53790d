/* url.h - is a driver reference the address of a git repository, and is it a sound one?
 *
 * Forms: `https://host/owner/repo`, `user@host:owner/repo.git` (as scp(1) writes it), `host.name/owner/repo`; each with
 * an optional `//subfolder` and `?ref=branch, tag or commit` behind it. Text only: nothing is looked up.
 */
#ifndef DROVER_CONFIG_URL_H
#define DROVER_CONFIG_URL_H

#include <stdbool.h>
#include <stddef.h>

enum url_form {
    URL_NONE,   /* a word or a path */
    URL_SCHEME, /* begins with `something://` */
    URL_SCP,    /* `user@host:path` */
    URL_BARE,   /* the first part can be a host, and at least two more follow: may as well be a path */
};

/* Part of a text. */
struct url_span {
    const char *at;
    size_t size;
};

/* A reference taken apart; the spans point into it. Those that are absent have size 0. */
struct url {
    enum url_form form;
    struct url_span scheme, user, host, port, path, subfolder, ref;
};

enum url_form url_form(const char *reference);

/* Take `reference`, which is of `form` (not URL_NONE), apart. Returns NULL and fills in `*ret`, or returns what is
 * wrong and the way out. */
const char *url_parse(const char *reference, enum url_form form, struct url *ret);

/* The address in one normal form, for the caller to free(): scheme and host in lower case, https where none was given.
 * NULL when there is no memory. */
char *url_normal(const struct url *url);

/* How it is fetched: "https", "ssh", "file", "http" or "git". */
const char *url_scheme(const struct url *url);

/* May drivers be fetched by it unless a configuration says otherwise? */
bool url_scheme_is_usual(const char *scheme);

/* Is it so open to attack on its way that only this machine may be reached by it? */
bool url_scheme_needs_loopback(const char *scheme);

/* Is the host this machine, whatever a name server says? "localhost" (RFC 6761, section 6.3), 127.0.0.0/8, [::1]; a
 * file: URL's is. */
bool url_is_loopback(const struct url *url);

/* The name of what a URL leads to: the subfolder's, or the repository's without ".git". */
struct url_span url_name(const struct url *url);

#endif
