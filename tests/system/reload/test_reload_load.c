/* test_reload_load.c - drivers of all forms are replaced again and again, in all the ways that people replace files,
 * while eight clients call them: no call fails, every change is one new generation, and nothing is left over
 *
 * DROVER_RELOADS says how many changes there are at least (50). How long calls took is printed.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reload_rig.h"
#include "steady.h"

#define RELOADS 50
#define CLIENTS 8
#define FORMS 3u
#define WAYS 5u
#define IDLE_WAYS 3
#define ROUND (FORMS * WAYS)
#define STOCK 8 /* versions of executable and module that are made before */
#define CALL_DEADLINE_MS 10000
#define MEMORY_SLACK_KIB 2048
#define MEMORY_PER_RELOAD_KIB ((size_t)4)

/* How a file is replaced, or only touched. $v is the next version, $now the one that serves. */
struct way {
    const char *name, *script;
};

struct form {
    const char *service;
    struct way changes[WAYS];
    struct way idle[IDLE_WAYS];
};

static const struct form forms[FORMS] = {
    {.service = "binary",
     .changes = {{"cc -o", "compile binary/driver $v"},
                 {"cp", "cp stock/driver-$v binary/driver"},
                 {"install", "install -m 755 stock/driver-$v binary/driver"},
                 {"link", "ln -s ../stock/driver-$v link && mv -T link binary/driver"},
                 {"mv", "cp stock/driver-$v new && mv -T new binary/driver"}},
     .idle = {{"touch", "touch binary/driver"},
              {"chmod", "chmod g+w,o+x binary/driver"},
              {"the same again", "cp stock/driver-$now new && mv -T new binary/driver"}}},
    /* `module` is a link, to kept/a or kept/b. */
    {.service = "module",
     .changes = {{"cc -o", "module module/driver.so $v"},
                 {"cp", "cp stock/driver-$v.so module/driver.so"},
                 {"install", "install -m 644 stock/driver-$v.so module/driver.so"},
                 {"link of a folder", "if [ -e kept/a ]; then old=kept/a new=kept/b; else old=kept/b new=kept/a; fi\n"
                                      "mkdir $new && cp stock/driver-$v.so $new/driver.so\n"
                                      "ln -s $new link && mv -T link module && rm -r $old"},
                 {"mv", "cp stock/driver-$v.so new && mv -T new module/driver.so"}},
     .idle = {{"touch", "touch module/driver.so"},
              {"chmod", "chmod g+w module/driver.so"},
              {"the same again", "cp stock/driver-$now.so module/driver.so"}}},
    {.service = "source",
     .changes = {{"git checkout", "git -C source checkout -qf v$v"},
                 {"sed -i", "sed -i \"s/^#define VERSION [0-9]*$/#define VERSION $v/\" source/driver.c"},
                 {"git checkout over an edit", "git -C source checkout -qf v$v"},
                 {"mv", "source $v >new.c && mv new.c source/driver.c"},
                 {"mv of the folder", "cp -r source new && source $v >new/driver.c && mv source old && mv new source\n"
                                      "rm -rf old"}},
     .idle = {{"touch", "touch source/driver.c"},
              {"git gc", "git -C source gc -q"},
              {"the same again", "cp source/driver.c new.c && mv new.c source/driver.c"}}},
};

static struct broker_rig rig;
static struct steady *steady;
static struct broker_rig_service services[FORMS];
static uint64_t versions[FORMS];
static unsigned turns[FORMS], idle_turns[FORMS]; /* how often each was changed, or not */

/* What was seen while services changed, one after the other or all at once. */
static struct {
    size_t generations_max, workers_max;
    struct steady_tally sum, calm, forms[FORMS];
} seen;

/* Whole rounds: at the end of one, everything is as it was at the end of another. */
static unsigned rounds_wanted(void)
{
    const char *text = getenv("DROVER_RELOADS");
    const unsigned long wanted = text != NULL ? strtoul(text, NULL, 10) : RELOADS;

    cr_assert(wanted > 0 && wanted <= 1000000, "DROVER_RELOADS: a number of reloads");
    return ((unsigned)wanted + ROUND - 1) / ROUND;
}

/* ---- before ---- */

/* Versions that are put in place later: compilers in between would be another load than that of the clients. */
static void make_stock(unsigned rounds)
{
    reload_rig_run(&rig,
                   "mkdir stock kept && mv module kept/a && ln -s kept/a module\n"
                   "for v in $(seq %u); do compile stock/driver-$v $v; module stock/driver-$v.so $v; done\n"
                   "for v in $(seq 2 %u); do commit $v; done\n"
                   "git -C source checkout -q v1",
                   STOCK, 1 + rounds * WAYS);
}

static void set_up(void)
{
    reload_rig_init(&rig, RELOAD_BINARY | RELOAD_MODULE | RELOAD_SOURCE,
                    RELOAD_SERVICE_BINARY(RELOAD_SETTINGS) RELOAD_SERVICE_MODULE(RELOAD_SETTINGS)
                        RELOAD_SERVICE_SOURCE(RELOAD_SETTINGS));
    make_stock(rounds_wanted());
    broker_rig_start_and_await(&rig);
    for (size_t i = 0; i < FORMS; i++) {
        versions[i] = 1;
        reload_rig_await_rest(&rig, forms[i].service, &services[i]);
    }
    steady = steady_begin(&rig, &(struct steady_options){.services = {"binary", "module", "source"},
                                                         .clients = CLIENTS,
                                                         .pace_us = broker_rig_is_sanitized() ? 10000 : 2000,
                                                         .deadline_ms = CALL_DEADLINE_MS,
                                                         .slow_every = 8,
                                                         .slow_ms = 3});
}

static void end(void)
{
    steady = steady_end(steady);
    broker_rig_done(&rig);
}

TestSuite(reload_load, .init = set_up, .fini = end);

/* ---- a change ---- */

static uint64_t next_version(size_t form)
{
    return strcmp(forms[form].service, "source") == 0 ? versions[form] + 1 : versions[form] % STOCK + 1;
}

/* Whatever is seen on the way counts. */
static void watch(const struct broker_rig_service *service)
{
    const size_t generations = reload_rig_count_generations(service), workers = reload_rig_count_workers(&rig);

    if (generations > seen.generations_max)
        seen.generations_max = generations;
    if (workers > seen.workers_max)
        seen.workers_max = workers;
}

/* At rest with another generation than `*context`. */
static bool has_replaced(const struct broker_rig_service *service, const void *context)
{
    watch(service);
    return service->rollout.active > *(const uint64_t *)context && reload_rig_is_at_rest(service);
}

static void run_way(size_t form, const struct way *way, uint64_t version)
{
    reload_rig_run(&rig, "v=%" PRIu64 " now=%" PRIu64 "\n%s", version, versions[form], way->script);
}

/* Change a driver, and wait until that is over. What was touched before was no change: it would be a generation more.
 */
static void change(size_t form)
{
    const char *name = forms[form].service;
    const struct way *way = &forms[form].changes[turns[form]++ % WAYS];
    const uint64_t before = services[form].rollout.active, version = next_version(form);
    struct steady_tally tally;

    run_way(form, way, version);
    broker_rig_await(&rig, name, has_replaced, &before, &services[form]);
    steady_await_version(steady, name, version);
    versions[form] = version;
    cr_expect_eq(services[form].rollout.active, before + 1, "%s, %s: generation %" PRIu64 " after %" PRIu64, name,
                 way->name, services[form].rollout.active, before);
    cr_expect_str_empty(services[form].last_error, "%s, %s: %s", name, way->name, services[form].last_error);
    steady_turn(steady, &tally);
    steady_add(&seen.forms[form], &tally);
    steady_add(&seen.sum, &tally);
}

static void change_nothing(size_t form)
{
    run_way(form, &forms[form].idle[idle_turns[form]++ % IDLE_WAYS], versions[form]);
}

/* One after the other; now and then the files of the service after the next are touched. */
static void change_for_a_round(void)
{
    for (unsigned i = 0; i < ROUND; i++) {
        if (i % 4 == 2 && i + 2 < ROUND)
            change_nothing((i + 2) % FORMS);
        change(i % FORMS);
    }
}

static bool has_called(const struct broker_rig_service *service, const void *context)
{
    watch(service);
    return steady_calls(steady) >= *(const uint64_t *)context;
}

/* What calls take when nothing changes: after each round, and watched as closely, so that both meet the same machine.
 */
static void keep_calm(void)
{
    const uint64_t calls = broker_rig_is_sanitized() ? 500 : 5000;
    struct broker_rig_service service;
    struct steady_tally tally;

    broker_rig_await(&rig, forms[0].service, has_called, &calls, &service);
    steady_turn(steady, &tally);
    steady_add(&seen.calm, &tally);
}

/* ---- what is left ---- */

/* Whoever had asked before may have been leaving then. */
static bool is_as_before(const struct reload_holdings *now, const struct reload_holdings *before)
{
    return now->descriptors <= before->descriptors && now->children == before->children &&
           now->watches == before->watches && now->unfinished == 0;
}

/* What was closed goes a moment later; the time is that of calls. */
static void await_as_before(const struct reload_holdings *before, struct reload_holdings *ret)
{
    reload_rig_hold(&rig, ret);
    for (unsigned i = 0; i < 100 && !is_as_before(ret, before); i++) {
        steady_await_calls(steady, steady_calls(steady) + 100);
        reload_rig_hold(&rig, ret);
    }
}

static void print_times(const char *what, const struct steady_tally *tally)
{
    printf("%-20s %8" PRIu64 " calls, us: p50 %" PRIu64 ", p99 %" PRIu64 ", p99.9 %" PRIu64 ", worst %" PRIu64
           " (%s)\n",
           what, tally->calls, steady_quantile_us(tally, 0.5), steady_quantile_us(tally, 0.99),
           steady_quantile_us(tally, 0.999), tally->worst_us, tally->worst_service);
}

static void report(unsigned reloads, const struct reload_holdings *before, const struct reload_holdings *after)
{
    print_times("no reload:", &seen.calm);
    print_times("reloads:", &seen.sum);
    for (size_t i = 0; i < FORMS; i++)
        print_times(forms[i].service, &seen.forms[i]);
    printf("%u reloads: worst call %.1f ms over normal (wanted: 50 at most), %" PRIu64 " of %" PRIu64 " calls failed\n",
           reloads, ((double)seen.sum.worst_us - (double)seen.calm.worst_us) / 1000, seen.sum.failed, seen.sum.calls);
    printf("descriptors %zu -> %zu, processes %zu -> %zu, watches %zu -> %zu, memory %zu -> %zu KiB\n",
           before->descriptors, after->descriptors, before->children, after->children, before->watches, after->watches,
           before->memory_kib, after->memory_kib);
}

static void expect_no_trouble(unsigned changing)
{
    cr_expect_eq(seen.sum.failed + seen.calm.failed, 0, "%s%s", seen.sum.trouble, seen.calm.trouble);
    cr_expect_eq(seen.sum.stale, 0, "%s", seen.sum.trouble);
    cr_expect_leq(seen.generations_max, 2, "%zu generations at once", seen.generations_max);
    cr_expect_leq(seen.workers_max, FORMS + changing, "%zu workers at once", seen.workers_max);
}

Test(reload_load, no_call_fails_and_nothing_is_left_over)
{
    const unsigned rounds = rounds_wanted();
    struct reload_holdings before = {0}, after;

    for (unsigned i = 0; i < rounds; i++) {
        change_for_a_round();
        keep_calm();
        if (i == 0) /* what is made once is there */
            reload_rig_hold(&rig, &before);
    }
    await_as_before(&before, &after);
    report(rounds * ROUND, &before, &after);

    expect_no_trouble(1);
    cr_expect_leq(after.descriptors, before.descriptors);
    cr_expect_eq(after.children, before.children);
    cr_expect_eq(after.watches, before.watches);
    cr_expect_eq(after.unfinished, 0);
    if (!broker_rig_is_sanitized())
        cr_expect_leq(after.memory_kib, before.memory_kib + MEMORY_SLACK_KIB + MEMORY_PER_RELOAD_KIB * rounds * ROUND);
}

/* Each service gets three versions, as fast as they can be put there. */
static void change_all_thrice(void)
{
    for (size_t i = 0; i < FORMS; i++)
        versions[i] = i == 2 ? versions[i] + 3 : (versions[i] + 2) % STOCK + 1;
    reload_rig_run(&rig,
                   "for v in %" PRIu64 " %" PRIu64 " %" PRIu64 "; do\n"
                   "  cp stock/driver-$v new && mv -T new binary/driver\n"
                   "  cp stock/driver-$v.so new && mv -T new module/driver.so\n"
                   "done\n"
                   "for v in %" PRIu64 " %" PRIu64 " %" PRIu64 "; do git -C source checkout -qf v$v; done",
                   (versions[0] + STOCK - 3) % STOCK + 1, (versions[0] + STOCK - 2) % STOCK + 1, versions[0],
                   versions[2] - 2, versions[2] - 1, versions[2]);
}

static void await_newest(size_t form)
{
    const uint64_t before = services[form].rollout.active;

    broker_rig_await(&rig, forms[form].service, has_replaced, &before, &services[form]);
    steady_await_version(steady, forms[form].service, versions[form]);
    broker_rig_await(&rig, forms[form].service, has_replaced, &before, &services[form]);
    cr_expect_leq(services[form].rollout.active, before + 3);
}

Test(reload_load, the_newest_of_many_changes_wins_whatever_is_under_way)
{
    for (unsigned i = 0; i < 5; i++) {
        change_all_thrice();
        for (size_t form = 0; form < FORMS; form++)
            await_newest(form);
    }
    steady_turn(steady, &seen.sum);
    print_times("all at once:", &seen.sum);
    expect_no_trouble(FORMS);
}
