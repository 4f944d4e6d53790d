/* credentials.c - who drover-fetch is to a server */
#include "worker/fetch/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/config/url.h"
#include "common/sys/sys.h"
#include "worker/fetch/home.h"
#include "worker/fetch/netrc.h"

#define FILE_MAX ((size_t)64 << 10)
#define DEFAULT_USER "git"

/* "TOKEN" or "USER:TOKEN" and the end of the line. */
static enum drover_status read_token(struct credentials *credentials, struct drover_error *error)
{
    const struct request *request = credentials->request;
    struct drover_error why = {0};
    size_t size = 0;
    if (sys_read_file(request->token_file, FILE_MAX, &credentials->token, &size, &why) != DROVER_OK)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "option '--token-file': %.300s", why.text);
    char *text = credentials->token;
    text[strcspn(text, "\r\n")] = '\0';
    char *colon = strchr(text, ':');
    if (colon)
        *colon = '\0';
    credentials->login = colon ? text : *request->user ? request->user : DEFAULT_USER;
    credentials->secret = colon ? colon + 1 : text;
    if (*credentials->secret == '\0')
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "option '--token-file': file '%s' has no token",
                                request->token_file);
    return DROVER_OK;
}

/* A netrc is there or not; one that cannot be read is as good as none. */
static void read_netrc(struct credentials *credentials)
{
    const struct request *request = credentials->request;
    const char *named = getenv("NETRC");
    char *path = named ? strdup(named) : home_file(".netrc");
    struct drover_error ignored;
    size_t size = 0;
    if (path && sys_read_file(path, FILE_MAX, &credentials->netrc, &size, &ignored) == DROVER_OK) {
        const char *login = NULL;
        if (netrc_find(credentials->netrc, request->host, request->user, &login, &credentials->secret))
            credentials->login = *login ? login : DEFAULT_USER;
    }
    free(path);
}

enum drover_status credentials_init(struct credentials *credentials, const struct request *request,
                                    struct report *report, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    *credentials = (struct credentials){.request = request};
    if (request->key && access(request->key, R_OK) != 0)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "option '--key': file '%s' cannot be read",
                                request->key);
    if (request->token_file)
        status = read_token(credentials, error);
    else if (request->scheme == SCHEME_HTTPS || request->scheme == SCHEME_HTTP)
        read_netrc(credentials);
    const char *user = request->scheme == SCHEME_SSH ? NULL : request->user;
    if (!report_hide(report, credentials->secret) || !report_hide(report, user))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    return status;
}

void credentials_done(struct credentials *credentials)
{
    free(credentials->token);
    free(credentials->netrc);
}

static bool is_span(struct url_span span, const char *text)
{
    return span.size == strlen(text) && strncasecmp(span.at, text, span.size) == 0;
}

/* Does `url` lead to the server that the credentials are for? */
static bool is_same_server(const struct request *request, const char *url)
{
    struct url parts;
    const enum url_form form = url_form(url);
    if (request->scheme == SCHEME_SSH)
        return true; /* no redirects there */
    return form == URL_SCHEME && !url_parse(url, form, &parts) &&
           is_span(parts.scheme, request_scheme_name(request->scheme)) && is_span(parts.host, request->host) &&
           is_span(parts.port, request->port);
}

static int refuse(const struct credentials *credentials, const char *why, struct drover_error *error)
{
    (void)drover_error_set(error, DROVER_UNAUTHENTICATED, "'%s': %s", credentials->request->shown, why);
    return GIT_EAUTH;
}

static int answer_ssh(struct credentials *credentials, git_credential **ret, unsigned allowed,
                      struct drover_error *error)
{
    const struct request *request = credentials->request;
    const char *user = *request->user ? request->user : DEFAULT_USER;
    if (allowed & GIT_CREDENTIAL_USERNAME && credentials->names++ == 0)
        return git_credential_username_new(ret, user);
    if (!(allowed & GIT_CREDENTIAL_SSH_KEY))
        return refuse(credentials, "the server takes no key, and nothing else is offered", error);
    if (credentials->attempts++ > 0)
        return refuse(credentials,
                      request->key ? "the server refuses the key of --key for this user"
                                   : "the server refuses the keys of the agent for this user",
                      error);
    if (request->key)
        return git_credential_ssh_key_new(ret, user, NULL, request->key, "");
    if (!getenv("SSH_AUTH_SOCK"))
        return refuse(credentials, "the server wants a key: give --key, or run an agent", error);
    return git_credential_ssh_key_from_agent(ret, user);
}

int credentials_answer(struct credentials *credentials, git_credential **ret, const char *url, unsigned allowed,
                       struct drover_error *error)
{
    if (credentials->request->scheme == SCHEME_SSH)
        return answer_ssh(credentials, ret, allowed, error);
    if (!is_same_server(credentials->request, url))
        return refuse(credentials, "another server than the one in the reference asks for credentials", error);
    if (!credentials->secret)
        return refuse(credentials, "the server wants credentials: give --token-file, or an entry in ~/.netrc", error);
    if (!(allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT))
        return refuse(credentials, "the server takes no user and token, and nothing else is offered", error);
    if (credentials->attempts++ > 0)
        return refuse(credentials, "the server refuses the token", error);
    return git_credential_userpass_plaintext_new(ret, credentials->login, credentials->secret);
}
