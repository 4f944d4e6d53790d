/* reference.c - resolves driver references, row by row of the table
 *
 * Who calls it: config_parse() for every service, and `drover explain`. OPERATION: reference_resolve() refuses what no
 * row could take, strips a forced prefix (`builtin:`, `path:`, `src:`, `git::`) or tells the row by the text alone, and
 * hands over to that row's function; each leaves a step behind for what it saw. The last step is the decision.
 */
#include "common/config/reference.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/paths.h"
#include "common/config/report.h"
#include "common/config/resolver.h"
#include "common/config/url.h"

static const struct {
    const char *name;
    const char *is_a; /* "'x' is ..." */
} kinds[] = {
    [REFERENCE_REFUSED] = {"refused", "refused"},
    [REFERENCE_BUILTIN] = {"builtin", "a built-in driver"},
    [REFERENCE_EXECUTABLE] = {"executable", "an executable"},
    [REFERENCE_MODULE] = {"module", "a module"},
    [REFERENCE_SOURCE] = {"source", "a source directory"},
    [REFERENCE_GIT] = {"git", "a git URL"},
};

const char *reference_kind_name(enum reference_kind kind)
{
    return kinds[kind].name;
}

const char *resolver_is_a(enum reference_kind kind)
{
    return kinds[kind].is_a;
}

char *resolver_checked(struct resolver *resolver, char *text)
{
    resolver->no_memory = resolver->no_memory || !text;
    return text;
}

void resolver_step(struct resolver *resolver, char *step)
{
    struct reference_resolution *result = resolver->result;
    if (resolver_checked(resolver, step) && result->step_count < REFERENCE_STEPS_MAX)
        result->steps[result->step_count++] = step;
    else
        free(step);
}

void resolver_refuse(struct resolver *resolver, char *reason)
{
    struct reference_resolution *result = resolver->result;
    free(result->reason);
    free(result->target);
    free(result->name);
    free(result->url);
    free(result->ref);
    free(result->subdir);
    free(result->obstacle);
    result->kind = REFERENCE_REFUSED;
    result->reason = reason;
    result->target = result->name = result->url = result->ref = result->subdir = result->obstacle = NULL;
}

void resolver_decide(struct resolver *resolver, enum reference_kind kind, char *target, char *name, char *reason)
{
    resolver_refuse(resolver, resolver_checked(resolver, reason));
    resolver->result->kind = kind;
    resolver->result->target = resolver_checked(resolver, target);
    resolver->result->name = resolver_checked(resolver, name);
}

/* Nothing comes out when memory was short on the way. */
static void settle(struct resolver *resolver)
{
    struct reference_resolution *result = resolver->result;
    if (result->reason)
        resolver_step(resolver, text_format("decision: %s", result->reason));
    if (resolver->no_memory)
        resolver_refuse(resolver, NULL);
}

/* A copy for messages: printable, cut, and without the password that a URL may hold by mistake. */
static void quote_reference(const char *reference, char *buffer)
{
    const char *scheme = strstr(reference, "://");
    const char *start = scheme ? scheme + 3 : reference;
    const char *colon = strchr(start, ':'), *first_at = strchr(start, '@'), *last_at = strrchr(start, '@');
    size_t size = strlen(reference);
    bool has_password = colon && first_at && colon < first_at;
    if (!has_password) {
        report_cut(reference, size, buffer, RESOLVER_QUOTE_SIZE);
        return;
    }
    size_t before = (size_t)(colon - reference) + 1;
    if (before > RESOLVER_QUOTE_SIZE / 2)
        before = RESOLVER_QUOTE_SIZE / 2;
    text_printable(reference, before, buffer, RESOLVER_QUOTE_SIZE);
    size_t used = strlen(buffer);
    text_printable("***", 3, buffer + used, RESOLVER_QUOTE_SIZE - used);
    used += 3;
    report_cut(last_at, strlen(last_at), buffer + used, RESOLVER_QUOTE_SIZE - used);
}

/* ---- URLs ---- */

static char *copy_span(struct url_span span)
{
    return strndup(span.size ? span.at : "", span.size);
}

static char *name_of_url(const struct url *url)
{
    return copy_span(url_name(url));
}

/* Refuse what the configuration does not allow to be fetched; where that is not known, say what it takes. Returns true
 * when it was refused. */
static bool refuse_scheme(struct resolver *resolver, const struct url *url)
{
    const struct reference_setting *setting = resolver->setting;
    const char *scheme = url_scheme(url);
    bool allowed = false, usual = url_scheme_is_usual(scheme), near = url_is_loopback(url);
    for (size_t i = 0; i < setting->fetch_allow_count; i++)
        allowed = allowed || strcmp(setting->fetch_allow[i], scheme) == 0;
    if (url_scheme_needs_loopback(scheme) && !near) {
        resolver_step(resolver, text_format("'%s' is only fetched by from this machine itself", scheme));
        resolver_refuse(resolver,
                        text_format("driver '%s': by '%s' only this machine itself may be reached (localhost, "
                                    "127.0.0.1, [::1]): use https:// or ssh://",
                                    resolver->quote, scheme));
        return true;
    }
    if (setting->fetch_allow && !allowed) {
        resolver_step(resolver, text_format("'%s' is not in 'broker.fetch.allow'", scheme));
        resolver_refuse(resolver, text_format("driver '%s': '%s' is not allowed by 'broker.fetch.allow': add it there, "
                                              "or use another URL",
                                              resolver->quote, scheme));
        return true;
    }
    if (!setting->fetch_allow && !usual)
        resolver->result->warning =
            resolver_checked(resolver, text_format("'%s' is only fetched where 'broker.fetch.allow' has it", scheme));
    return false;
}

/* Decide for a sound URL that may be fetched. */
static void decide_url(struct resolver *resolver, const struct url *url, char *normal)
{
    struct url bare = *url;
    bare.ref.size = bare.subfolder.size = 0;
    resolver_decide(resolver, REFERENCE_GIT, normal, name_of_url(url),
                    text_format("driver '%s' is a git URL", resolver->quote));
    resolver->result->url = resolver_checked(resolver, url_normal(&bare));
    if (url->ref.size)
        resolver->result->ref = resolver_checked(resolver, copy_span(url->ref));
    if (url->subfolder.size)
        resolver->result->subdir = resolver_checked(resolver, copy_span(url->subfolder));
}

static void resolve_url(struct resolver *resolver, const char *text, enum url_form form)
{
    struct url url;
    const char *mistake = url_parse(text, form, &url);
    if (mistake) {
        resolver_step(resolver, text_format("the URL %s", mistake));
        resolver_refuse(resolver, text_format("driver '%s': the URL %s", resolver->quote, mistake));
        return;
    }
    char *normal = resolver_checked(resolver, url_normal(&url));
    resolver_step(resolver, text_format("as a URL it reads '%s'", normal ? normal : ""));
    if (refuse_scheme(resolver, &url))
        free(normal);
    else
        decide_url(resolver, &url, normal);
}

/* Without a scheme it is a URL only when no such path exists. */
static void resolve_url_or_path(struct resolver *resolver, const char *text, enum url_form form)
{
    enum reference_disk_kind disk = REFERENCE_DISK_NOTHING;
    resolver_step(resolver, text_format("'%s' can be a git URL or a path", resolver->quote));
    char *found = resolver_find_path(resolver, text, &disk);
    if (found)
        resolver_refuse(resolver,
                        text_format("driver '%s' can be the path '%s' or a git URL: write './%s' or 'git::%s'",
                                    resolver->quote, found, resolver->quote, resolver->quote));
    else
        resolve_url(resolver, text, form);
    free(found);
}

static void resolve_git(struct resolver *resolver, const char *text)
{
    enum url_form form = url_form(text);
    if (form != URL_NONE) {
        resolve_url(resolver, text, form);
        return;
    }
    char *address = text[0] == '/' ? resolver_checked(resolver, text_format("file://%s", text)) : NULL;
    if (address) { /* the URL's parts point into it: nothing of them is kept */
        resolve_url(resolver, address, URL_SCHEME);
        free(address);
        return;
    }
    resolver_refuse(
        resolver,
        text_format("driver '%s': a URL must follow 'git::', such as git::https://host/owner/repo", resolver->quote));
}

/* ---- which row ---- */

static const struct {
    const char *prefix;
    void (*resolve)(struct resolver *resolver, const char *rest);
} prefixes[] = {{"path:", resolve_path}, {"src:", resolve_source}, {"git::", resolve_git}};

/* Resolve what has a forced prefix; false when there is none. */
static bool resolve_forced(struct resolver *resolver)
{
    const char *reference = resolver->reference;
    if (strncmp(reference, "builtin:", 8) == 0) {
        resolver_step(resolver, text_format("the prefix 'builtin:' asks for the registry"));
        resolve_builtin(resolver, reference + 8, "is not built in");
        return true;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t size = strlen(prefixes[i].prefix);
        if (strncmp(reference, prefixes[i].prefix, size) != 0)
            continue;
        resolver_step(resolver, text_format("the prefix '%s' says what it is", prefixes[i].prefix));
        prefixes[i].resolve(resolver, reference + size);
        return true;
    }
    return false;
}

static bool has_control_character(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return true;
    return false;
}

/* What no row takes. */
static bool refuse_outright(struct resolver *resolver)
{
    size_t size = strlen(resolver->reference);
    char *reason;
    if (size == 0)
        reason = text_format("the driver's reference is empty: write a built-in driver's name or a path");
    else if (size > REFERENCE_SIZE_MAX)
        reason = text_format("the driver's reference has %zu bytes; at most %d make sense", size, REFERENCE_SIZE_MAX);
    else if (has_control_character(resolver->reference))
        reason = text_format("driver '%s': control characters are not allowed in it", resolver->quote);
    else
        return false;
    resolver_refuse(resolver, reason);
    return true;
}

static void refuse_parent(struct resolver *resolver)
{
    char *path = resolver_checked(resolver, path_resolve_folded(resolver->setting->directory, resolver->reference));
    resolver_step(resolver, text_format("it contains '..'"));
    if (path)
        resolver_refuse(resolver, text_format("driver '%s' contains '..': write the absolute path (nearest: '%s')",
                                              resolver->quote, path));
    free(path);
}

/* Does it look like `user:password@host`? What follows must not come near a message. */
static bool looks_like_password(const char *text)
{
    size_t size = strcspn(text, "/");
    const char *colon = memchr(text, ':', size);
    return colon && memchr(colon, '@', size - (size_t)(colon - text));
}

/* A text without a slash that is no word. */
static void refuse_odd_word(struct resolver *resolver)
{
    const char *text = resolver->reference;
    resolver_step(resolver, text_format("it is no word (letters, digits, '-', '_'), no path and no URL"));
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") > RESOLVER_WORD_MAX)
        resolver_refuse(
            resolver, text_format("driver '%s': a name has at most %d characters", resolver->quote, RESOLVER_WORD_MAX));
    else if (strchr(text, '.'))
        resolver_refuse(resolver, text_format("driver '%s' has a dot, so it is no name: write './%s' for the file",
                                              resolver->quote, resolver->quote));
    else
        resolver_refuse_unknown(resolver, resolver->quote,
                                "is no name (letters, digits, '-', '_'), no path and no URL");
}

static void resolve_unforced(struct resolver *resolver)
{
    const char *reference = resolver->reference;
    enum url_form form = url_form(reference);
    if (form == URL_SCHEME)
        resolve_url(resolver, reference, form);
    else if (path_has_parent(reference))
        refuse_parent(resolver);
    else if (form != URL_NONE)
        resolve_url_or_path(resolver, reference, form);
    else if (looks_like_password(reference))
        resolver_refuse(resolver,
                        text_format("driver '%s' looks like a host with a password: credentials do not belong into "
                                    "references (a file of that name is written with './' in front)",
                                    resolver->quote));
    else if (strchr(reference, '/'))
        resolve_path(resolver, reference);
    else if (resolver_is_word(reference))
        resolve_word(resolver, reference);
    else
        refuse_odd_word(resolver);
}

void reference_resolve(const char *reference, const struct reference_setting *setting,
                       const struct reference_disk *disk, struct reference_resolution *ret)
{
    *ret = (struct reference_resolution){.kind = REFERENCE_REFUSED};
    struct resolver resolver = {.reference = reference, .setting = setting, .disk = disk, .result = ret};
    quote_reference(reference, resolver.quote);
    if (!refuse_outright(&resolver) && !resolve_forced(&resolver))
        resolve_unforced(&resolver);
    settle(&resolver);
}

void reference_resolution_done(struct reference_resolution *resolution)
{
    free(resolution->target);
    free(resolution->name);
    free(resolution->url);
    free(resolution->ref);
    free(resolution->subdir);
    free(resolution->reason);
    free(resolution->warning);
    free(resolution->obstacle);
    for (size_t i = 0; i < resolution->step_count; i++)
        free(resolution->steps[i]);
    *resolution = (struct reference_resolution){0};
}

/* The reference without its prefix. */
static const char *strip_prefix(const char *reference)
{
    static const char *const all[] = {"builtin:", "path:", "src:", "git::"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strncmp(reference, all[i], strlen(all[i])) == 0)
            return reference + strlen(all[i]);
    return reference;
}

/* The same for a path, which may end in slashes: "pkg/json/" is called json. */
static bool name_of_untidy_path(const char *path, char **ret_name)
{
    char *tidy = path_resolve("/", path);
    if (!tidy)
        return false;
    char *name = tidy[1] ? resolver_name_of_path(tidy) : NULL;
    bool stored = name || !tidy[1];
    if (stored)
        *ret_name = name;
    free(tidy);
    return stored;
}

bool reference_driver_name(const char *reference, char **ret_name)
{
    const char *text = strip_prefix(reference);
    enum url_form form = url_form(text);
    struct url url;
    bool is_url = form != URL_NONE && !url_parse(text, form, &url);
    if (!is_url && !resolver_is_word(text) && (text != reference || strchr(text, '/')))
        return name_of_untidy_path(text, ret_name);
    if (!is_url && !resolver_is_word(text)) {
        *ret_name = NULL;
        return true;
    }
    char *name = is_url ? name_of_url(&url) : strdup(text);
    if (name)
        *ret_name = name;
    return name != NULL;
}
