/* stable.c - what a service remembers of its versions, as the text of a file
 *
 * Reading goes line by line over a copy; each word of a line is a row of `kinds` with its own reader, which takes what
 * it needs and reports what it does not understand. Nothing is given back unless all of it is right.
 */
#include "worker/rollout/stable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define HEADING "drover-rollout 1"
#define QUOTE_SIZE 41

struct reader {
    const char *path;
    struct rollout_memory memory;
    struct stable_mistakes *mistakes;
    unsigned number;  /* of the line */
    const char *line; /* ended by NUL */
    const char *at;   /* what is not read yet of it */
    bool broken;      /* a mistake was found in it */
    bool ended;
};

static void report(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void report(struct reader *reader, const char *format, ...)
{
    struct stable_mistakes *mistakes = reader->mistakes;
    reader->broken = true;
    if (mistakes->count == STABLE_MISTAKES_MAX) {
        mistakes->unlisted++;
        return;
    }
    char what[STABLE_MISTAKE_SIZE / 2], *text = mistakes->lines[mistakes->count++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    (void)snprintf(text, STABLE_MISTAKE_SIZE, "%.*s:%u:%zu: %s", STABLE_MISTAKE_SIZE / 3, reader->path, reader->number,
                   (size_t)(reader->at - reader->line) + 1, what);
}

static const char *quote(const char *text, char buffer[QUOTE_SIZE])
{
    return text_printable(text, strlen(text), buffer, QUOTE_SIZE);
}

/* Read one blank, which stands before each word but the first. */
static bool read_blank(struct reader *reader, const char *what)
{
    if (reader->broken)
        return false;
    if (reader->at[0] == ' ') {
        reader->at++;
        return true;
    }
    report(reader, "a blank and %s must stand here", what);
    return false;
}

static void read_hash(struct reader *reader, const char *what, struct rollout_hash *ret)
{
    if (!read_blank(reader, what))
        return;
    if (rollout_hash_read(reader->at, ret))
        reader->at += ROLLOUT_HASH_TEXT_SIZE - 1;
    else
        report(reader, "%s must be 64 lower-case hex digits", what);
}

static void read_artefact(struct reader *reader, struct rollout_hash *ret)
{
    read_hash(reader, "the hash of an artefact", ret);
    if (!reader->broken && !rollout_hash_known(ret))
        report(reader, "the hash of an artefact must not be zero");
}

static void expect_end(struct reader *reader)
{
    char buffer[QUOTE_SIZE];
    if (!reader->broken && reader->at[0] != '\0')
        report(reader, "'%s' is too much here", quote(reader->at, buffer));
}

static void read_stable(struct reader *reader)
{
    struct rollout_memory *memory = &reader->memory;
    struct rollout_version version = {0};
    read_hash(reader, "the hash of a source", &version.source);
    read_artefact(reader, &version.artefact);
    read_hash(reader, "the hash of a configuration", &version.configuration);
    expect_end(reader);
    for (unsigned i = 0; !reader->broken && i < memory->stable_count; i++)
        if (rollout_version_same(&memory->stable[i], &version))
            report(reader, "this version stands here for the second time");
    if (!reader->broken && memory->stable_count == ROLLOUT_STABLE_MAX)
        report(reader, "there are at most %d stable versions", ROLLOUT_STABLE_MAX);
    if (!reader->broken)
        memory->stable[memory->stable_count++] = version;
}

/* The rest of the line. */
static void read_why(struct reader *reader, char ret[ROLLOUT_WHY_SIZE])
{
    if (!read_blank(reader, "a reason"))
        return;
    const size_t size = strlen(reader->at);
    if (size >= ROLLOUT_WHY_SIZE) {
        report(reader, "a reason has at most %d bytes, not %zu", ROLLOUT_WHY_SIZE - 1, size);
        return;
    }
    (void)text_printable(reader->at, size, ret, ROLLOUT_WHY_SIZE);
    if (strcmp(ret, reader->at) != 0)
        report(reader, "a reason must be printable");
}

static void read_scope(struct reader *reader, struct rollout_quarantine *entry)
{
    entry->whole = strncmp(reader->at, " * ", 3) == 0;
    if (entry->whole)
        reader->at += 2;
    else
        read_hash(reader, "'*' or the hash of a configuration", &entry->configuration);
}

static void read_quarantine(struct reader *reader)
{
    struct rollout_memory *memory = &reader->memory;
    struct rollout_quarantine entry = {.whole = false};
    read_artefact(reader, &entry.artefact);
    read_scope(reader, &entry);
    read_why(reader, entry.why);
    for (unsigned i = 0; !reader->broken && i < memory->quarantine_count; i++) {
        const struct rollout_quarantine *other = &memory->quarantine[i];
        if (rollout_hash_equal(&other->artefact, &entry.artefact) &&
            (other->whole || entry.whole || rollout_hash_equal(&other->configuration, &entry.configuration)))
            report(reader, "this artefact is in quarantine already, by an earlier line");
    }
    if (!reader->broken && memory->quarantine_count == ROLLOUT_QUARANTINE_MAX)
        report(reader, "at most %d versions are in quarantine", ROLLOUT_QUARANTINE_MAX);
    if (!reader->broken)
        memory->quarantine[memory->quarantine_count++] = entry;
}

static void read_end(struct reader *reader)
{
    expect_end(reader);
    reader->ended = true;
}

static void read_line(struct reader *reader)
{
    static const struct kind {
        const char *word;
        void (*read)(struct reader *);
    } kinds[] = {{"stable", read_stable}, {"quarantine", read_quarantine}, {"end", read_end}};
    char buffer[QUOTE_SIZE];
    const size_t size = strcspn(reader->line, " ");
    if (reader->ended) {
        report(reader, "nothing may stand behind 'end'");
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].word) == size && strncmp(reader->line, kinds[i].word, size) == 0) {
            reader->at += size;
            kinds[i].read(reader);
            return;
        }
    report(reader, "'%s': a line begins with 'stable', 'quarantine' or 'end'", quote(reader->line, buffer));
}

static void read_heading(struct reader *reader)
{
    if (strcmp(reader->line, HEADING) != 0)
        report(reader, "the first line must be '" HEADING "'");
}

/* `text` is ended by NUL, and changed: each line is. */
static void read_lines(struct reader *reader, char *text)
{
    while (*text != '\0') {
        char *newline = strchr(text, '\n');
        reader->number++;
        reader->line = reader->at = text;
        reader->broken = false;
        if (newline == NULL) {
            reader->at += strlen(text);
            report(reader, "the line is cut off");
            return;
        }
        *newline = '\0';
        if (reader->number == 1)
            read_heading(reader);
        else
            read_line(reader);
        text = newline + 1;
    }
    if (!reader->ended) {
        reader->number++;
        reader->line = reader->at = text;
        report(reader, "the file is cut off: its last line must be 'end'");
    }
}

enum drover_status stable_parse(const char *text, size_t size, const char *path, struct rollout_memory *ret,
                                struct stable_mistakes *ret_mistakes)
{
    char copy[STABLE_SIZE_MAX + 1];
    struct reader reader = {.path = path, .mistakes = ret_mistakes, .number = 1, .line = copy, .at = copy};
    ret_mistakes->count = ret_mistakes->unlisted = 0;
    if (size > STABLE_SIZE_MAX) {
        report(&reader, "the file has %zu bytes; at most %d are read", size, STABLE_SIZE_MAX);
    } else if (size > 0 && memchr(text, '\0', size) != NULL) {
        report(&reader, "the file has a NUL in it");
    } else {
        if (size > 0)
            memcpy(copy, text, size);
        copy[size] = '\0';
        reader.number = 0;
        read_lines(&reader, copy);
    }
    if (ret_mistakes->count > 0)
        return DROVER_INVALID_ARGUMENT;
    *ret = reader.memory;
    return DROVER_OK;
}

/* Writing */

static size_t write_stable(const struct rollout_version *version, char *text, size_t room)
{
    char source[ROLLOUT_HASH_TEXT_SIZE], artefact[ROLLOUT_HASH_TEXT_SIZE], configuration[ROLLOUT_HASH_TEXT_SIZE];
    return (size_t)snprintf(text, room, "stable %s %s %s\n", rollout_hash_text(&version->source, source),
                            rollout_hash_text(&version->artefact, artefact),
                            rollout_hash_text(&version->configuration, configuration));
}

static size_t write_quarantine(const struct rollout_quarantine *entry, char *text, size_t room)
{
    char artefact[ROLLOUT_HASH_TEXT_SIZE], configuration[ROLLOUT_HASH_TEXT_SIZE];
    const char *scope = entry->whole ? "*" : rollout_hash_text(&entry->configuration, configuration);
    return (size_t)snprintf(text, room, "quarantine %s %s %s\n", rollout_hash_text(&entry->artefact, artefact), scope,
                            entry->why);
}

char *stable_write(const struct rollout_memory *memory)
{
    char *text = malloc(STABLE_SIZE_MAX); /* more than a full memory takes */
    if (text == NULL)
        return NULL;
    size_t used = (size_t)snprintf(text, STABLE_SIZE_MAX, HEADING "\n");
    for (unsigned i = 0; i < memory->stable_count; i++)
        used += write_stable(&memory->stable[i], text + used, STABLE_SIZE_MAX - used);
    for (unsigned i = 0; i < memory->quarantine_count; i++)
        used += write_quarantine(&memory->quarantine[i], text + used, STABLE_SIZE_MAX - used);
    (void)snprintf(text + used, STABLE_SIZE_MAX - used, "end\n");
    return text;
}
