/* test_stable.c - what a service remembers, as text: what is written is read back, and every mistake has its place */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "worker/rollout/stable.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "drover-rollout 1\n"

static struct rollout_memory memory;
static struct stable_mistakes mistakes;

static enum drover_status parse(const char *text)
{
    return stable_parse(text, strlen(text), "x.stable", &memory, &mistakes);
}

static void expect_mistake(const char *text, const char *mistake)
{
    memory.stable_count = 77;
    cr_expect_eq(parse(text), DROVER_INVALID_ARGUMENT, "%s", text);
    cr_expect_eq(mistakes.count, 1, "%zu mistakes, for %s", mistakes.count, mistake);
    cr_expect_str_eq(mistakes.lines[0], mistake);
    cr_expect_eq(memory.stable_count, 77, "nothing is given back");
}

static void expect_again(void)
{
    struct rollout_memory before = memory, after;
    char *text = stable_write(&memory);
    cr_assert_eq(stable_parse(text, strlen(text), "x.stable", &after, &mistakes), DROVER_OK, "%s", mistakes.lines[0]);
    char *second = stable_write(&after);
    cr_expect_str_eq(second, text);
    cr_expect_eq(after.stable_count, before.stable_count);
    cr_expect_eq(after.quarantine_count, before.quarantine_count);
    free(second);
    free(text);
}

Test(stable, is_read_as_it_is_written)
{
    static const char text[] = HEAD "stable " A " " B " " A "\n"
                                    "stable " A " " A " " A "\n"
                                    "quarantine " A " " B " died: signal 11\n"
                                    "quarantine " B " * \n"
                                    "end\n";
    cr_assert_eq(parse(text), DROVER_OK, "%s", mistakes.lines[0]);
    cr_expect_eq(memory.stable_count, 2);
    cr_expect_eq(memory.stable[0].artefact.octets[0], 0xfe);
    cr_expect_eq(memory.quarantine_count, 2);
    cr_expect_not(memory.quarantine[0].whole);
    cr_expect_str_eq(memory.quarantine[0].why, "died: signal 11");
    cr_expect(memory.quarantine[1].whole);
    char *again = stable_write(&memory);
    cr_expect_str_eq(again, text);
    free(again);
}

Test(stable, nothing_is_something_too)
{
    memory = (struct rollout_memory){0};
    expect_again();
}

Test(stable, a_full_memory_is_read_back)
{
    char why[ROLLOUT_WHY_SIZE];
    memset(why, 'x', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    for (unsigned i = 0; i < 100; i++) {
        const struct rollout_version version = {
            .source = {{9}}, .artefact = {{1, (uint8_t)i}}, .configuration = {{2, (uint8_t)i}}};
        rollout_memory_mark(&memory, &version);
    }
    for (unsigned i = 0; i < 100; i++) {
        const struct rollout_version version = {.artefact = {{3, (uint8_t)i}}, .configuration = {{4}}};
        rollout_memory_quarantine(&memory, &version, i % 2 == 0, why);
    }
    expect_again();
}

Test(stable, every_mistake_has_its_place)
{
    expect_mistake("", "x.stable:1:1: the file is cut off: its last line must be 'end'");
    expect_mistake(HEAD, "x.stable:2:1: the file is cut off: its last line must be 'end'");
    expect_mistake(HEAD "end", "x.stable:2:4: the line is cut off");
    expect_mistake("drover-rollout 2\nend\n", "x.stable:1:1: the first line must be 'drover-rollout 1'");
    expect_mistake(HEAD "\nend\n", "x.stable:2:1: '': a line begins with 'stable', 'quarantine' or 'end'");
    expect_mistake(
        HEAD "stabel " A "\nend\n",
        "x.stable:2:1: 'stabel 0123456789abcdef0123456789abcdef0': a line begins with 'stable', 'quarantine' "
        "or 'end'");
    expect_mistake(HEAD "stable\nend\n", "x.stable:2:7: a blank and the hash of a source must stand here");
    expect_mistake(HEAD "stable " A " 12\nend\n",
                   "x.stable:2:73: the hash of an artefact must be 64 lower-case hex digits");
    expect_mistake(HEAD "stable " A " " B " " B "0\nend\n", "x.stable:2:202: '0' is too much here");
    expect_mistake(HEAD "stable " A " " ZERO " " A "\nend\n",
                   "x.stable:2:137: the hash of an artefact must not be zero");
    expect_mistake(HEAD "stable " A " " B " " B "\nstable " B " " B " " B "\nend\n",
                   "x.stable:3:202: this version stands here for the second time");
    expect_mistake(HEAD "quarantine " A " ? why\nend\n",
                   "x.stable:2:77: '*' or the hash of a configuration must be 64 lower-case hex digits");
    expect_mistake(HEAD "quarantine " A " " B "\nend\n", "x.stable:2:141: a blank and a reason must stand here");
    expect_mistake(HEAD "quarantine " A " * a\tb\nend\n", "x.stable:2:79: a reason must be printable");
    expect_mistake(HEAD "quarantine " A " * a\nquarantine " A " " B " b\nend\n",
                   "x.stable:3:142: this artefact is in quarantine already, by an earlier line");
    expect_mistake(HEAD "end \n", "x.stable:2:4: ' ' is too much here");
    expect_mistake(HEAD "end\nend\n", "x.stable:3:1: nothing may stand behind 'end'");
}

Test(stable, all_mistakes_are_reported)
{
    cr_expect_eq(parse("x\ny\nend\nz"), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(mistakes.count, 3);
}

Test(stable, mistakes_beyond_the_list_are_counted)
{
    char text[200] = HEAD;
    for (int i = 0; i < 40; i++)
        strcat(text, "x\n");
    cr_expect_eq(parse(text), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(mistakes.count, STABLE_MISTAKES_MAX);
    cr_expect_eq(mistakes.unlisted, 41 - STABLE_MISTAKES_MAX);
}

Test(stable, too_many_versions_are_a_mistake)
{
    char text[2000] = HEAD;
    for (int i = 0; i < 7; i++) {
        char line[] = "stable " A " " A " " A "\n";
        line[7 + 65] = (char)('0' + i);
        strcat(text, line);
    }
    strcat(text, "end\n");
    expect_mistake(text, "x.stable:8:202: there are at most 6 stable versions");
}

Test(stable, a_reason_that_is_too_long_is_a_mistake)
{
    char text[400] = HEAD "quarantine " A " * ";
    memset(text + strlen(text), 'x', ROLLOUT_WHY_SIZE);
    strcat(text, "\nend\n");
    expect_mistake(text, "x.stable:2:79: a reason has at most 95 bytes, not 96");
}

Test(stable, a_file_that_is_no_text_is_refused)
{
    static const char nul[] = HEAD "end\0\n";
    static char big[STABLE_SIZE_MAX + 1];
    cr_expect_eq(stable_parse(nul, sizeof(nul) - 1, "x", &memory, &mistakes), DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(mistakes.lines[0], "x:1:1: the file has a NUL in it");
    cr_expect_eq(stable_parse(big, sizeof(big), "x", &memory, &mistakes), DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(mistakes.lines[0], "x:1:1: the file has 32769 bytes; at most 32768 are read");
}

Test(stable, every_cut_of_a_file_is_noticed)
{
    static const char text[] = HEAD "stable " A " " B " " A "\nquarantine " B " * why\nend\n";
    for (size_t size = 0; size < sizeof(text) - 1; size++)
        cr_expect_eq(stable_parse(text, size, "x", &memory, &mistakes), DROVER_INVALID_ARGUMENT, "%zu", size);
}
