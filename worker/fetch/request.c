/* request.c - what drover-fetch was asked for (request.h) */
#include "worker/fetch/request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/options.h"
#include "common/base/text.h"
#include "common/config/url.h"

#define DEFAULT_ALLOW "https,ssh"
#define DEFAULT_DEADLINE_MS 300000
#define DEFAULT_MAX_ENTRIES 20000
#define DEFAULT_MAX_BYTES (UINT64_C(256) << 20)
#define DEFAULT_MAX_DOWNLOAD (UINT64_C(1) << 30)
#define SUBDIR_MAX 1024
#define COMMIT_SIZE 40

#define AT(member) offsetof(struct request, member)

static const struct option table[] = {
    {"store", 0, OPTION_TEXT, AT(store), "DIR", "the store that keeps mirrors and sources"},
    {"url", 0, OPTION_TEXT, AT(url), "URL", "the repository"},
    {"ref", 0, OPTION_TEXT, AT(ref), "REF",
     "a branch, a tag or a whole commit id (default: the repository's own branch)"},
    {"subdir", 0, OPTION_TEXT, AT(subdir), "DIR", "only this folder of it"},
    {"commit", 0, OPTION_TEXT, AT(commit), "SHA",
     "this very commit; it is an error if REF does not lead to it any more"},
    {"refresh", 0, OPTION_FLAG, AT(refresh), NULL, "ask the server even if the mirror has the commit"},
    {"offline", 0, OPTION_FLAG, AT(offline), NULL, "ask no server; what the mirror has not is an error"},
    {"allow", 0, OPTION_TEXT, AT(allow), "LIST", "schemes that may be used (default: " DEFAULT_ALLOW ")"},
    {"deadline", 0, OPTION_TIME, AT(deadline_ms), "TIME", "end after this, whatever happens (default: 5m)"},
    {"ca", 0, OPTION_TEXT, AT(ca), "FILE", "trust these certificates (PEM) instead of the system's"},
    {"known-hosts", 0, OPTION_TEXT, AT(known_hosts), "FILE",
     "host keys for ssh (default: the user's and the system's)"},
    {"key", 0, OPTION_TEXT, AT(key), "FILE", "private key for ssh (default: the agent)"},
    {"token-file", 0, OPTION_TEXT, AT(token_file), "FILE", "'TOKEN' or 'USER:TOKEN' for https (default: netrc)"},
    {"max-entries", 0, OPTION_NUMBER, AT(max_entries), "N",
     "files and folders that a driver may have (default: 20000)"},
    {"max-bytes", 0, OPTION_TEXT, AT(max_bytes_text), "SIZE", "bytes that its files may have (default: 256MiB)"},
    {"max-download", 0, OPTION_TEXT, AT(max_download_text), "SIZE", "bytes that may be received (default: 1GiB)"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "show this text"},
    {"version", 0, OPTION_FLAG, AT(version), NULL, "show the version"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL},
};

static const char *const schemes[SCHEMES] = {
    [SCHEME_HTTPS] = "https", [SCHEME_SSH] = "ssh", [SCHEME_FILE] = "file",
    [SCHEME_HTTP] = "http",   [SCHEME_GIT] = "git",
};

const char *request_scheme_name(enum scheme scheme)
{
    return schemes[scheme];
}

enum drover_status request_parse(int argc, char **argv, struct request *request, struct drover_error *error)
{
    int rest = argc;
    request->allow = DEFAULT_ALLOW;
    request->deadline_ms = DEFAULT_DEADLINE_MS;
    request->max_entries = DEFAULT_MAX_ENTRIES;
    request->max_bytes = DEFAULT_MAX_BYTES;
    request->max_download = DEFAULT_MAX_DOWNLOAD;
    enum drover_status status = options_parse(table, argc, argv, 1, request, &rest, error);
    if (status != DROVER_OK || request->help || request->version)
        return status;
    if (rest < argc)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "unexpected word '%s'", argv[rest]);
    if (!request->store || !request->url)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "--store DIR and --url URL are needed");
    if (request->offline && request->refresh)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "--offline and --refresh exclude each other");
    if (request->max_bytes_text && !text_parse_size(request->max_bytes_text, &request->max_bytes))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "option '--max-bytes': '%s' is no size (write it as '64MiB')", request->max_bytes_text);
    if (request->max_download_text && !text_parse_size(request->max_download_text, &request->max_download))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "option '--max-download': '%s' is no size (write it as '64MiB')",
                                request->max_download_text);
    return DROVER_OK;
}

char *request_help(void)
{
    char *options = options_help(table);
    char *help = !options
                     ? NULL
                     : text_format("usage: drover-fetch --store DIR --url URL [OPTION]...\n\n"
                                   "Brings a driver's source from a git repository into the store. Tells what it "
                                   "does in JSON, one object a line.\n\n%s\n"
                                   "Exit status: 0 done, 2 wrong usage, 75 try again, 77 credentials, certificate or "
                                   "host key,\n78 the reference leads nowhere or to something unusable, 1 other.\n",
                                   options);
    free(options);
    return help;
}

static enum scheme scheme_of(const struct url *url)
{
    const char *name = url_scheme(url);
    unsigned scheme = 0;
    while (scheme + 1 < SCHEMES && strcmp(name, schemes[scheme]) != 0)
        scheme++;
    return (enum scheme)scheme;
}

/* Is `word` one of the comma-separated words of `list`? */
static bool is_listed(const char *list, const char *word)
{
    const size_t size = strlen(word);
    while (*list) {
        const size_t next = strcspn(list, ",");
        if (next == size && strncmp(list, word, size) == 0)
            return true;
        list += next + (list[next] == ',');
    }
    return false;
}

static enum drover_status check_scheme(const struct request *request, struct drover_error *error)
{
    const char *name = schemes[request->scheme];
    if (!is_listed(request->allow, name))
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                "'%s': '%s' is not allowed here, only %s (broker.fetch.allow)", request->shown, name,
                                request->allow);
    if (url_scheme_needs_loopback(name) && !request->loopback)
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                "'%s': '%s' is only allowed to this machine itself: use https or ssh", request->shown,
                                name);
    return DROVER_OK;
}

static char *copy_span(struct url_span span)
{
    return strndup(span.size ? span.at : "", span.size);
}

/* The address for messages. The user of an ssh URL is known to all; that of another may be a token. */
static char *redact(const struct url *url, enum scheme scheme, const char *address)
{
    if (scheme == SCHEME_SSH || url->user.size == 0)
        return strdup(address);
    const char *at = strchr(address, '@');
    return text_format("%s://***%s", schemes[scheme], at ? at : "");
}

static enum drover_status check_url(struct request *request, struct drover_error *error)
{
    struct url url;
    char quoted[128];
    const enum url_form form = url_form(request->url);
    const char *mistake =
        form == URL_NONE ? "is no URL: write https:// or ssh:// in front of it" : url_parse(request->url, form, &url);
    if (mistake) {
        /* What could not be taken apart may have a password anywhere: little of it is shown. */
        const char *slashes = strstr(request->url, "://");
        size_t size = strcspn(request->url, "@?");
        if (request->url[size] == '@')
            size = slashes ? (size_t)(slashes - request->url) + 3 : 0;
        text_printable(request->url, size, quoted, sizeof quoted);
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "url '%s%s' %s", quoted,
                                size < strlen(request->url) ? "..." : "", mistake);
    }
    if (url.subfolder.size || url.ref.size)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "url: give '//subfolder' and '?ref=' as --subdir and --ref");
    request->scheme = scheme_of(&url);
    request->address = url_normal(&url);
    request->shown = request->address ? redact(&url, request->scheme, request->address) : NULL;
    request->user = copy_span(url.user);
    request->host = copy_span(url.host);
    request->port = copy_span(url.port);
    if (!request->address || !request->shown || !request->user || !request->host || !request->port)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    request->loopback = url_is_loopback(&url);
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)request->address, strlen(request->address));
    text_hex(hash, sizeof hash, request->name);
    return DROVER_OK;
}

bool request_is_commit(const char *text)
{
    return strlen(text) == COMMIT_SIZE && strspn(text, "0123456789abcdef") == COMMIT_SIZE;
}

/* A path inside of the repository: parts that are names, one slash between them. */
static bool is_inner_path(const char *path)
{
    if (strlen(path) > SUBDIR_MAX)
        return false;
    while (*path) {
        const size_t size = strcspn(path, "/");
        if (size == 0 || (size == 1 && path[0] == '.') || (size == 2 && memcmp(path, "..", 2) == 0))
            return false;
        path += size;
        if (*path == '/' && *++path == '\0')
            return false;
    }
    return true;
}

enum drover_status request_check(struct request *request, struct drover_error *error)
{
    char quoted[128];
    enum drover_status status = check_url(request, error);
    if (status == DROVER_OK)
        status = check_scheme(request, error);
    if (status != DROVER_OK)
        return status;
    if (request->subdir && !is_inner_path(request->subdir))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "subfolder '%s': write names with one '/' between them, without '.' and '..'",
                                text_printable(request->subdir, strlen(request->subdir), quoted, sizeof quoted));
    if (request->commit && !request_is_commit(request->commit))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "commit '%s': needs 40 hex digits",
                                text_printable(request->commit, strlen(request->commit), quoted, sizeof quoted));
    if (request->subdir && *request->subdir == '\0')
        request->subdir = NULL;
    return DROVER_OK;
}

void request_done(struct request *request)
{
    free(request->address);
    free(request->shown);
    free(request->user);
    free(request->host);
    free(request->port);
}
