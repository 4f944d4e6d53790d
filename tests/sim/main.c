/* main.c - sim.seeds, sim.library: run the simulation for one seed or many
 *
 *     sim.seeds                     seeds 1 to 600
 *     sim.seeds --seeds FIRST LAST  those seeds
 *     sim.seeds --seed N --verbose  one seed, with everything that happens
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/memory.h"
#include "tests/sim/sim.h"

enum { SECONDS_MAX = 60 }; /* for one seed: it takes milliseconds, or the core is in an endless loop */

/* When the core crashes, loops, or a sanitizer ends the program, at least the seed is known. */
static char crash_note[96];

static void write_crash_note(void)
{
    (void)!write(STDERR_FILENO, crash_note, strlen(crash_note));
}

static void on_signal(int number)
{
    write_crash_note();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void catch_crashes(void)
{
    (void)signal(SIGABRT, on_signal);
    (void)signal(SIGALRM, on_signal);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(write_crash_note);
    else
        (void)signal(SIGSEGV, on_signal);
}

static bool run_one(uint64_t seed, bool verbose, struct sim_result *total)
{
    (void)alarm(SECONDS_MAX);
    (void)snprintf(crash_note, sizeof(crash_note), "crashed in: %s --seed %" PRIu64 " --verbose\n", client_program,
                   seed);
    const size_t before = memory_blocks();
    const struct sim_result result = sim_run(seed, verbose);
    if (!result.failed && memory_blocks() != before) {
        (void)printf("seed %" PRIu64 " FAILED: %zu blocks of memory are left\n  again: %s --seed %" PRIu64
                     " --verbose\n",
                     seed, memory_blocks() - before, client_program, seed);
        return false;
    }
    total->steps += result.steps;
    total->calls += result.calls;
    total->answered += result.answered;
    total->not_started += result.not_started;
    total->unknown += result.unknown;
    total->begun_twice += result.begun_twice;
    total->switches += result.switches;
    total->rollbacks += result.rollbacks;
    total->reconfigured += result.reconfigured;
    total->removals += result.removals;
    return !result.failed;
}

static int run_many(uint64_t first, uint64_t last, bool verbose)
{
    enum { FAILURES_MAX = 5 };
    struct sim_result total = {.failed = false};
    uint64_t failed = 0;
    uint64_t seed = first;
    for (; seed <= last && failed < FAILURES_MAX; seed++)
        failed += !run_one(seed, verbose, &total);
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " calls: %" PRIu64 " answered, %" PRIu64
                 " not started, %" PRIu64 " unknown, %" PRIu64 " begun twice; %" PRIu64
                 " switches of generation, %" PRIu64 " of them back, %" PRIu64 " new settings taken, %" PRIu64
                 " services removed; %" PRIu64 " steps\n",
                 seed - first, failed, total.calls, total.answered, total.not_started, total.unknown, total.begun_twice,
                 total.switches, total.rollbacks, total.reconfigured, total.removals, total.steps);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    uint64_t first = 1;
    uint64_t last = 600;
    bool verbose = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            first = last = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 2 < argc) {
            first = strtoull(argv[++i], NULL, 10);
            last = strtoull(argv[++i], NULL, 10);
        } else {
            (void)fprintf(stderr, "usage: %s [--seed N | --seeds FIRST LAST] [--verbose]\n", client_program);
            return 2;
        }
    }
    catch_crashes();
    return run_many(first, last, verbose);
}
