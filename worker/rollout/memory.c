/* memory.c - what a service remembers of its versions */
#include "worker/rollout/memory.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/base/text.h"

static bool covers(const struct rollout_quarantine *entry, const struct rollout_version *version)
{
    return rollout_hash_equal(&entry->artefact, &version->artefact) &&
           (entry->whole || rollout_hash_equal(&entry->configuration, &version->configuration));
}

static void remove_entry(struct rollout_memory *memory, unsigned index)
{
    memory->quarantine_count--;
    memmove(&memory->quarantine[index], &memory->quarantine[index + 1],
            (memory->quarantine_count - index) * sizeof(memory->quarantine[0]));
}

const struct rollout_quarantine *rollout_memory_quarantined(const struct rollout_memory *memory,
                                                            const struct rollout_version *version)
{
    for (unsigned i = 0; rollout_hash_known(&version->artefact) && i < memory->quarantine_count; i++)
        if (covers(&memory->quarantine[i], version))
            return &memory->quarantine[i];
    return NULL;
}

void rollout_memory_mark(struct rollout_memory *memory, const struct rollout_version *version)
{
    assert(rollout_hash_known(&version->artefact));
    unsigned place = 0;
    while (place < memory->stable_count && !rollout_version_same(&memory->stable[place], version))
        place++;
    if (place == memory->stable_count && memory->stable_count < ROLLOUT_STABLE_MAX)
        memory->stable_count++;
    else if (place == ROLLOUT_STABLE_MAX)
        place--; /* the oldest leaves */
    memmove(&memory->stable[1], &memory->stable[0], place * sizeof(memory->stable[0]));
    memory->stable[0] = *version;

    for (unsigned i = memory->quarantine_count; i-- > 0;)
        if (covers(&memory->quarantine[i], version))
            remove_entry(memory, i);
}

void rollout_memory_quarantine(struct rollout_memory *memory, const struct rollout_version *version, bool whole,
                               const char *why)
{
    assert(rollout_hash_known(&version->artefact));
    struct rollout_quarantine entry = {
        .artefact = version->artefact, .configuration = version->configuration, .whole = whole};
    (void)text_printable(why, strlen(why), entry.why, sizeof(entry.why));
    for (unsigned i = memory->quarantine_count; i-- > 0;) {
        const struct rollout_quarantine *old = &memory->quarantine[i];
        if (!covers(old, version) && !(whole && rollout_hash_equal(&old->artefact, &version->artefact)))
            continue;
        entry.whole = entry.whole || old->whole;
        remove_entry(memory, i);
    }
    if (entry.whole)
        entry.configuration = (struct rollout_hash){0};
    if (memory->quarantine_count == ROLLOUT_QUARANTINE_MAX)
        remove_entry(memory, 0);
    memory->quarantine[memory->quarantine_count++] = entry;
}

unsigned rollout_memory_release(struct rollout_memory *memory, const struct rollout_hash *artefact)
{
    const unsigned before = memory->quarantine_count;
    for (unsigned i = before; i-- > 0;)
        if (artefact == NULL || rollout_hash_equal(&memory->quarantine[i].artefact, artefact))
            remove_entry(memory, i);
    return before - memory->quarantine_count;
}

unsigned rollout_memory_forgive(struct rollout_memory *memory, const struct rollout_hash *configuration)
{
    const unsigned before = memory->quarantine_count;
    for (unsigned i = before; i-- > 0;)
        if (!memory->quarantine[i].whole && rollout_hash_equal(&memory->quarantine[i].configuration, configuration))
            remove_entry(memory, i);
    return before - memory->quarantine_count;
}
