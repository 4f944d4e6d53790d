/* reference.c - resolves driver references, row by row of the table
 *
 * Who calls it: config_parse() for every service, and `drover explain`. OPERATION: reference_resolve() refuses what no
 * row could take, strips a forced prefix (`builtin:`, `path:`, `src:`, `git::`) or tells the row by the text alone, and
 * hands over to that row's function; each leaves a step behind for what it saw. The last step, settle(), lets through
 * only the kinds that are implemented.
 */
#include "common/config/reference.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/paths.h"
#include "common/config/url.h"

#define WORD_SIZE_MAX 63
#define QUOTE_SIZE 121

/* One row a kind. A kind that is not implemented is recognised and refused. */
static const struct {
    const char *name;
    const char *is_a; /* "'x' is ..." */
    bool implemented;
} kinds[] = {
    [REFERENCE_REFUSED] = {"refused", "refused", true},
    [REFERENCE_BUILTIN] = {"builtin", "a built-in driver", true},
    [REFERENCE_EXECUTABLE] = {"executable", "an executable", true},
    [REFERENCE_MODULE] = {"module", "a module", false},
    [REFERENCE_SOURCE] = {"source", "a source directory", false},
    [REFERENCE_GIT] = {"git", "a git URL", false},
};

static const struct builtin {
    const char *interface, *name;
} builtins[] = {
#define BUILTIN(interface, name, symbol) {#interface, #name},
#include "common/config/builtins.def"
#undef BUILTIN
};

#define BUILTIN_COUNT (sizeof builtins / sizeof *builtins)

/* One resolution in progress. */
struct resolver {
    const char *reference; /* as written */
    char quote[QUOTE_SIZE];
    const struct reference_setting *setting;
    const struct reference_disk *disk;
    struct reference_resolution *result;
    bool no_memory; /* then nothing is decided */
};

const char *reference_kind_name(enum reference_kind kind)
{
    return kinds[kind].name;
}

bool reference_is_builtin(const char *interface, const char *name)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i].interface, interface) == 0 && strcmp(builtins[i].name, name) == 0)
            return true;
    return false;
}

/* Passes on what an allocation gave, and remembers when it gave nothing. */
static char *checked(struct resolver *resolver, char *text)
{
    resolver->no_memory = resolver->no_memory || !text;
    return text;
}

/* Add a step (taken). Steps beyond the last slot are dropped: there are more slots than any row needs. */
static void add_step(struct resolver *resolver, char *step)
{
    struct reference_resolution *result = resolver->result;
    if (checked(resolver, step) && result->step_count < REFERENCE_STEPS_MAX)
        result->steps[result->step_count++] = step;
    else
        free(step);
}

/* Refuse for a reason (taken). */
static void refuse(struct resolver *resolver, char *reason)
{
    struct reference_resolution *result = resolver->result;
    free(result->reason);
    free(result->target);
    free(result->name);
    result->kind = REFERENCE_REFUSED;
    result->reason = reason;
    result->target = NULL;
    result->name = NULL;
}

/* Decide for a kind; takes target, name and reason. */
static void decide(struct resolver *resolver, enum reference_kind kind, char *target, char *name, char *reason)
{
    refuse(resolver, checked(resolver, reason));
    resolver->result->kind = kind;
    resolver->result->target = checked(resolver, target);
    resolver->result->name = checked(resolver, name);
}

/* Only kinds that are implemented come out, and none when memory was short on the way. */
static void settle(struct resolver *resolver)
{
    struct reference_resolution *result = resolver->result;
    const char *is_a = kinds[result->kind].is_a;
    if (result->reason)
        add_step(resolver, text_format("decision: %s", result->reason));
    if (!kinds[result->kind].implemented) {
        refuse(resolver, text_format("driver '%s' is %s: not implemented in this version (use a built-in driver or the "
                                     "path of an executable)",
                                     resolver->quote, is_a));
        add_step(resolver, text_format("%s: not implemented in this version", is_a));
    }
    if (resolver->no_memory)
        refuse(resolver, NULL);
}

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_word(const char *text)
{
    size_t size = 0;
    while (is_word_character(text[size]))
        size++;
    return size > 0 && size <= WORD_SIZE_MAX && text[size] == '\0';
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
        text_printable(reference, size, buffer, QUOTE_SIZE);
        if (size >= QUOTE_SIZE)
            memcpy(buffer + strlen(buffer) - 3, "...", 3);
        return;
    }
    size_t before = (size_t)(colon - reference) + 1;
    if (before > QUOTE_SIZE / 2)
        before = QUOTE_SIZE / 2;
    text_printable(reference, before, buffer, QUOTE_SIZE);
    strcat(buffer, "***");
    size_t used = strlen(buffer);
    text_printable(last_at, strlen(last_at), buffer + used, QUOTE_SIZE - used);
}

/* ---- built-in drivers ---- */

/* What the registry has for the interface: " (nearest: 'json')", or a list, for the caller to free(). */
static char *suggest_builtin(const char *interface, const char *word)
{
    const char *names[BUILTIN_COUNT];
    char list[256] = "";
    size_t count = 0;
    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        if (strcmp(builtins[i].interface, interface) != 0)
            continue;
        if (strlen(list) + strlen(builtins[i].name) + 5 < sizeof list) {
            strcat(list, count ? ", '" : "'");
            strcat(strcat(list, builtins[i].name), "'");
        }
        names[count++] = builtins[i].name;
    }
    const char *nearest = text_nearest(word, names, count);
    if (nearest)
        return text_format(" (nearest: '%s')", nearest);
    if (count > 0)
        return text_format(" (interface '%s' has %s; a file is written as a path: './%.*s')", interface, list,
                           WORD_SIZE_MAX, word);
    return text_format(" (interface '%s' has no built-in drivers: write the path of an executable)", interface);
}

static void refuse_unknown(struct resolver *resolver, const char *word, const char *problem)
{
    char *suggestion = checked(resolver, suggest_builtin(resolver->setting->interface, word));
    refuse(resolver, text_format("driver '%.*s' %s%s", WORD_SIZE_MAX, word, problem, suggestion ? suggestion : ""));
    free(suggestion);
}

static void resolve_builtin(struct resolver *resolver, const char *word, const char *problem)
{
    const char *interface = resolver->setting->interface;
    bool found = is_word(word) && reference_is_builtin(interface, word);
    add_step(resolver, text_format("the built-in registry has %s '%.*s' for interface '%s'",
                                   found ? "the driver" : "no", WORD_SIZE_MAX, word, interface));
    if (!is_word(word))
        refuse(resolver,
               text_format("driver '%s': a word must follow 'builtin:' (letters, digits, '-', '_')", resolver->quote));
    else if (!found)
        refuse_unknown(resolver, word, problem);
    else
        decide(resolver, REFERENCE_BUILTIN, text_format("%s/%s", interface, word), strdup(word),
               text_format("driver '%s' is built in", word));
}

/* ---- paths ---- */

static bool ends_in(const char *text, const char *ending)
{
    size_t size = strlen(text), ending_size = strlen(ending);
    return size > ending_size && strcmp(text + size - ending_size, ending) == 0;
}

/* What a path that exists is as a driver; REFUSED when it is none. */
static enum reference_kind kind_on_disk(const char *path, enum reference_disk_kind disk)
{
    bool is_file = disk == REFERENCE_DISK_EXECUTABLE || disk == REFERENCE_DISK_FILE;
    if (is_file && ends_in(path, ".so"))
        return REFERENCE_MODULE;
    if (disk == REFERENCE_DISK_EXECUTABLE)
        return REFERENCE_EXECUTABLE;
    return disk == REFERENCE_DISK_DIRECTORY ? REFERENCE_SOURCE : REFERENCE_REFUSED;
}

static const char *describe_disk(const char *path, enum reference_disk_kind disk)
{
    enum reference_kind kind = kind_on_disk(path, disk);
    if (kind != REFERENCE_REFUSED)
        return kinds[kind].is_a;
    if (disk == REFERENCE_DISK_FILE)
        return "a file that is not executable";
    return disk == REFERENCE_DISK_NOTHING ? "not there" : "neither a file nor a directory";
}

/* Look at a path and leave a step. */
static enum reference_disk_kind look(struct resolver *resolver, const char *path)
{
    enum reference_disk_kind kind = resolver->disk->look(resolver->disk->context, path);
    add_step(resolver, text_format("'%s' is %s", path, describe_disk(path, kind)));
    return kind;
}

/* The first place where `path` exists: below the configuration's folder, then below the driver path. Returns the
 * absolute path for the caller to free(), or NULL. */
static char *find_path(struct resolver *resolver, const char *path, enum reference_disk_kind *ret_kind)
{
    const struct reference_setting *setting = resolver->setting;
    size_t places = path[0] == '/' ? 0 : setting->driver_path_count;
    for (size_t i = 0; i <= places; i++) {
        char *candidate =
            checked(resolver, path_resolve(i == 0 ? setting->directory : setting->driver_path[i - 1], path));
        if (!candidate)
            return NULL;
        *ret_kind = look(resolver, candidate);
        if (*ret_kind != REFERENCE_DISK_NOTHING)
            return candidate;
        free(candidate);
    }
    return NULL;
}

static char *name_of_path(const char *path)
{
    const char *base = path_base(path);
    const char *dot = strrchr(base, '.');
    return dot && dot > base ? strndup(base, (size_t)(dot - base)) : strdup(base);
}

static void decide_path(struct resolver *resolver, char *path, enum reference_disk_kind disk)
{
    enum reference_kind kind = kind_on_disk(path, disk);
    if (kind != REFERENCE_REFUSED)
        decide(resolver, kind, strdup(path), name_of_path(path),
               text_format("driver '%s' is %s, '%s'", resolver->quote, kinds[kind].is_a, path));
    else if (disk == REFERENCE_DISK_FILE)
        refuse(resolver, text_format("driver '%s': '%s' is not executable (chmod +x, if it is meant to be run)",
                                     resolver->quote, path));
    else
        refuse(resolver, text_format("driver '%s': '%s' is neither a file nor a directory", resolver->quote, path));
}

/* What else a path that does not exist could have been meant to be. */
static const char *hint_for_missing(const char *path)
{
    if (path[0] == '~')
        return " ('~' is not expanded: write the absolute path)";
    if (path[0] == '[' || (path[0] != '/' && memchr(path, ':', strcspn(path, "/"))))
        return " (if it is a host, put 'https://' or 'ssh://' in front)";
    return "";
}

static void refuse_missing(struct resolver *resolver, const char *path)
{
    const struct reference_setting *setting = resolver->setting;
    char *first = checked(resolver, path_resolve(setting->directory, path));
    if (first)
        refuse(resolver, text_format("driver '%s': '%s' does not exist%s%s", resolver->quote, first,
                                     path[0] == '/' || setting->driver_path_count == 0
                                         ? ""
                                         : ", and the driver path has no such file either",
                                     hint_for_missing(path)));
    free(first);
}

static void resolve_path(struct resolver *resolver, const char *path)
{
    enum reference_disk_kind disk = REFERENCE_DISK_NOTHING;
    if (*path == '\0') {
        refuse(resolver, text_format("driver '%s': a path must follow the prefix", resolver->quote));
        return;
    }
    char *found = find_path(resolver, path, &disk);
    if (found)
        decide_path(resolver, found, disk);
    else
        refuse_missing(resolver, path);
    free(found);
}

static void resolve_source(struct resolver *resolver, const char *path)
{
    resolve_path(resolver, path);
    if (resolver->result->kind == REFERENCE_REFUSED || resolver->result->kind == REFERENCE_SOURCE)
        return;
    refuse(resolver, text_format("driver '%s': 'src:' needs a source directory, and this is a file (write 'path:' "
                                 "instead)",
                                 resolver->quote));
}

/* ---- words ---- */

/* The driver that stands for a word in one folder of the driver path. Returns true when it was decided. */
static bool try_folder(struct resolver *resolver, const char *folder, const char *word, size_t *unusable)
{
    char *relative = checked(resolver, text_format("%s/%s", resolver->setting->interface, word));
    char *path = relative ? checked(resolver, path_resolve(folder, relative)) : NULL;
    free(relative);
    if (!path)
        return false;
    enum reference_disk_kind disk = look(resolver, path);
    enum reference_kind kind = kind_on_disk(path, disk);
    bool usable = kind != REFERENCE_REFUSED && kinds[kind].implemented;
    if (usable)
        decide_path(resolver, path, disk);
    else if (disk != REFERENCE_DISK_NOTHING)
        (*unusable)++;
    free(path);
    return usable;
}

/* With plugins: the driver path comes first, and the registry is what is left. */
static void resolve_plugin(struct resolver *resolver, const char *word)
{
    const struct reference_setting *setting = resolver->setting;
    size_t unusable = 0;
    for (size_t i = 0; i < setting->driver_path_count; i++)
        if (try_folder(resolver, setting->driver_path[i], word, &unusable))
            return;
    resolve_builtin(resolver, word,
                    unusable ? "has no executable in the driver path and is not built in"
                             : "was not found in the driver path and is not built in");
    if (resolver->result->kind == REFERENCE_BUILTIN)
        resolver->result->warning = checked(
            resolver,
            text_format("driver '%s' %s: the built-in one is used", word,
                        unusable ? "is in the driver path, but not as an executable (source directories are not "
                                   "implemented in this version)"
                                 : "was not found in the driver path"));
}

static void resolve_word(struct resolver *resolver, const char *word)
{
    add_step(resolver,
             text_format("'%s' is one word, and plugins is %s: %s", word, resolver->setting->plugins ? "true" : "false",
                         resolver->setting->plugins ? "the driver path, then the built-in registry"
                                                    : "the built-in registry"));
    if (resolver->setting->plugins)
        resolve_plugin(resolver, word);
    else
        resolve_builtin(resolver, word, "is not built in");
}

/* ---- URLs ---- */

static char *name_of_url(const struct url *url)
{
    struct url_span name = url_name(url);
    return strndup(name.at, name.size);
}

static void resolve_url(struct resolver *resolver, const char *text, enum url_form form)
{
    struct url url;
    const char *mistake = url_parse(text, form, &url);
    if (mistake) {
        add_step(resolver, text_format("the URL %s", mistake));
        refuse(resolver, text_format("driver '%s': the URL %s", resolver->quote, mistake));
        return;
    }
    char *normal = checked(resolver, url_normal(&url));
    add_step(resolver, text_format("as a URL it reads '%s'", normal ? normal : ""));
    decide(resolver, REFERENCE_GIT, normal, name_of_url(&url),
           text_format("driver '%s' is a git URL", resolver->quote));
}

/* Without a scheme it is a URL only when no such path exists. */
static void resolve_url_or_path(struct resolver *resolver, const char *text, enum url_form form)
{
    enum reference_disk_kind disk = REFERENCE_DISK_NOTHING;
    add_step(resolver, text_format("'%s' can be a git URL or a path", resolver->quote));
    char *found = find_path(resolver, text, &disk);
    if (found)
        refuse(resolver, text_format("driver '%s' can be the path '%s' or a git URL: write './%s' or 'git::%s'",
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
    char *address = text[0] == '/' ? checked(resolver, text_format("file://%s", text)) : NULL;
    if (address) { /* the URL's parts point into it: nothing of them is kept */
        resolve_url(resolver, address, URL_SCHEME);
        free(address);
        return;
    }
    refuse(resolver, text_format("driver '%s': a URL must follow 'git::', such as git::https://host/owner/repo",
                                 resolver->quote));
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
        add_step(resolver, text_format("the prefix 'builtin:' asks for the registry"));
        resolve_builtin(resolver, reference + 8, "is not built in");
        return true;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t size = strlen(prefixes[i].prefix);
        if (strncmp(reference, prefixes[i].prefix, size) != 0)
            continue;
        add_step(resolver, text_format("the prefix '%s' says what it is", prefixes[i].prefix));
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
    refuse(resolver, reason);
    return true;
}

static void refuse_parent(struct resolver *resolver)
{
    char *path = checked(resolver, path_resolve_folded(resolver->setting->directory, resolver->reference));
    add_step(resolver, text_format("it contains '..'"));
    if (path)
        refuse(resolver, text_format("driver '%s' contains '..': write the absolute path (nearest: '%s')",
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
    add_step(resolver, text_format("it is no word (letters, digits, '-', '_'), no path and no URL"));
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") > WORD_SIZE_MAX)
        refuse(resolver, text_format("driver '%s': a name has at most %d characters", resolver->quote, WORD_SIZE_MAX));
    else if (strchr(text, '.'))
        refuse(resolver, text_format("driver '%s' has a dot, so it is no name: write './%s' for the file",
                                     resolver->quote, resolver->quote));
    else
        refuse_unknown(resolver, resolver->quote, "is no name (letters, digits, '-', '_'), no path and no URL");
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
        refuse(resolver, text_format("driver '%s' looks like a host with a password: credentials do not belong into "
                                     "references (a file of that name is written with './' in front)",
                                     resolver->quote));
    else if (strchr(reference, '/'))
        resolve_path(resolver, reference);
    else if (is_word(reference))
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
    free(resolution->reason);
    free(resolution->warning);
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
    char *name = tidy[1] ? name_of_path(tidy) : NULL;
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
    if (!is_url && !is_word(text) && (text != reference || strchr(text, '/')))
        return name_of_untidy_path(text, ret_name);
    if (!is_url && !is_word(text)) {
        *ret_name = NULL;
        return true;
    }
    char *name = is_url ? name_of_url(&url) : strdup(text);
    if (name)
        *ret_name = name;
    return name != NULL;
}
