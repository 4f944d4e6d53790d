/* library.c - libgit2 as drover-fetch uses it
 *
 * Whatever a user or a system has configured for git (insteadOf, hooks, proxies of remotes, credential helpers) would
 * make what is fetched depend on who fetches: none of it is read.
 */
#include "worker/fetch/library.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMORY_MAX (UINT64_C(3) << 30)
#define OBJECTS_MAX 5000000 /* in one pack */
#define FILE_SLACK (UINT64_C(64) << 20)
#define WINDOW_SIZE ((size_t)32 << 20) /* how much of a pack is mapped at once, and of all packs */
#define MAPPED_MAX ((size_t)512 << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if SANITIZED
/* libgit2 1.5 loses what pcre2 gives it for a match, the host keys, and what it has of a damaged pack. LeakSanitizer
 * asks for this. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libpcre2\nleak:libgit2\nleak:libssh2\n";
}
const char *__lsan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#endif

static bool is_started;

static void limit(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0 || now.rlim_max < value)
        return; /* it is limited more already */
    now = (struct rlimit){.rlim_cur = value, .rlim_max = value};
    (void)setrlimit(resource, &now);
}

/* A bomb in a pack ends this process, nothing else. */
static void limit_process(const struct request *request)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that is too large is an error like any other */
    signal(SIGPIPE, SIG_IGN);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, request->max_download + request->max_bytes + FILE_SLACK);
    if (!SANITIZED)
        limit(RLIMIT_AS, MEMORY_MAX + request->max_bytes);
}

/* Unset every variable that begins with GIT_. */
static void clear_environment(const char *home)
{
    char name[256];
    for (char **at = environ; *at;) {
        const size_t size = strcspn(*at, "=");
        if (strncmp(*at, "GIT_", 4) == 0 && size < sizeof name) {
            memcpy(name, *at, size);
            name[size] = '\0';
            (void)unsetenv(name); /* moves what follows to this place */
        } else {
            at++;
        }
    }
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)setenv("HOME", home, 1);
}

static int set_options(const struct request *request, const char *home)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA};
    int code = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels && code == 0; i++)
        code = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    /* Where it looks for .gitconfig, of which there is none, it looks for .ssh/known_hosts as well. */
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, home);
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_USER_AGENT, "drover-fetch");
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)OBJECTS_MAX);
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, WINDOW_SIZE);
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MAPPED_MAX);
#ifdef DROVER_GIT_MAX_OBJECT_SIZE
    if (code == 0)
        code = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, (size_t)request->max_bytes);
#else
    (void)request; /* limit_process() has the only limit then */
#endif
    return code;
}

enum drover_status library_start(const struct request *request, const char *home, struct drover_error *error)
{
    limit_process(request);
    clear_environment(home);
    if (git_libgit2_init() < 0)
        return drover_error_set(error, DROVER_INTERNAL, "libgit2 cannot be started");
    is_started = true;
    if (set_options(request, home) != 0)
        return drover_error_set(error, DROVER_INTERNAL, "libgit2 cannot be set up");
    if (request->ca &&
        (access(request->ca, R_OK) != 0 || git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, request->ca, NULL) != 0))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "option '--ca': file '%s' has no certificates that can be read", request->ca);
    return DROVER_OK;
}

void library_stop(void)
{
    if (is_started)
        git_libgit2_shutdown();
    is_started = false;
}

/* What words in the library's messages mean: it has one code for nearly all of them. */
static const struct {
    const char *words;
    enum drover_status status;
    const char *advice;
} messages[] = {
    {"cannot redirect", DROVER_FAILED_PRECONDITION, ": write the address that it leads to into the reference"},
    {"too many redirects", DROVER_FAILED_PRECONDITION, ""},
    {"safe.directory", DROVER_FAILED_PRECONDITION, ": it is not owned by the user who fetches"},
    {"not owned by", DROVER_FAILED_PRECONDITION, ""},
    {"status code: 401", DROVER_UNAUTHENTICATED, ""},
    {"status code: 403", DROVER_UNAUTHENTICATED, ""},
    {"status code: 404", DROVER_NOT_FOUND, ": there is no such repository, or not without credentials"},
    {"status code: 410", DROVER_NOT_FOUND, ""},
    {"not exported", DROVER_NOT_FOUND, ""},
    {"does not appear to be a git repository", DROVER_NOT_FOUND, ""},
    {"could not find repository", DROVER_NOT_FOUND, ""},
    {"failed to resolve path", DROVER_NOT_FOUND, ""},
    {"too many objects", DROVER_RESOURCE_EXHAUSTED, ""},
    {"overly large object", DROVER_RESOURCE_EXHAUSTED, " (--max-bytes)"},
    {"exceeds", DROVER_RESOURCE_EXHAUSTED, " (--max-bytes)"},
    {"too large", DROVER_RESOURCE_EXHAUSTED, ""},
    {"out of memory", DROVER_RESOURCE_EXHAUSTED, ""},
    {"File too large", DROVER_RESOURCE_EXHAUSTED, " (--max-download)"},
    {"No space left", DROVER_RESOURCE_EXHAUSTED, ""},
};

static enum drover_status status_of(int code, int class, const struct request *request)
{
    switch (code) {
    case GIT_EAUTH:
    case GIT_ECERTIFICATE:
        return DROVER_UNAUTHENTICATED;
    case GIT_EOWNER:
        return DROVER_FAILED_PRECONDITION;
    case GIT_EEOF:
        return DROVER_UNAVAILABLE;
    default:
        break;
    }
    if (class == GIT_ERROR_NET || class == GIT_ERROR_HTTP || class == GIT_ERROR_SSH || class == GIT_ERROR_SSL ||
        class == GIT_ERROR_OS)
        return DROVER_UNAVAILABLE;
    /* What the server sent is no sound pack: the next may be. */
    if (class == GIT_ERROR_INDEXER || class == GIT_ERROR_ZLIB)
        return DROVER_UNAVAILABLE;
    /* Objects are only read from the mirror, but where the server is a path. */
    if ((class == GIT_ERROR_ODB || class == GIT_ERROR_OBJECT) && request->scheme != SCHEME_FILE)
        return DROVER_DATA_LOSS;
    return class == GIT_ERROR_NOMEMORY ? DROVER_RESOURCE_EXHAUSTED : DROVER_INTERNAL;
}

enum drover_status library_error(int code, const struct request *request, const char *what, struct drover_error *error)
{
    const git_error *last = git_error_last();
    const char *text = last && last->message ? last->message : "no reason is known";
    enum drover_status status = status_of(code, last ? last->klass : GIT_ERROR_NONE, request);
    const char *advice = "";
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (!strstr(text, messages[i].words))
            continue;
        status = messages[i].status;
        advice = messages[i].advice;
        break;
    }
    return drover_error_set(error, status, "'%s': %s: %.250s%s", request->shown, what, text, advice);
}
