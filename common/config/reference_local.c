/* reference_local.c - the rows of the table that look at the registry of built-in drivers and at the disk */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/paths.h"
#include "common/config/resolver.h"

static const struct builtin {
    const char *interface, *name;
} builtins[] = {
#define BUILTIN(interface, name, symbol) {#interface, #name},
#include "common/config/builtins.def"
#undef BUILTIN
};

#define BUILTIN_COUNT (sizeof builtins / sizeof *builtins)

bool reference_is_builtin(const char *interface, const char *name)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i].interface, interface) == 0 && strcmp(builtins[i].name, name) == 0)
            return true;
    return false;
}

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool resolver_is_word(const char *text)
{
    size_t size = 0;
    while (is_word_character(text[size]))
        size++;
    return size > 0 && size <= RESOLVER_WORD_MAX && text[size] == '\0';
}

/* What the registry has for the interface: " (nearest: 'json')", or a list, for the caller to free(). */
static char *suggest_builtin(const char *interface, const char *word)
{
    const char *names[BUILTIN_COUNT];
    char list[256] = "";
    size_t count = 0, used = 0;
    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        if (strcmp(builtins[i].interface, interface) != 0)
            continue;
        int size = snprintf(list + used, sizeof list - used, "%s'%s'", count ? ", " : "", builtins[i].name);
        used = size >= 0 && (size_t)size < sizeof list - used ? used + (size_t)size : used;
        list[used] = '\0';
        names[count++] = builtins[i].name;
    }
    const char *nearest = text_nearest(word, names, count);
    if (nearest)
        return text_format(" (nearest: '%s')", nearest);
    if (count > 0)
        return text_format(" (interface '%s' has %s; a file is written as a path: './%s')", interface, list, word);
    return text_format(" (interface '%s' has no built-in drivers: write the path of an executable)", interface);
}

void resolver_refuse_unknown(struct resolver *resolver, const char *word, const char *problem)
{
    char *suggestion = resolver_checked(resolver, suggest_builtin(resolver->setting->interface, word));
    resolver_refuse(resolver, text_format("driver '%s' %s%s", word, problem, suggestion ? suggestion : ""));
    free(suggestion);
}

void resolve_builtin(struct resolver *resolver, const char *word, const char *problem)
{
    const char *interface = resolver->setting->interface;
    if (!resolver_is_word(word)) {
        resolver_refuse(resolver, text_format("driver '%s': a word must follow 'builtin:' (letters, digits, '-', '_')",
                                              resolver->quote));
        return;
    }
    bool found = reference_is_builtin(interface, word);
    resolver_step(resolver, text_format("the built-in registry has %s '%s' for interface '%s'",
                                        found ? "the driver" : "no", word, interface));
    if (found)
        resolver_decide(resolver, REFERENCE_BUILTIN, text_format("%s/%s", interface, word), strdup(word),
                        text_format("driver '%s' is built in", word));
    else
        resolver_refuse_unknown(resolver, word, problem);
}

/* ---- paths ---- */

static bool ends_in(const char *text, const char *ending)
{
    size_t size = strlen(text), ending_size = strlen(ending);
    return size > ending_size && strcmp(text + size - ending_size, ending) == 0;
}

/* A file that seems to be a module, and is none. */
static bool is_hollow(const char *path, enum reference_disk_kind disk)
{
    return disk == REFERENCE_DISK_LIBRARY ||
           ((disk == REFERENCE_DISK_EXECUTABLE || disk == REFERENCE_DISK_FILE) && ends_in(path, ".so"));
}

/* What a path that exists is as a driver; REFUSED when it is none. */
static enum reference_kind kind_on_disk(const char *path, enum reference_disk_kind disk)
{
    if (disk == REFERENCE_DISK_MODULE)
        return REFERENCE_MODULE;
    if (disk == REFERENCE_DISK_EXECUTABLE && !is_hollow(path, disk))
        return REFERENCE_EXECUTABLE;
    return disk == REFERENCE_DISK_DIRECTORY ? REFERENCE_SOURCE : REFERENCE_REFUSED;
}

static const char *describe_disk(const char *path, enum reference_disk_kind disk)
{
    enum reference_kind kind = kind_on_disk(path, disk);
    if (kind != REFERENCE_REFUSED)
        return resolver_is_a(kind);
    if (is_hollow(path, disk))
        return "no module: a shared object needs a drover driver in it";
    if (disk == REFERENCE_DISK_FILE)
        return "a file that is not executable";
    return disk == REFERENCE_DISK_NOTHING ? "not there" : "neither a file nor a directory";
}

/* Look at a path and leave a step. */
static enum reference_disk_kind look(struct resolver *resolver, const char *path)
{
    enum reference_disk_kind kind = resolver->disk->look(resolver->disk->context, path);
    resolver_step(resolver, text_format("'%s' is %s", path, describe_disk(path, kind)));
    return kind;
}

char *resolver_find_path(struct resolver *resolver, const char *path, enum reference_disk_kind *ret_kind)
{
    const struct reference_setting *setting = resolver->setting;
    size_t places = path[0] == '/' ? 0 : setting->driver_path_count;
    for (size_t i = 0; i <= places; i++) {
        char *candidate =
            resolver_checked(resolver, path_resolve(i == 0 ? setting->directory : setting->driver_path[i - 1], path));
        if (!candidate)
            return NULL;
        *ret_kind = look(resolver, candidate);
        if (*ret_kind != REFERENCE_DISK_NOTHING)
            return candidate;
        free(candidate);
    }
    return NULL;
}

char *resolver_name_of_path(const char *path)
{
    const char *base = path_base(path);
    const char *dot = strrchr(base, '.');
    return dot && dot > base ? strndup(base, (size_t)(dot - base)) : strdup(base);
}

/* What a driver is, going by how it is written. */
static enum reference_kind guess_kind(const struct resolver *resolver, const char *path, enum reference_disk_kind disk)
{
    if (strncmp(resolver->reference, "src:", 4) == 0 || ends_in(resolver->reference, "/"))
        return REFERENCE_SOURCE;
    return disk == REFERENCE_DISK_LIBRARY || ends_in(path, ".so") ? REFERENCE_MODULE : REFERENCE_EXECUTABLE;
}

/* No driver can come from this path, by `mistake` (taken), as long as it stays what it is. */
static void refuse_path(struct resolver *resolver, const char *path, enum reference_kind guess, char *mistake)
{
    if (!resolver->setting->lenient || !mistake) {
        resolver_refuse(resolver, resolver_checked(resolver, mistake));
        return;
    }
    resolver_decide(resolver, guess, strdup(path), resolver_name_of_path(path),
                    text_format("%s: %s is awaited there", mistake, resolver_is_a(guess)));
    resolver->result->obstacle = mistake;
}

static void decide_path(struct resolver *resolver, const char *path, enum reference_disk_kind disk)
{
    const enum reference_kind guess = guess_kind(resolver, path, disk);
    enum reference_kind kind = kind_on_disk(path, disk);
    if (kind != REFERENCE_REFUSED)
        resolver_decide(resolver, kind, strdup(path), resolver_name_of_path(path),
                        text_format("driver '%s' is %s, '%s'", resolver->quote, resolver_is_a(kind), path));
    else if (is_hollow(path, disk))
        refuse_path(resolver, path, guess,
                    text_format("driver '%s': '%s' is no module: a shared object needs a drover driver in "
                                "it (DROVER_DRIVER of drover/worker.h)",
                                resolver->quote, path));
    else if (disk == REFERENCE_DISK_FILE)
        refuse_path(resolver, path, guess,
                    text_format("driver '%s': '%s' is not executable (chmod +x, if it is meant to be run)",
                                resolver->quote, path));
    else
        refuse_path(resolver, path, guess,
                    text_format("driver '%s': '%s' is neither a file nor a directory", resolver->quote, path));
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

/* Does the folder exist that `path` is in? */
static bool has_folder(struct resolver *resolver, const char *path)
{
    char *folder = resolver_checked(resolver, strndup(path, (size_t)(path_base(path) - path)));
    const bool has = folder && resolver->disk->look(resolver->disk->context, folder) == REFERENCE_DISK_DIRECTORY;
    free(folder);
    return has;
}

/* Where a relative path that is nowhere would be: the first place whose folder is there. For the caller to free(). */
static char *place_for_missing(struct resolver *resolver, const char *path)
{
    const struct reference_setting *setting = resolver->setting;
    size_t places = path[0] == '/' ? 0 : setting->driver_path_count;
    for (size_t i = 0; i <= places; i++) {
        char *place =
            resolver_checked(resolver, path_resolve(i == 0 ? setting->directory : setting->driver_path[i - 1], path));
        if (!place || has_folder(resolver, place))
            return place;
        free(place);
    }
    return resolver_checked(resolver, path_resolve(setting->directory, path));
}

static void refuse_missing(struct resolver *resolver, const char *path)
{
    const struct reference_setting *setting = resolver->setting;
    char *first = resolver_checked(resolver, path_resolve(setting->directory, path));
    char *place = setting->lenient && first ? place_for_missing(resolver, path) : NULL;
    if (first)
        refuse_path(resolver, place ? place : first, guess_kind(resolver, first, REFERENCE_DISK_NOTHING),
                    text_format("driver '%s': '%s' does not exist%s%s", resolver->quote, first,
                                path[0] == '/' || setting->driver_path_count == 0
                                    ? ""
                                    : ", and the driver path has no such file either",
                                hint_for_missing(path)));
    free(place);
    free(first);
}

void resolve_path(struct resolver *resolver, const char *path)
{
    enum reference_disk_kind disk = REFERENCE_DISK_NOTHING;
    if (*path == '\0') {
        resolver_refuse(resolver, text_format("driver '%s': a path must follow the prefix", resolver->quote));
        return;
    }
    char *found = resolver_find_path(resolver, path, &disk);
    if (found)
        decide_path(resolver, found, disk);
    else
        refuse_missing(resolver, path);
    free(found);
}

void resolve_source(struct resolver *resolver, const char *path)
{
    struct reference_resolution *result = resolver->result;
    resolve_path(resolver, path);
    if (result->kind == REFERENCE_REFUSED || result->kind == REFERENCE_SOURCE)
        return;
    char *found = resolver_checked(resolver, strdup(result->target ? result->target : ""));
    refuse_path(resolver, found ? found : "", REFERENCE_SOURCE,
                text_format("driver '%s': 'src:' needs a source directory, and this is a file (write 'path:' "
                            "instead)",
                            resolver->quote));
    free(found);
}

/* ---- words ---- */

/* The driver that stands for a word in one folder of the driver path. Returns true when it was decided. */
static bool try_folder(struct resolver *resolver, const char *folder, const char *word, size_t *unusable)
{
    char *relative = resolver_checked(resolver, text_format("%s/%s", resolver->setting->interface, word));
    char *path = relative ? resolver_checked(resolver, path_resolve(folder, relative)) : NULL;
    free(relative);
    if (!path)
        return false;
    enum reference_disk_kind disk = look(resolver, path);
    bool usable = kind_on_disk(path, disk) != REFERENCE_REFUSED;
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
                    unusable ? "is neither an executable nor a source directory in the driver path, and not built in"
                             : "was not found in the driver path and is not built in");
    if (resolver->result->kind == REFERENCE_BUILTIN)
        resolver->result->warning = resolver_checked(
            resolver, text_format("driver '%s' %s: the built-in one is used", word,
                                  unusable ? "is neither an executable nor a source directory in the driver path"
                                           : "was not found in the driver path"));
}

void resolve_word(struct resolver *resolver, const char *word)
{
    resolver_step(resolver, text_format("'%s' is one word, and plugins is %s: %s", word,
                                        resolver->setting->plugins ? "true" : "false",
                                        resolver->setting->plugins ? "the driver path, then the built-in registry"
                                                                   : "the built-in registry"));
    if (resolver->setting->plugins)
        resolve_plugin(resolver, word);
    else
        resolve_builtin(resolver, word, "is not built in");
}
