/* url.c - takes the addresses of git repositories apart
 *
 * The order follows the text from its end: `?ref=` is cut off, then `//subfolder`, then what is left is split into
 * host and path. Each step refuses what a later reader (libgit2, ssh, a shell in somebody's hook) could misread.
 *
 * Source: RFC 3986 for the shape; gitrevisions(7) for what a ref may be.
 */
#include "common/config/url.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"

static bool span_is(struct url_span span, const char *word)
{
    return span.size == strlen(word) && strncasecmp(span.at, word, span.size) == 0;
}

/* How many octets at the start of `text` are a scheme in front of "://"; 0 for none. */
static size_t scheme_size(const char *text)
{
    size_t size = 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '+' || text[size] == '-' || text[size] == '.')
        size++;
    return strncmp(text + size, "://", 3) == 0 ? size : 0;
}

static bool is_label(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)at[i]) && at[i] != '-')
            return false;
    return size > 0 && size <= 63 && at[0] != '-' && at[size - 1] != '-';
}

/* Labels with dots between them (RFC 1123, section 2.1); an IPv4 address is one too. */
static bool is_host_name(struct url_span host)
{
    const char *at = host.at, *end = host.at + host.size;
    while (at < end) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot ? dot : end;
        if (!is_label(at, (size_t)(stop - at)) || dot == end - 1)
            return false;
        at = dot ? dot + 1 : end;
    }
    return host.size > 0 && host.size <= 253;
}

static bool is_ipv6(struct url_span host)
{
    if (host.size < 4 || host.at[0] != '[' || host.at[host.size - 1] != ']')
        return false;
    bool colon = false;
    for (size_t i = 1; i < host.size - 1; i++) {
        if (!isxdigit((unsigned char)host.at[i]) && host.at[i] != ':' && host.at[i] != '.')
            return false;
        colon = colon || host.at[i] == ':';
    }
    return colon;
}

/* Four numbers, or a last label that can be a top-level domain: what tells a host from a folder with a dot. */
static bool has_host_ending(struct url_span host)
{
    const char *last = memrchr(host.at, '.', host.size);
    if (!last)
        return false;
    size_t size = (size_t)(host.at + host.size - last) - 1;
    size_t dots = 0;
    for (size_t i = 0; i < host.size; i++)
        dots += host.at[i] == '.';
    bool all_numbers = strspn(host.at, "0123456789.") >= host.size;
    return all_numbers ? dots == 3 : size >= 2 && isalpha((unsigned char)last[1]);
}

/* Split "host:port" or "[::1]:port"; the port may be absent. */
static void split_port(struct url_span authority, struct url_span *ret_host, struct url_span *ret_port)
{
    const char *colon = memrchr(authority.at, ':', authority.size);
    const char *bracket = memrchr(authority.at, ']', authority.size);
    *ret_host = authority;
    *ret_port = (struct url_span){authority.at, 0};
    if (!colon || (bracket && bracket > colon))
        return;
    ret_host->size = (size_t)(colon - authority.at);
    *ret_port = (struct url_span){colon + 1, authority.size - ret_host->size - 1};
}

static bool is_port(struct url_span port)
{
    unsigned value = 0;
    for (size_t i = 0; i < port.size; i++) {
        if (!isdigit((unsigned char)port.at[i]) || value > 6553)
            return false;
        value = value * 10 + (unsigned)(port.at[i] - '0');
    }
    return port.size > 0 && value >= 1 && value <= 65535;
}

static bool is_bare(const char *reference)
{
    struct url_span authority = {reference, strcspn(reference, "/")}, host, port;
    split_port(authority, &host, &port);
    if (!is_host_name(host) || !has_host_ending(host))
        return false;
    if (host.size != authority.size && !is_port(port))
        return false;
    const char *owner = reference + authority.size;
    owner += strspn(owner, "/");
    const char *repository = owner + strcspn(owner, "/?#");
    repository += strspn(repository, "/");
    return *repository != '\0' && *repository != '?' && *repository != '#';
}

enum url_form url_form(const char *reference)
{
    if (scheme_size(reference))
        return URL_SCHEME;
    size_t user = strcspn(reference, "@:/");
    if (user > 0 && reference[user] == '@') {
        size_t host = strcspn(reference + user + 1, "/");
        if (memchr(reference + user + 1, ':', host))
            return URL_SCP;
    }
    return is_bare(reference) ? URL_BARE : URL_NONE;
}

/* Cut `?ref=...` off `rest`. */
static const char *take_ref(struct url_span *rest, struct url *url)
{
    const char *mark = memchr(rest->at, '?', rest->size);
    if (memchr(rest->at, '#', rest->size))
        return "has a '#': write '?ref=' and a branch, tag or commit";
    if (!mark)
        return NULL;
    struct url_span query = {mark + 1, (size_t)(rest->at + rest->size - mark) - 1};
    rest->size = (size_t)(mark - rest->at);
    if (query.size < 4 || memcmp(query.at, "ref=", 4) != 0)
        return "has a parameter that is not 'ref': only '?ref=' and a branch, tag or commit is known";
    url->ref = (struct url_span){query.at + 4, query.size - 4};
    if (url->ref.size == 0)
        return "has an empty 'ref': write a branch, tag or commit behind '?ref='";
    if (url->ref.at[0] == '-')
        return "has a 'ref' that begins with '-', which no branch, tag or commit does";
    if (memmem(url->ref.at, url->ref.size, "..", 2) || strcspn(url->ref.at, " ~^:?*[\\&=") < url->ref.size)
        return "has a 'ref' that is no branch, tag or commit";
    return NULL;
}

/* Cut `//subfolder` off `rest`. */
static const char *take_subfolder(struct url_span *rest, struct url *url)
{
    const char *mark = memmem(rest->at, rest->size, "//", 2);
    if (!mark)
        return NULL;
    url->subfolder = (struct url_span){mark + 2, (size_t)(rest->at + rest->size - mark) - 2};
    rest->size = (size_t)(mark - rest->at);
    while (url->subfolder.size > 0 && url->subfolder.at[url->subfolder.size - 1] == '/')
        url->subfolder.size--;
    return url->subfolder.size > 0 ? NULL : "has an empty subfolder behind '//'";
}

/* "user", "host" and "port" of what stands between the scheme and the path. */
static const char *take_authority(struct url_span authority, struct url *url)
{
    const char *at = memrchr(authority.at, '@', authority.size);
    if (at) {
        url->user = (struct url_span){authority.at, (size_t)(at - authority.at)};
        authority = (struct url_span){at + 1, authority.size - url->user.size - 1};
    }
    if (memchr(url->user.at ? url->user.at : "", ':', url->user.size))
        return "has a password in it: credentials do not belong into URLs (see drover.yaml(5))";
    split_port(authority, &url->host, &url->port);
    if (url->host.size != authority.size && !is_port(url->port))
        return "has a port that is not a number from 1 to 65535";
    return NULL;
}

static bool is_safe_path(struct url_span path)
{
    if (path.size == 0)
        return true; /* and `at` may be NULL then */
    const char *at = path.at, *end = path.at + path.size;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t size = (size_t)((slash ? slash : end) - at);
        if ((size == 2 && memcmp(at, "..", 2) == 0) || (size == 1 && *at == '.'))
            return false;
        at += size + 1;
    }
    return true;
}

static const char *check_parts(const struct url *url)
{
    static const char *const needs_host = "has no sound host: a name, an IPv4 address or an IPv6 address in brackets";
    bool is_file = span_is(url->scheme, "file");
    if (is_file && url->host.size > 0 && !span_is(url->host, "localhost"))
        return "names a host, which file: cannot reach: write file:/// and an absolute path";
    if (!is_file && !is_host_name(url->host) && !is_ipv6(url->host))
        return needs_host;
    if (url->user.size > 0 && (url->user.at[0] == '-' || strcspn(url->user.at, " /?#") < url->user.size))
        return "has a user that no server knows";
    if (strspn(url->path.at, "/") >= url->path.size)
        return "has no path to a repository";
    if (url->form == URL_SCP && url->path.at[0] == '-')
        return "has a path that begins with '-'";
    if (!is_safe_path(url->path) || !is_safe_path(url->subfolder))
        return "has '.' or '..' in its path: write the path without";
    return NULL;
}

static const struct scheme {
    const char *name;
    bool usual, needs_loopback;
} schemes[] = {
    {"https", true, false}, {"ssh", true, false}, {"file", false, false}, {"http", false, true}, {"git", false, true},
};

#define SCHEME_COUNT (sizeof schemes / sizeof *schemes)

static const struct scheme *find_scheme(struct url_span name)
{
    for (size_t i = 0; i < SCHEME_COUNT; i++)
        if (span_is(name, schemes[i].name))
            return &schemes[i];
    return NULL;
}

/* Split what is left of the text into authority and path, each form in its own way. */
static const char *take_place(struct url_span rest, struct url *url)
{
    size_t size = strcspn(rest.at, "/");
    if (size > rest.size)
        size = rest.size;
    if (url->form != URL_SCP) {
        url->path = (struct url_span){rest.at + size, rest.size - size};
        return take_authority((struct url_span){rest.at, size}, url);
    }
    /* user@host:path, where the host may be an IPv6 address in brackets */
    const char *at = memchr(rest.at, '@', rest.size);
    const char *host = at + 1;
    const char *bracket = *host == '[' ? memchr(host, ']', rest.size - (size_t)(host - rest.at)) : NULL;
    const char *start = bracket ? bracket : host;
    const char *colon = memchr(start, ':', rest.size - (size_t)(start - rest.at));
    if (!colon)
        return "has no ':' between host and path";
    url->user = (struct url_span){rest.at, (size_t)(at - rest.at)};
    url->host = (struct url_span){host, (size_t)(colon - host)};
    url->path = (struct url_span){colon + 1, rest.size - (size_t)(colon + 1 - rest.at)};
    return NULL;
}

const char *url_parse(const char *reference, enum url_form form, struct url *ret)
{
    struct url url = {.form = form};
    struct url_span rest = {reference, strlen(reference)};
    const char *mistake = NULL;
    if (form == URL_SCHEME) {
        url.scheme = (struct url_span){reference, scheme_size(reference)};
        rest = (struct url_span){reference + url.scheme.size + 3, rest.size - url.scheme.size - 3};
        mistake = find_scheme(url.scheme) ? NULL : "has a scheme that cannot be fetched: use https:// or ssh://";
    }
    if (!mistake)
        mistake = take_ref(&rest, &url);
    if (!mistake)
        mistake = take_subfolder(&rest, &url);
    if (!mistake)
        mistake = take_place(rest, &url);
    while (url.path.size > 1 && url.path.at[url.path.size - 1] == '/')
        url.path.size--;
    if (!mistake)
        mistake = check_parts(&url);
    if (!mistake)
        *ret = url;
    return mistake;
}

/* printf's "%.*s" for a span. */
#define SPAN(span) (int)(span).size, (span).size ? (span).at : ""

char *url_normal(const struct url *url)
{
    bool is_scp = url->form == URL_SCP;
    const char *slashes = is_scp ? "" : "://";
    char *text = text_format("%.*s%s%.*s%s%.*s%s%.*s%s%.*s%s%.*s%s%.*s", SPAN(url->scheme),
                             url->form == URL_BARE ? "https://" : slashes, SPAN(url->user), url->user.size ? "@" : "",
                             SPAN(url->host), url->port.size ? ":" : "", SPAN(url->port), is_scp ? ":" : "",
                             SPAN(url->path), url->subfolder.size ? "//" : "", SPAN(url->subfolder),
                             url->ref.size ? "?ref=" : "", SPAN(url->ref));
    if (!text)
        return NULL;
    size_t host =
        url->scheme.size + (url->form == URL_BARE ? 8 : strlen(slashes)) + url->user.size + (url->user.size ? 1 : 0);
    for (size_t i = 0; i < url->scheme.size; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    for (size_t i = host; i < host + url->host.size; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    return text;
}

const char *url_scheme(const struct url *url)
{
    const struct scheme *scheme = find_scheme(url->scheme);
    if (url->form == URL_SCP)
        return "ssh";
    return scheme ? scheme->name : "https"; /* as is meant where none was given */
}

bool url_scheme_is_usual(const char *scheme)
{
    const struct scheme *row = find_scheme((struct url_span){scheme, strlen(scheme)});
    return row && row->usual;
}

bool url_scheme_needs_loopback(const char *scheme)
{
    const struct scheme *row = find_scheme((struct url_span){scheme, strlen(scheme)});
    return row && row->needs_loopback;
}

/* Is it an address of 127.0.0.0/8, in four parts? A name may begin in the same way. */
static bool is_loopback_address(struct url_span host)
{
    unsigned part = 0, parts = 0;
    size_t digits = 0;
    for (size_t i = 0; i <= host.size; i++) {
        if (i < host.size && isdigit((unsigned char)host.at[i]) && digits < 3) {
            part = part * 10 + (unsigned)(host.at[i] - '0');
            digits++;
        } else if ((i == host.size || host.at[i] == '.') && digits > 0 && part <= 255 && (parts > 0 || part == 127)) {
            parts++;
            part = 0;
            digits = 0;
        } else {
            return false;
        }
    }
    return parts == 4;
}

bool url_is_loopback(const struct url *url)
{
    return span_is(url->scheme, "file") || span_is(url->host, "localhost") || span_is(url->host, "[::1]") ||
           is_loopback_address(url->host);
}

struct url_span url_name(const struct url *url)
{
    struct url_span name = url->subfolder.size ? url->subfolder : url->path;
    const char *slash = memrchr(name.at, '/', name.size);
    if (slash)
        name = (struct url_span){slash + 1, name.size - (size_t)(slash + 1 - name.at)};
    if (name.size > 4 && memcmp(name.at + name.size - 4, ".git", 4) == 0)
        name.size -= 4;
    return name;
}
