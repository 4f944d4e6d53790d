/* lock_text.c - the lock file as text, both ways
 *
 * Reading: node.c makes the tree, each map is checked against the table of its members, all mistakes go to the report.
 * Writing: one line a member, in the order of the tables, so that a change is a change of a line.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/lock_entry.h"
#include "common/config/node.h"

#define VERSION "1"

static const char heading[] =
    "# drover.lock - what each driver from a git repository is made of. Written by drover; keep it with the\n"
    "# configuration. A driver stays what it is here, whatever becomes of its branch or tag, until somebody says:\n"
    "#     drover lock update [SERVICE]\n";

/* ---- reading ---- */

/* A kind of map: which members it has, and what else. */
struct form {
    const char *what; /* "a driver" */
    const struct lock_member *members;
    size_t count;
    const char *list; /* the one key that is a list, or NULL */
};

static const struct form entry_form = {"a driver", lock_entry_members, LOCK_ENTRY_MEMBERS, "artefacts"};
static const struct form artefact_form = {"an artefact", lock_artefact_members, LOCK_ARTEFACT_MEMBERS, NULL};

struct reader {
    struct lock *lock;
    struct report *report;
};

static void read_text(const struct lock_member *member, const struct node *value, void *owner, struct report *report)
{
    char **text = (char **)(void *)((char *)owner + member->offset);
    bool is_text = value->kind == NODE_SCALAR && !node_is_null(value) && strlen(value->text) == value->size;
    const char *mistake = is_text ? member->mistake(value->text) : "must be a text";
    if (value->kind == NODE_BROKEN || *text) /* that is in the report already */
        return;
    if (mistake)
        report_mistake(report, value->place, "key '%s': %s", member->name, mistake);
    else if (!(*text = strdup(value->text)))
        report->no_memory = true;
}

static const struct lock_member *find_member(const struct form *form, const struct node *key)
{
    for (size_t i = 0; i < form->count; i++)
        if (node_is(key, form->members[i].name))
            return &form->members[i];
    return NULL;
}

static void report_unknown(const struct form *form, const struct node *key, struct report *report)
{
    const char *names[LOCK_ENTRY_MEMBERS + 1];
    char quote[REPORT_QUOTE_SIZE];
    size_t count = 0;
    for (; count < form->count; count++)
        names[count] = form->members[count].name;
    if (form->list)
        names[count++] = form->list;
    const char *nearest = text_nearest(key->text, names, count);
    report_mistake(report, key->place, "key '%s': unknown%s%s%s", report_quote(key->text, key->size, quote),
                   nearest ? " (nearest: '" : "", nearest ? nearest : "", nearest ? "')" : "");
}

/* Read the texts of a map into `owner`; returns whether all that is required is there and right. */
static bool read_members(const struct form *form, const struct node *map, void *owner, struct report *report)
{
    bool complete = true;
    if (map->kind != NODE_MAP) {
        if (map->kind != NODE_BROKEN)
            report_mistake(report, map->place, "%s must be a map of keys", form->what);
        return false;
    }
    for (const struct node *value = map->child; value; value = value->next) {
        const struct lock_member *member = find_member(form, value->key);
        if (member)
            read_text(member, value, owner, report);
        else if (!form->list || !node_is(value->key, form->list))
            report_unknown(form, value->key, report);
    }
    for (size_t i = 0; i < form->count; i++) {
        const struct lock_member *member = &form->members[i];
        const struct node *value = node_get(map, member->name);
        if (member->required && !value)
            report_mistake(report, map->place, "%s needs the key '%s'", form->what, member->name);
        complete = complete && (lock_text(owner, member) || (!member->required && !value));
    }
    return complete;
}

/* The items of a list that may be empty or absent; NULL when it is none. */
static const struct node *items_of(const struct node *list, const char *name, struct report *report)
{
    if (!list || list->kind == NODE_BROKEN || (list->kind == NODE_SCALAR && node_is_null(list)))
        return NULL;
    if (list->kind != NODE_LIST)
        report_mistake(report, list->place, "key '%s': must be a list", name);
    else if (list->count > LOCK_ENTRIES_MAX)
        report_mistake(report, list->place, "key '%s': at most %d items, not %zu", name, LOCK_ENTRIES_MAX, list->count);
    else
        return list->child;
    return NULL;
}

static void read_artefact(const struct node *node, struct lock_entry *entry, struct report *report)
{
    struct lock_artefact artefact = {0};
    bool complete = read_members(&artefact_form, node, &artefact, report);
    for (size_t i = 0; complete && i < entry->artefact_count; i++)
        if (lock_compare(&artefact, &entry->artefacts[i], lock_artefact_members, LOCK_ARTEFACT_IDENTITY) == 0) {
            report_mistake(report, node->place, "this artefact stands here for the second time");
            complete = false;
        }
    if (complete) { /* there is room for all */
        entry->artefacts[entry->artefact_count++] = artefact;
        return;
    }
    for (size_t i = 0; i < LOCK_ARTEFACT_MEMBERS; i++)
        free(lock_text(&artefact, &lock_artefact_members[i]));
}

static void read_artefacts(const struct node *list, struct lock_entry *entry, struct report *report)
{
    const struct node *item = items_of(list, "artefacts", report);
    if (!item)
        return;
    entry->artefacts = calloc(list->count, sizeof *entry->artefacts);
    if (!entry->artefacts) {
        report->no_memory = true;
        return;
    }
    for (; item; item = item->next)
        read_artefact(item, entry, report);
}

/* Put the entry, which is taken, into the lock. */
static void keep_entry(struct reader *reader, struct lock_entry *entry, struct place place)
{
    struct drover_error error = {0};
    const struct lock_entry *twin = lock_find(reader->lock, entry->url, entry->requested, entry->subdir);
    if (twin)
        report_mistake(reader->report, place, "this driver stands here for the second time (url '%s')", twin->url);
    else if (lock_set(reader->lock, entry, &error) != DROVER_OK)
        reader->report->no_memory = true; /* its members were checked before */
    lock_entry_done(entry);
}

static void read_entry(struct reader *reader, const struct node *node)
{
    struct lock_entry entry = {0};
    bool complete = read_members(&entry_form, node, &entry, reader->report);
    read_artefacts(node_get(node, "artefacts"), &entry, reader->report);
    if (complete)
        keep_entry(reader, &entry, node->place);
    else
        lock_entry_done(&entry);
}

static void check_version(const struct node *root, struct report *report)
{
    const struct node *version = node_get(root, "version");
    if (!version)
        report_mistake(report, root->place, "key 'version' is missing");
    else if (version->kind != NODE_BROKEN && !node_is(version, VERSION))
        report_mistake(report, version->place,
                       "key 'version': this drover reads version " VERSION " only (a newer one wrote the file?)");
}

static void read_root(struct reader *reader, const struct node *root)
{
    const struct node *drivers = node_get(root, "drivers");
    char quote[REPORT_QUOTE_SIZE];
    if (root->kind == NODE_BROKEN || (root->kind == NODE_SCALAR && node_is_null(root)))
        return;
    if (root->kind != NODE_MAP) {
        report_mistake(reader->report, root->place, "the file must be a map with the keys 'version' and 'drivers'");
        return;
    }
    check_version(root, reader->report);
    for (const struct node *value = root->child; value; value = value->next)
        if (!node_is(value->key, "version") && !node_is(value->key, "drivers"))
            report_mistake(reader->report, value->key->place, "key '%s': unknown",
                           report_quote(value->key->text, value->key->size, quote));
    for (const struct node *item = items_of(drivers, "drivers", reader->report); item; item = item->next)
        read_entry(reader, item);
}

enum drover_status lock_parse(const char *text, size_t size, const char *path, struct lock **ret,
                              struct config_messages *ret_messages)
{
    struct report report = {0};
    struct reader reader = {.lock = lock_new(), .report = &report};
    *ret_messages = (struct config_messages){0};
    if (!reader.lock)
        return DROVER_RESOURCE_EXHAUSTED;
    if (size > LOCK_SIZE_MAX) {
        report_mistake(&report, (struct place){1, 1}, "the file has %zu bytes; at most %u are read", size,
                       LOCK_SIZE_MAX);
    } else {
        struct node *root = node_parse(text, size, &report);
        if (root)
            read_root(&reader, root);
        node_free(root);
    }
    enum drover_status status = report_is_clean(&report) ? DROVER_OK : DROVER_INVALID_ARGUMENT;
    report_list(&report, path, ret_messages);
    if (report.no_memory) {
        config_messages_done(ret_messages);
        status = DROVER_RESOURCE_EXHAUSTED;
    }
    report_done(&report);
    if (status == DROVER_OK)
        *ret = reader.lock;
    else
        lock_free(reader.lock);
    return status;
}

/* ---- writing ---- */

/* A text that grows; once there was no memory, nothing is added any more. */
struct writer {
    char *text;
    size_t size, capacity;
    bool failed;
};

static void write_data(struct writer *writer, const char *data, size_t size)
{
    if (writer->failed)
        return;
    if (writer->size + size + 1 > writer->capacity) {
        size_t capacity = 2 * (writer->size + size + 1);
        char *text = realloc(writer->text, capacity);
        if (!text) {
            writer->failed = true;
            return;
        }
        writer->text = text;
        writer->capacity = capacity;
    }
    memcpy(writer->text + writer->size, data, size);
    writer->size += size;
    writer->text[writer->size] = '\0';
}

static void write_word(struct writer *writer, const char *text)
{
    write_data(writer, text, strlen(text));
}

static void write_quoted(struct writer *writer, const char *text)
{
    write_word(writer, "\"");
    while (*text) {
        size_t plain = strcspn(text, "\"\\");
        write_data(writer, text, plain);
        text += plain;
        if (*text) {
            write_word(writer, "\\");
            write_data(writer, text++, 1);
        }
    }
    write_word(writer, "\"");
}

/* The members of a map that is an item of a list: the first line begins with a dash. */
static void write_members(struct writer *writer, const char *indent, const void *owner,
                          const struct lock_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = lock_text(owner, &members[i]);
        if (!text)
            continue;
        write_word(writer, indent);
        write_word(writer, i == 0 ? "- " : "  ");
        write_word(writer, members[i].name);
        write_word(writer, ": ");
        if (members[i].quoted)
            write_quoted(writer, text);
        else
            write_word(writer, text);
        write_word(writer, "\n");
    }
}

static void write_entry(struct writer *writer, const struct lock_entry *entry)
{
    write_members(writer, "  ", entry, lock_entry_members, LOCK_ENTRY_MEMBERS);
    if (entry->artefact_count > 0)
        write_word(writer, "    artefacts:\n");
    for (size_t i = 0; i < entry->artefact_count; i++)
        write_members(writer, "      ", &entry->artefacts[i], lock_artefact_members, LOCK_ARTEFACT_MEMBERS);
}

char *lock_write(const struct lock *lock)
{
    struct writer writer = {0};
    write_word(&writer, heading);
    write_word(&writer, "version: " VERSION "\n");
    write_word(&writer, lock->count > 0 ? "drivers:\n" : "drivers: []\n");
    for (size_t i = 0; i < lock->count; i++)
        write_entry(&writer, &lock->entries[i]);
    if (writer.failed) {
        free(writer.text);
        return NULL;
    }
    return writer.text;
}
