/* test_memory.c - what a service remembers of its versions */
#include <criterion/criterion.h>

#include <string.h>

#include "worker/rollout/memory.h"

static struct rollout_memory memory;

static struct rollout_version numbered(unsigned artefact, unsigned configuration)
{
    struct rollout_version version = {0};
    version.artefact.octets[0] = (uint8_t)artefact;
    version.artefact.octets[1] = 1;
    version.configuration.octets[0] = (uint8_t)configuration;
    return version;
}

static void quarantine(unsigned artefact, unsigned configuration, bool whole)
{
    const struct rollout_version version = numbered(artefact, configuration);
    rollout_memory_quarantine(&memory, &version, whole, "it failed");
}

static bool holds(unsigned artefact, unsigned configuration)
{
    const struct rollout_version version = numbered(artefact, configuration);
    return rollout_memory_quarantined(&memory, &version) != NULL;
}

static void mark(unsigned artefact)
{
    const struct rollout_version version = numbered(artefact, 1);
    rollout_memory_mark(&memory, &version);
}

Test(memory, keeps_six_stable_versions_newest_first)
{
    for (unsigned i = 0; i < 9; i++)
        mark(i);
    cr_expect_eq(memory.stable_count, ROLLOUT_STABLE_MAX);
    for (unsigned i = 0; i < ROLLOUT_STABLE_MAX; i++)
        cr_expect_eq(memory.stable[i].artefact.octets[0], 8 - i);
}

Test(memory, a_version_that_is_marked_again_comes_to_the_front)
{
    for (unsigned i = 0; i < 6; i++)
        mark(i);
    mark(2);
    static const unsigned order[] = {2, 5, 4, 3, 1, 0};
    cr_expect_eq(memory.stable_count, 6);
    for (unsigned i = 0; i < 6; i++)
        cr_expect_eq(memory.stable[i].artefact.octets[0], order[i]);
}

Test(memory, the_quarantine_has_64_places_and_the_oldest_leaves)
{
    for (unsigned i = 0; i < 70; i++)
        quarantine(i, 0, true);
    cr_expect_eq(memory.quarantine_count, ROLLOUT_QUARANTINE_MAX);
    cr_expect_not(holds(5, 0));
    cr_expect(holds(6, 0));
    cr_expect(holds(69, 3));
}

Test(memory, a_version_is_quarantined_once_and_becomes_the_newest)
{
    quarantine(1, 1, false);
    quarantine(2, 1, false);
    quarantine(1, 1, false);
    cr_expect_eq(memory.quarantine_count, 2);
    cr_expect_eq(memory.quarantine[1].artefact.octets[0], 1);
}

Test(memory, a_whole_artefact_takes_the_place_of_its_configurations)
{
    quarantine(1, 1, false);
    quarantine(1, 2, false);
    cr_expect_not(holds(1, 3));
    quarantine(1, 3, true);
    cr_expect_eq(memory.quarantine_count, 1);
    cr_expect(holds(1, 9));
    quarantine(1, 4, false);
    cr_expect_eq(memory.quarantine_count, 1);
    cr_expect(holds(1, 9), "it is still the whole");
}

Test(memory, an_unknown_artefact_is_in_no_quarantine)
{
    const struct rollout_version version = {.source = {{1}}};
    quarantine(0, 0, true);
    cr_expect_null(rollout_memory_quarantined(&memory, &version));
}

Test(memory, a_stable_version_leaves_the_quarantine)
{
    quarantine(1, 1, true);
    quarantine(2, 1, false);
    quarantine(2, 2, false);
    mark(1);
    mark(2);
    cr_expect_not(holds(1, 1));
    cr_expect_not(holds(2, 1));
    cr_expect(holds(2, 2));
}

Test(memory, lets_out_one_artefact_or_all)
{
    const struct rollout_version version = numbered(1, 0);
    quarantine(1, 1, false);
    quarantine(1, 2, false);
    quarantine(2, 1, true);
    cr_expect_eq(rollout_memory_release(&memory, &version.artefact), 2);
    cr_expect_not(holds(1, 1));
    cr_expect(holds(2, 1));
    cr_expect_eq(rollout_memory_release(&memory, NULL), 1);
    cr_expect_eq(rollout_memory_release(&memory, NULL), 0);
}

Test(memory, a_reason_is_cut_and_printable)
{
    char why[300];
    const struct rollout_version version = numbered(1, 1);
    memset(why, 'x', sizeof(why));
    why[0] = '\n';
    why[sizeof(why) - 1] = '\0';
    rollout_memory_quarantine(&memory, &version, true, why);
    cr_expect_eq(memory.quarantine[0].why[0], '?');
    cr_expect_eq(strlen(memory.quarantine[0].why), ROLLOUT_WHY_SIZE - 1);
}

Test(memory, a_version_is_alike_by_its_source_and_the_same_by_its_bytes)
{
    struct rollout_version a = {.source = {{1}}, .configuration = {{1}}}, b = a;
    cr_expect(rollout_version_alike(&a, &b));
    cr_expect_not(rollout_version_same(&a, &b), "nobody knows");
    a.artefact.octets[0] = b.artefact.octets[0] = 5;
    b.source.octets[0] = 2;
    cr_expect(rollout_version_same(&a, &b) && rollout_version_alike(&a, &b));
    b.configuration.octets[0] = 2;
    cr_expect_not(rollout_version_alike(&a, &b));
}
