/* lock.c - the entries of a lock: found, put in, taken out
 *
 * Who calls it: whoever fetches or builds (the host, `drover lock`). OPERATION: both levels, entries and their
 * artefacts, are sorted arrays; a copy is made and checked as a whole before anything of the lock is touched.
 */
#include "common/config/lock.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/lock_entry.h"

#define TEXT_SIZE_MAX 4096
#define CONTENT_PREFIX "sha256:"

static bool is_hex(const char *text, size_t size)
{
    return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

static const char *commit_mistake(const char *text)
{
    return is_hex(text, 40) ? NULL : "must be 40 hex digits";
}

static const char *hash_mistake(const char *text)
{
    return is_hex(text, 64) ? NULL : "must be 64 hex digits";
}

static const char *content_mistake(const char *text)
{
    static const size_t prefix = sizeof CONTENT_PREFIX - 1;
    bool good = strncmp(text, CONTENT_PREFIX, prefix) == 0 && is_hex(text + prefix, 64);
    return good ? NULL : "must be 'sha256:' and 64 hex digits";
}

/* What YAML takes as a line break, or not at all, beyond control characters. */
static bool has_odd_character(const char *text)
{
    static const char *const odd[] = {"\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF", "\xEF\xBF\xBE", "\xEF\xBF\xBF"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (strstr(text, odd[i]))
            return true;
    return false;
}

static const char *text_mistake(const char *text)
{
    char printable[TEXT_SIZE_MAX + 1];
    size_t size = strlen(text);
    if (size == 0)
        return "must not be empty";
    if (size > TEXT_SIZE_MAX)
        return "must not be longer than 4096 bytes";
    if (strcmp(text_printable(text, size, printable, sizeof printable), text) != 0 || has_odd_character(text))
        return "must be UTF-8 without control characters";
    return NULL;
}

#define ENTRY(member, required, quoted, mistake)                                \
    {                                                                           \
#member, offsetof(struct lock_entry, member), required, quoted, mistake \
    }
#define ARTEFACT(member, quoted, mistake)                                      \
    {                                                                          \
#member, offsetof(struct lock_artefact, member), true, quoted, mistake \
    }

const struct lock_member lock_entry_members[LOCK_ENTRY_MEMBERS] = {
    ENTRY(url, true, true, text_mistake),     ENTRY(requested, false, true, text_mistake),
    ENTRY(subdir, false, true, text_mistake), ENTRY(commit, true, false, commit_mistake),
    ENTRY(tree, true, false, commit_mistake), ENTRY(content, true, false, content_mistake),
};

const struct lock_member lock_artefact_members[LOCK_ARTEFACT_MEMBERS] = {
    ARTEFACT(target, true, text_mistake),
    ARTEFACT(key, false, hash_mistake),
    ARTEFACT(sha256, false, hash_mistake),
};

static char **member_of(void *owner, const struct lock_member *member)
{
    return (char **)(void *)((char *)owner + member->offset);
}

char *lock_text(const void *owner, const struct lock_member *member)
{
    return *(char *const *)(const void *)((const char *)owner + member->offset);
}

int lock_compare(const void *a, const void *b, const struct lock_member *members, size_t count)
{
    int order = 0;
    for (size_t i = 0; order == 0 && i < count; i++) {
        const char *left = lock_text(a, &members[i]), *right = lock_text(b, &members[i]);
        order = left && right ? strcmp(left, right) : (left != NULL) - (right != NULL);
    }
    return order;
}

static void texts_done(void *owner, const struct lock_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lock_text(owner, &members[i]));
}

static void artefacts_done(struct lock_artefact *artefacts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        texts_done(&artefacts[i], lock_artefact_members, LOCK_ARTEFACT_MEMBERS);
    free(artefacts);
}

void lock_entry_done(struct lock_entry *entry)
{
    texts_done(entry, lock_entry_members, LOCK_ENTRY_MEMBERS);
    artefacts_done(entry->artefacts, entry->artefact_count);
    *entry = (struct lock_entry){0};
}

struct lock *lock_new(void)
{
    return calloc(1, sizeof(struct lock));
}

struct lock *lock_free(struct lock *lock)
{
    if (!lock)
        return NULL;
    for (size_t i = 0; i < lock->count; i++)
        lock_entry_done(&lock->entries[i]);
    free(lock->entries);
    free(lock);
    return NULL;
}

/* ---- places in sorted arrays ---- */

/* An array of entries or artefacts. `items` is the address of the pointer to it, whatever that points to: it is only
 * read and written as octets. */
struct sorted {
    void *items;
    size_t *count;
    size_t item_size;
    const struct lock_member *members;
    size_t identity;
};

static struct sorted entries_of(struct lock *lock)
{
    return (struct sorted){&lock->entries, &lock->count, sizeof(struct lock_entry), lock_entry_members, LOCK_IDENTITY};
}

static struct sorted artefacts_of(struct lock_entry *entry)
{
    return (struct sorted){&entry->artefacts, &entry->artefact_count, sizeof(struct lock_artefact),
                           lock_artefact_members, LOCK_ARTEFACT_IDENTITY};
}

static char *first_item(const struct sorted *sorted)
{
    char *items;
    memcpy(&items, sorted->items, sizeof items);
    return items;
}

static void *item_at(const struct sorted *sorted, size_t index)
{
    return first_item(sorted) + index * sorted->item_size;
}

/* Where `item` is (true), or belongs. */
static bool find_place(const struct sorted *sorted, const void *item, size_t *ret_index)
{
    size_t low = 0, high = *sorted->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lock_compare(item_at(sorted, middle), item, sorted->members, sorted->identity);
        if (order == 0) {
            *ret_index = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return false;
}

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

/* Make room for one more at `index`; what is there then is not set. */
static enum drover_status open_place(const struct sorted *sorted, size_t index, struct drover_error *error)
{
    if (*sorted->count >= LOCK_ENTRIES_MAX)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "the lock file is full: at most %d entries",
                                LOCK_ENTRIES_MAX);
    void *items = realloc(first_item(sorted), (*sorted->count + 1) * sorted->item_size);
    if (!items)
        return no_memory(error);
    memcpy(sorted->items, &items, sizeof items);
    memmove(item_at(sorted, index + 1), item_at(sorted, index), (*sorted->count - index) * sorted->item_size);
    (*sorted->count)++;
    return DROVER_OK;
}

/* ---- checked copies ---- */

static enum drover_status copy_texts(const void *from, void *to, const struct lock_member *members, size_t count,
                                     struct drover_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = lock_text(from, &members[i]);
        const char *mistake = text ? members[i].mistake(text) : members[i].required ? "is missing" : NULL;
        if (mistake)
            return drover_error_set(error, DROVER_INVALID_ARGUMENT, "lock file: '%s' %s", members[i].name, mistake);
        if (text && !(*member_of(to, &members[i]) = strdup(text)))
            return no_memory(error);
    }
    return DROVER_OK;
}

static enum drover_status put_artefact(struct lock_entry *entry, const struct lock_artefact *artefact,
                                       struct drover_error *error)
{
    struct sorted sorted = artefacts_of(entry);
    struct lock_artefact copy = {0};
    size_t index;
    enum drover_status status = copy_texts(artefact, &copy, lock_artefact_members, LOCK_ARTEFACT_MEMBERS, error);
    if (status == DROVER_OK) {
        if (find_place(&sorted, &copy, &index))
            texts_done(&entry->artefacts[index], lock_artefact_members, LOCK_ARTEFACT_MEMBERS);
        else
            status = open_place(&sorted, index, error);
    }
    if (status == DROVER_OK)
        entry->artefacts[index] = copy;
    else
        texts_done(&copy, lock_artefact_members, LOCK_ARTEFACT_MEMBERS);
    return status;
}

static enum drover_status copy_entry(const struct lock_entry *entry, struct lock_entry *ret, struct drover_error *error)
{
    enum drover_status status = copy_texts(entry, ret, lock_entry_members, LOCK_ENTRY_MEMBERS, error);
    for (size_t i = 0; status == DROVER_OK && i < entry->artefact_count; i++)
        status = put_artefact(ret, &entry->artefacts[i], error);
    if (status != DROVER_OK)
        lock_entry_done(ret);
    return status;
}

/* ---- what others call ---- */

static struct lock_entry *find(const struct lock *lock, const struct lock_entry *like)
{
    struct lock *self = (struct lock *)lock; /* the table takes both; nothing is changed here */
    struct sorted sorted = entries_of(self);
    size_t index;
    return find_place(&sorted, like, &index) ? &self->entries[index] : NULL;
}

const struct lock_entry *lock_find(const struct lock *lock, const char *url, const char *requested, const char *subdir)
{
    const struct lock_entry like = {.url = (char *)url, .requested = (char *)requested, .subdir = (char *)subdir};
    return find(lock, &like);
}

const struct lock_artefact *lock_find_artefact(const struct lock_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->artefact_count; i++)
        if (strcmp(entry->artefacts[i].key, key) == 0)
            return &entry->artefacts[i];
    return NULL;
}

/* Let `copy` have the artefacts of the entry that it takes the place of, where it is of the same source. */
static void inherit(struct lock_entry *old, struct lock_entry *copy)
{
    if (copy->artefact_count > 0 || old->content == NULL || copy->content == NULL ||
        strcmp(old->content, copy->content) != 0)
        return;
    copy->artefacts = old->artefacts;
    copy->artefact_count = old->artefact_count;
    old->artefacts = NULL;
    old->artefact_count = 0;
}

enum drover_status lock_set(struct lock *lock, const struct lock_entry *entry, struct drover_error *error)
{
    struct sorted sorted = entries_of(lock);
    struct lock_entry copy = {0};
    size_t index;
    enum drover_status status = copy_entry(entry, &copy, error);
    if (status != DROVER_OK)
        return status;
    if (find_place(&sorted, &copy, &index)) {
        inherit(&lock->entries[index], &copy);
        lock_entry_done(&lock->entries[index]);
    } else if ((status = open_place(&sorted, index, error)) != DROVER_OK) {
        lock_entry_done(&copy);
        return status;
    }
    lock->entries[index] = copy;
    return DROVER_OK;
}

enum drover_status lock_set_artefact(struct lock *lock, const struct lock_entry *entry,
                                     const struct lock_artefact *artefact, struct drover_error *error)
{
    struct lock_entry *found = find(lock, entry);
    if (!found)
        return drover_error_set(error, DROVER_NOT_FOUND, "lock file: nothing is known of '%s'", entry->url);
    return put_artefact(found, artefact, error);
}

bool lock_remove(struct lock *lock, const char *url, const char *requested, const char *subdir)
{
    struct lock_entry *found = find(lock, &(struct lock_entry){
                                              .url = (char *)url,
                                              .requested = (char *)requested,
                                              .subdir = (char *)subdir,
                                          });
    if (!found)
        return false;
    size_t index = (size_t)(found - lock->entries);
    lock_entry_done(found);
    lock->count--;
    memmove(found, found + 1, (lock->count - index) * sizeof *found);
    return true;
}
