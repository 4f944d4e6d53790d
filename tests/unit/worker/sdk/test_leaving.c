/* test_leaving.c - the ways in which a worker ends, and what becomes of the calls it holds */
#include <signal.h>
#include <unistd.h>

#include "tests/unit/worker/sdk/worker_rig_test.h"

TestSuite(leaving, .init = set_up, .fini = tear_down, .timeout = 60);

/* One call runs until it is cancelled, two wait behind it. */
static void hold_with_two_waiting(void)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "hold");
    worker_rig_await_started(&rig, 1);
    worker_rig_simple_call(&rig, 2, "nothing");
    worker_rig_simple_call(&rig, 3, "nothing");
    worker_rig_sync(&rig);
}

Test(leaving, drain_gives_back_what_waits_finishes_the_rest_and_leaves)
{
    hold_with_two_waiting();
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    for (uint64_t call = 2; call <= 3; call++) {
        worker_rig_expect_for(&rig, WIRE_ERROR, call);
        cr_expect_error(DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_HOST);
    }
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    worker_rig_expect(&rig, WIRE_DRAINED);
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
    cr_expect_eq(worker_rig_started(&rig), 3);
}

Test(leaving, an_idle_worker_is_drained_at_once)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    worker_rig_expect(&rig, WIRE_DRAINED);
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
}

Test(leaving, a_call_that_comes_after_drain_is_given_back)
{
    hold_with_two_waiting();
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    worker_rig_simple_call(&rig, 4, "nothing");
    for (uint64_t call = 2; call <= 4; call++)
        worker_rig_expect_for(&rig, WIRE_ERROR, call);
    cr_expect_error(DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_HOST);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    worker_rig_expect(&rig, WIRE_DRAINED);
}

Test(leaving, a_closed_word_drops_everything_after_without_an_answer)
{
    hold_with_two_waiting();
    cr_expect_eq(startword_close(rig.page), 1);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    worker_rig_simple_call(&rig, 4, "nothing");
    worker_rig_sync(&rig); /* nothing came between: 2, 3 and 4 are dropped */
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    worker_rig_expect(&rig, WIRE_DRAINED);
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
}

Test(leaving, drain_after_the_word_was_closed_gives_nothing_back)
{
    hold_with_two_waiting();
    startword_close(rig.page);
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    worker_rig_expect(&rig, WIRE_DRAINED);
}

Test(leaving, sigterm_lets_the_running_call_finish_and_starts_no_other)
{
    hold_with_two_waiting();
    kill(rig.pid, SIGTERM);
    worker_rig_sync(&rig);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
    cr_expect_eq(worker_rig_started(&rig), 1);
}

Test(leaving, sigterm_ends_an_idle_worker)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    kill(rig.pid, SIGTERM);
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
}

Test(leaving, sigterm_ends_a_worker_that_finds_no_broker)
{
    zmq_unbind(rig.router, rig.endpoint);
    worker_rig_start(&rig, "/bin/sh", (const char *const[]){"-c", "kill -TERM $$ & exec " RIG_DRIVER, NULL});
    int status = worker_rig_exit_status(&rig);
    cr_expect(status == 0 || status == 1000 + SIGTERM, "exit status %d", status); /* before or after the handler */
}

Test(leaving, the_end_of_the_lifeline_ends_an_idle_worker)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    close(rig.lifeline_fd);
    rig.lifeline_fd = -1;
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
}

Test(leaving, the_end_of_the_lifeline_ends_a_worker_whose_driver_is_busy)
{
    char gate[128];

    worker_rig_make_gate(&rig, "gate", gate);
    struct drover_writer *request = worker_rig_map_string("path", gate);
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = "gate", .request = request});
    worker_rig_await_started(&rig, 1);
    close(rig.lifeline_fd);
    rig.lifeline_fd = -1;
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
    drover_writer_free(request);
}
