/* secrets.c - brings secrets into values
 *
 * A value that held a secret is a string, whatever the secret looks like: a password of digits stays a password.
 */
#include "common/config/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/paths.h"

/* What is needed to expand one value. */
struct expander {
    const struct config_sources *sources;
    const char *directory;
    struct report *report;
    struct node *node;
    char *text; /* so far */
    size_t size;
    bool failed;
};

typedef char *(*fetch_secret)(struct expander *expander, const char *name);

static void fail(struct expander *expander, const char *source, const char *name, const char *what)
{
    char quote[REPORT_QUOTE_SIZE];
    report_mistake(expander->report, expander->node->place, "${%s:%s}: %s", source,
                   report_quote(name, strlen(name), quote), what);
    expander->failed = true;
}

static void fail_memory(struct expander *expander)
{
    expander->report->no_memory = true;
    expander->failed = true;
}

static bool is_variable(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return *name == '\0';
}

static char *fetch_env(struct expander *expander, const char *name)
{
    const struct config_sources *sources = expander->sources;
    if (!is_variable(name)) {
        fail(expander, "env", name, "not the name of an environment variable (letters, digits and '_')");
        return NULL;
    }
    if (!sources || !sources->env) {
        fail(expander, "env", name, "environment variables cannot be used here");
        return NULL;
    }
    char *value = sources->env(sources->context, name);
    if (!value)
        fail(expander, "env", name, "this environment variable is not set (set it, or write the value)");
    return value;
}

static void cut_line_end(char *text)
{
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    if (size > 0 && text[size - 1] == '\r')
        text[--size] = '\0';
}

static char *fetch_file(struct expander *expander, const char *name)
{
    const struct config_sources *sources = expander->sources;
    if (*name == '\0') {
        fail(expander, "file", name, "a path is missing");
        return NULL;
    }
    if (!sources || !sources->file) {
        fail(expander, "file", name, "files cannot be used here");
        return NULL;
    }
    char *path = path_resolve(expander->directory, name);
    if (!path) {
        fail_memory(expander);
        return NULL;
    }
    char *value = sources->file(sources->context, path);
    if (value)
        cut_line_end(value);
    else
        fail(expander, "file", path, "this file cannot be read (check its path and permissions)");
    free(path);
    return value;
}

static void append(struct expander *expander, const char *data, size_t size)
{
    if (expander->failed)
        return;
    if (size > CONFIG_SECRET_MAX - expander->size) {
        report_mistake(expander->report, expander->node->place, "with its secrets the value is larger than %u bytes",
                       CONFIG_SECRET_MAX);
        expander->failed = true;
        return;
    }
    char *text = realloc(expander->text, expander->size + size + 1);
    if (!text) {
        fail_memory(expander);
        return;
    }
    if (size > 0)
        memcpy(text + expander->size, data, size);
    expander->text = text;
    expander->size += size;
    text[expander->size] = '\0';
}

/* Expand one `${source:name}` whose name begins at `at` and has `size` octets. */
static void append_secret(struct expander *expander, fetch_secret fetch, const char *at, size_t size)
{
    char *name = strndup(at, size);
    if (!name) {
        fail_memory(expander);
        return;
    }
    char *value = fetch(expander, name);
    if (value)
        append(expander, value, strlen(value));
    free(value);
    free(name);
}

static const struct {
    const char *opening;
    fetch_secret fetch;
} openings[] = {{"${env:", fetch_env}, {"${file:", fetch_file}};

/* Which opening stands at `at`? Returns its size, 0 for none. */
static size_t match_opening(const char *at, size_t left, fetch_secret *ret_fetch)
{
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        size_t size = strlen(openings[i].opening);
        if (left >= size && memcmp(at, openings[i].opening, size) == 0) {
            *ret_fetch = openings[i].fetch;
            return size;
        }
    }
    return 0;
}

/* Expand what begins with the `$` at `at`; returns how much of the value it was. */
static size_t expand_dollar(struct expander *expander, const char *at, size_t left)
{
    fetch_secret fetch;
    if (left > 1 && at[1] == '$' && match_opening(at + 1, left - 1, &fetch)) {
        append(expander, at + 1, 1);
        return 2;
    }
    size_t opening = match_opening(at, left, &fetch);
    if (opening == 0) {
        append(expander, at, 1);
        return 1;
    }
    const char *name = at + opening;
    const char *end = memchr(name, '}', left - opening);
    if (!end) {
        report_mistake(expander->report, expander->node->place, "'%.*s' is not closed by '}'", (int)opening, at);
        expander->failed = true;
        return left;
    }
    expander->node->secret = true;
    append_secret(expander, fetch, name, (size_t)(end - name));
    return (size_t)(end - at) + 1;
}

static void expand_scalar(struct expander *expander, struct node *node)
{
    const char *at = node->text, *end = node->text + node->size;
    if (!memchr(at, '$', node->size))
        return;
    expander->node = node;
    append(expander, "", 0);
    while (at < end && !expander->failed) {
        const char *dollar = memchr(at, '$', (size_t)(end - at));
        const char *stop = dollar ? dollar : end;
        append(expander, at, (size_t)(stop - at));
        at = dollar ? dollar + expand_dollar(expander, dollar, (size_t)(end - dollar)) : end;
    }
    if (expander->failed) {
        free(expander->text);
        node->kind = NODE_BROKEN;
        return;
    }
    free(node->text);
    node->text = expander->text;
    node->size = expander->size;
}

void secrets_expand(struct node *root, const struct config_sources *sources, const char *directory,
                    struct report *report)
{
    if (root->kind == NODE_SCALAR) {
        struct expander expander = {.sources = sources, .directory = directory, .report = report};
        expand_scalar(&expander, root);
    }
    for (struct node *child = root->child; child; child = child->next)
        secrets_expand(child, sources, directory, report);
}
