/* test_reload_killed.c - the broker is killed in the middle of reloads, again and again
 *
 * In each round an executable and a source become another version, every BAD_EACH-th time one that does not even start
 * or compile; a random time later the broker gets SIGKILL and is started again, under a client that never pauses.
 * Afterwards versions serve that are the last stable ones or newer ones that are good, the store is whole, nothing is
 * left of the broker before, and no call was run twice. DROVER_RELOAD_KILLS says how often (20), DROVER_RELOAD_SEED how
 * it goes.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"
#include "orders.h"
#include "reload_rig.h"
#include "tests/support/command.h"
#include "tests/support/family.h"
#include "witness.h"
#include "worker/rollout/stable.h"

#define KILLS 20
#define LONGEST_MS 600
#define GONE_MS 5000
#define BAD_EACH 4
#define REST_EACH 5
#define VERSION_MAX 1024

static struct broker_rig rig;
static struct broker_rig_service service;
static struct witness witness;
static uint64_t random_state;
static char hashes[VERSION_MAX][65]; /* of the versions so far */
static unsigned last;                /* version */

/* Who is killed while LeakSanitizer stops its threads leaves a tracer behind: leaks are looked for by other tests. */
static void let_leaks_be(void)
{
    const char *before = getenv("ASAN_OPTIONS");
    char options[512];

    snprintf(options, sizeof(options), "%s:detect_leaks=0", before != NULL ? before : "");
    setenv("ASAN_OPTIONS", options, 1);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 */
static uint64_t next_random(void)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool is_bad(unsigned version)
{
    return version % BAD_EACH == 0;
}

static unsigned version_of(const char *hash)
{
    for (unsigned version = 1; version <= last; version++)
        if (strcmp(hashes[version], hash) == 0)
            return version;
    return 0;
}

static void remember_hash(const char *file)
{
    cr_assert_lt(last, VERSION_MAX);
    snprintf(hashes[last], sizeof(hashes[last]), "%s", orders_hash(&rig, file));
}

static void make_next(void)
{
    char orders[64];

    last++;
    snprintf(orders, sizeof(orders), "version=%u%s", last, is_bad(last) ? " start=abort" : "");
    orders_make(&rig, "next", orders);
    remember_hash("next");
    orders_replace_by(&rig, "next");
    reload_rig_run(&rig, "edit %u '%s'", last, is_bad(last) ? "#error bad" : "");
}

/* ---- after a kill ---- */

static void kill_broker(void)
{
    struct family family;

    broker_rig_signal(&rig, SIGSTOP); /* so that it starts nothing while its family is counted */
    family_hold(&family, rig.folder, rig.pid);
    broker_rig_signal(&rig, SIGKILL);
    cr_assert_eq(broker_rig_await_end(&rig), 1000 + SIGKILL);
    cr_expect_eq(family_await_end(&family, GONE_MS), 0, "processes of the killed broker live on");
    family_release(&family);
}

static void expect_whole_store(void)
{
    struct command command;

    command_run(&command, &rig, "drover store verify --config '%s'", rig.config);
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    command_done(&command);
}

static void expect_whole_file(const char *folder, const char *name)
{
    struct rollout_memory memory;
    struct stable_mistakes mistakes;
    struct drover_error error = {0};
    char path[512], *text = NULL;
    size_t size = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    cr_assert_eq(sys_read_file(path, STABLE_SIZE_MAX, &text, &size, &error), DROVER_OK, "%s", error.text);
    cr_expect_eq(stable_parse(text, size, path, &memory, &mistakes), DROVER_OK, "%s", mistakes.lines[0]);
    free(text);
}

/* What the services remember of their versions is whole. */
static void expect_whole_memory(void)
{
    const char *folder = broker_rig_path(&rig, "state/versions");
    size_t found = 0;
    const struct dirent *entry;
    DIR *stream = opendir(folder);

    cr_assert_not_null(stream, "%s", folder);
    while ((entry = readdir(stream)) != NULL) {
        if (strstr(entry->d_name, ".new") != NULL || entry->d_name[0] == '.')
            continue; /* it was being written */
        expect_whole_file(folder, entry->d_name);
        found++;
    }
    closedir(stream);
    cr_expect_eq(found, 2, "%zu files in %s", found, folder);
}

static void expect_good(const char *name, uint64_t serves, uint64_t stable)
{
    cr_expect(serves >= stable && !is_bad((unsigned)serves), "%s: version %u serves, %u was stable, %u is the newest",
              name, (unsigned)serves, (unsigned)stable, last);
    broker_rig_look(&rig, name, &service);
    cr_expect_leq(reload_rig_count_generations(&service), 2);
}

/* Versions that were stable before a kill. */
struct stand {
    unsigned executable, source;
};

static void expect_good_versions(const struct stand *stable)
{
    broker_rig_look(&rig, "ordered", &service);
    expect_good("ordered", version_of(service.rollout.artefact), stable->executable);
    expect_good("source", reload_rig_version(&rig, "source"), stable->source);
}

static void expect_nothing_unfinished(void)
{
    struct reload_holdings holdings;

    reload_rig_hold(&rig, &holdings);
    cr_expect_eq(holdings.unfinished, 0, "the store's folder tmp is not empty");
}

/* ---- the rounds ---- */

/* In which states of its rollout the executable was met. */
static struct {
    char word[16];
    unsigned count;
} states[16];

static void count_state(const char *word)
{
    size_t i = 0;

    while (states[i].count > 0 && strcmp(states[i].word, word) != 0)
        i++;
    snprintf(states[i].word, sizeof(states[i].word), "%s", word);
    states[i].count++;
}

/* Everything has its time to come to an end. What is new and good serves; `stable` is brought up to date. */
static void come_to_rest(struct stand *stable)
{
    reload_rig_await_rest(&rig, "source", &service);
    reload_rig_await_rest(&rig, "ordered", &service);
    if (!is_bad(last))
        *stable = (struct stand){last, last};
    expect_good_versions(stable);
    expect_nothing_unfinished();
    expect_whole_store();
}

static void go_round(uint64_t round, struct stand *stable)
{
    const uint64_t delay_ms = next_random() % (LONGEST_MS + 1);

    make_next();
    cr_assert_not(family_await_pidfd(rig.pidfd, delay_ms), "the broker has ended by itself");
    broker_rig_look(&rig, "ordered", &service);
    stable->executable = version_of(service.rollout.stable);
    count_state(service.rollout.state);
    kill_broker();
    broker_rig_start_and_await(&rig);
    expect_good_versions(stable);
    expect_whole_memory();
    if (round % REST_EACH == 0)
        come_to_rest(stable);
}

static void expect_honesty(void)
{
    struct orders_ledger ledger;

    witness_end(&witness);
    orders_read(&rig, &ledger);
    printf("%zu calls: %zu answered, %zu unknown, %zu not started\n", witness.caller.sent, witness.caller.ok,
           witness.caller.unknown, witness.caller.not_started);
    cr_expect_eq(witness_count_lies(&witness, &ledger), 0);
    cr_expect_eq(orders_find_repeated(&ledger), 0, "it was run twice");
    cr_expect_gt(witness.caller.ok, 0);
    orders_forget(&ledger);
    witness_done(&witness);
}

Test(reload_killed, leaves_a_good_version_and_a_whole_store)
{
    const uint64_t kills = number_from("DROVER_RELOAD_KILLS", KILLS);
    struct stand stable = {0};
    const uint64_t seed = number_from("DROVER_RELOAD_SEED", sys_random64() % 1000000);

    printf("%" PRIu64 " kills, DROVER_RELOAD_SEED=%" PRIu64 "\n", kills, seed);
    fflush(stdout);
    random_state = seed;
    let_leaks_be();
    reload_rig_init(&rig, RELOAD_SOURCE,
                    "  ordered: {" ORDERS_SERVICE ", settle: 60ms, probation: 400ms}\n"
                    "  source: {driver: @/source, interface: versioned, settle: 60ms, probation: 400ms, "
                    "debounce: 30ms, restart: {min: 10ms, max: 100ms}}");
    last = 1;
    orders_init(&rig, "version=1");
    remember_hash("bin/driver");
    broker_rig_start_and_await(&rig);
    come_to_rest(&stable);
    witness_begin(&witness, &rig, "ordered", "note");
    for (uint64_t round = 1; round <= kills; round++)
        go_round(round, &stable);
    for (size_t i = 0; states[i].count > 0; i++)
        printf("%s%s: %u", i > 0 ? ", " : "killed while ", states[i].word, states[i].count);
    putchar('\n');
    expect_honesty();
    broker_rig_done(&rig);
}
