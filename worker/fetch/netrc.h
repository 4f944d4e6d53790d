/* netrc.h - looks a host up in a netrc file
 *
 * Source: the .netrc format of ftp(1): words between blanks; `machine NAME` or `default`, then `login`, `password` and
 * `account` with a word each; `macdef` runs to the next empty line; a word in double quotes may have blanks, with '\'
 * before what stands for itself; a line that begins with '#' is a comment.
 */
#ifndef DROVER_FETCH_NETRC_H
#define DROVER_FETCH_NETRC_H

#include <stdbool.h>

/* Find the first entry for `host` that has a password, or the default's. `text` is taken apart in place, and the
 * results point into it; `*ret_login` is "" where the entry has none. False when there is no entry. `login` (may be
 * NULL or ""): only an entry for this login. */
bool netrc_find(char *text, const char *host, const char *login, const char **ret_login, const char **ret_password);

#endif
