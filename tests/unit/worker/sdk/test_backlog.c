/* test_backlog.c - the calls a worker holds, and the start word */
#include <criterion/criterion.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/sdk/backlog.h"

static struct startword_page page;
static struct backlog backlog;
static int wake_fd;

static void set_up(void)
{
    struct drover_error error;

    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cr_assert_eq(backlog_init(&backlog, &page, wake_fd, &error), DROVER_OK);
}

static void tear_down(void)
{
    backlog_done(&backlog);
    close(wake_fd);
}

TestSuite(backlog, .init = set_up, .fini = tear_down, .timeout = 30);

static void push(uint64_t call)
{
    struct job *job = job_new();

    job->header.call = call;
    job->header.session = 1;
    job->deadline_at_ms = UINT64_MAX;
    cr_assert_eq(backlog_push(&backlog, job), DROVER_OK);
}

static struct job *expect_ended(uint64_t call, enum job_end end)
{
    struct job *job = backlog_next_ended(&backlog);

    cr_assert_not_null(job);
    cr_expect_eq(job->header.call, call);
    cr_expect_eq(job->end, end);
    return job;
}

Test(backlog, gives_calls_in_the_order_in_which_they_came)
{
    push(7);
    push(8);
    for (uint64_t call = 7; call <= 8; call++) {
        struct job *job = backlog_take(&backlog, false);
        cr_assert_eq(job->header.call, call);
        cr_expect_eq(job->end, JOB_OPEN);
        cr_expect_eq(page.word, call - 6);
    }
    cr_expect_null(backlog_take(&backlog, false));
}

Test(backlog, counts_what_waits_and_what_is_not_answered)
{
    push(1);
    push(2);
    push(3);
    cr_expect_eq(backlog_waiting(&backlog), 3);
    struct job *job = backlog_take(&backlog, false);
    cr_expect_eq(backlog_waiting(&backlog), 2);
    cr_expect_eq(backlog_started(&backlog), 1);
    cr_expect_eq(backlog_unanswered(&backlog), 3);
    job->end = JOB_REPLY;
    backlog_end(&backlog, job, true);
    cr_expect_eq(backlog_started(&backlog), 1);
    job_free(expect_ended(1, JOB_REPLY));
    cr_expect_eq(backlog_started(&backlog), 0);
    cr_expect_eq(backlog_unanswered(&backlog), 2);
}

Test(backlog, advances_the_word_for_a_call_that_is_too_late)
{
    push(1);
    backlog.waiting->deadline_at_ms = sys_now_ms();
    struct job *job = backlog_take(&backlog, false);
    cr_expect_eq(job->end, JOB_ERROR);
    cr_expect_eq(job->error.status, DROVER_DEADLINE_EXCEEDED);
    cr_expect_eq(job->error.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_expect_eq(page.word, 1);
}

Test(backlog, advances_the_word_for_a_call_that_was_cancelled)
{
    push(1);
    cr_expect(backlog_cancel(&backlog, 1, 1));
    cr_expect_not(backlog_cancel(&backlog, 1, 2));
    cr_expect_not(backlog_cancel(&backlog, 2, 1));
    struct job *job = backlog_take(&backlog, false);
    cr_expect_eq(job->error.status, DROVER_CANCELLED);
    cr_expect_eq(page.word, 1);
}

Test(backlog, drops_everything_once_the_word_is_closed)
{
    push(1);
    push(2);
    cr_expect_eq(startword_close(&page), 0);
    struct job *job = backlog_take(&backlog, false);
    cr_expect_eq(job->end, JOB_DROPPED);
    backlog_give_back(&backlog);
    job_free(expect_ended(2, JOB_DROPPED));
}

Test(backlog, gives_back_what_waits_and_counts_it)
{
    push(1);
    push(2);
    push(3);
    struct job *running = backlog_take(&backlog, false);
    backlog_give_back(&backlog);
    for (uint64_t call = 2; call <= 3; call++) {
        struct job *job = expect_ended(call, JOB_ERROR);
        cr_expect_eq(job->error.status, DROVER_UNAVAILABLE);
        cr_expect_eq(job->error.outcome, DROVER_OUTCOME_NOT_STARTED);
        job_free(job);
    }
    cr_expect_eq(page.word, 3);
    cr_expect_eq(running->end, JOB_OPEN);
}

Test(backlog, forgets_what_waits_without_counting_it_and_cancels_what_runs)
{
    push(1);
    push(2);
    struct job *running = backlog_take(&backlog, false);
    backlog_forget(&backlog);
    job_free(expect_ended(2, JOB_DROPPED));
    cr_expect_eq(page.word, 1);
    cr_expect(running->cancelled);
}

Test(backlog, starts_nothing_once_it_is_halted)
{
    push(1);
    backlog_halt(&backlog);
    cr_expect_null(backlog_take(&backlog, false));
    cr_expect_null(backlog_take(&backlog, true));
    cr_expect_eq(page.word, 0);
}

Test(backlog, refuses_a_call_beyond_its_limit)
{
    for (uint64_t call = 1; call <= BACKLOG_MAX; call++)
        push(call);
    struct job *job = job_new();
    cr_expect_eq(backlog_push(&backlog, job), DROVER_RESOURCE_EXHAUSTED);
    job_free(job);
}

Test(backlog, wakes_the_socket_once_for_a_batch)
{
    eventfd_t times = 0;

    push(1);
    push(2);
    for (int i = 0; i < 2; i++) {
        struct job *job = backlog_take(&backlog, false);
        job->end = JOB_REPLY;
        backlog_end(&backlog, job, false);
    }
    cr_expect_eq(eventfd_read(wake_fd, &times), 0);
    cr_expect_eq(times, 1);
}
