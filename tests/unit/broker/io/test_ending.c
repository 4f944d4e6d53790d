/* test_ending.c - how long a broker waits for what does not end */
#include <criterion/criterion.h>

#include "broker/io/ending.h"

static struct host *host;
static struct ending ending;

static void set_up(void)
{
    const struct host_options options = {.endpoint = "ipc:///nowhere", .worker_program = "/nowhere/drover-worker"};
    struct drover_error error = {0};
    cr_assert_eq(host_new(&options, &host, &error), DROVER_OK, "%s", error.text);
}

static void tear_down(void)
{
    host = host_free(host);
}

TestSuite(ending, .init = set_up, .fini = tear_down);

Test(ending, is_never_due_before_it_has_begun)
{
    cr_expect_eq(ending_due_ms(&ending), UINT64_MAX);
    cr_expect(ending_step(&ending, host, UINT64_MAX - 1));
}

Test(ending, is_due_every_five_seconds_and_over_after_thirty)
{
    ending_begin(&ending, 1000);
    for (uint64_t now_ms = 6000; now_ms < 31000; now_ms += 5000) {
        cr_expect_eq(ending_due_ms(&ending), now_ms);
        cr_expect(ending_step(&ending, host, now_ms - 1));
        cr_expect(ending_step(&ending, host, now_ms), "over at %llu ms", (unsigned long long)now_ms);
    }
    cr_expect_not(ending_step(&ending, host, 31000));
}

/* Whoever comes late, because the machine was busy, ends at once. */
Test(ending, is_over_at_the_first_look_that_comes_too_late)
{
    ending_begin(&ending, 1000);
    cr_expect_not(ending_step(&ending, host, 99000));
}
