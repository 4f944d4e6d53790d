/* reload.c - `drover reload [SERVICE] [--force]`: look for a changed driver, or read the configuration again */
#include <string.h>

#include "client/cli/await.h"
#include "client/cli/steps.h"

struct reload_options {
    struct cli_globals globals;
    bool force;
};

static const struct option options[] = {
    {"force", 0, OPTION_FLAG, offsetof(struct reload_options, force), NULL,
     "replace the driver of SERVICE though it is the same, or in quarantine"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

/* ---- one service ---- */

static int reload_service(const struct reload_options *reload, const char *service)
{
    static const struct await_words words = {.wish = STAND_RELOAD, .unchanged = "unchanged"};
    struct await await;
    int result = await_open(&await, &reload->globals, service);

    if (result == EXIT_DONE) {
        struct drover_writer *writer = inquiry_begin(&await.inquiry);
        drover_write_map(writer, 2);
        drover_write_string(writer, "service");
        drover_write_string(writer, service);
        drover_write_string(writer, "force");
        drover_write_bool(writer, reload->force);
        result = await_end(&await, "reload", &words);
    }
    await_close(&await);
    return result;
}

/* ---- the configuration ---- */

static bool is_in_state(const struct drover_value *change, const char *state)
{
    return drover_text_equals(drover_value_get_text(change, "state", "under way"), state);
}

/* How the change with this number gets on, until it does no more or the time is over. */
static enum drover_status watch_change(struct inquiry *inquiry, uint64_t number, struct await_clock *clock,
                                       struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    uint32_t answer_ms;

    while ((answer_ms = await_clock_answer_ms(clock)) > 0) {
        struct drover_writer *writer = inquiry_begin(inquiry);
        drover_write_map(writer, 1);
        drover_write_string(writer, "change");
        drover_write_uint64(writer, number);
        status = inquiry_ask(inquiry, "change", answer_ms, error);
        if (status != DROVER_OK && status != DROVER_DEADLINE_EXCEEDED)
            return status;
        if (status == DROVER_OK && !is_in_state(inquiry_answer(inquiry), "under way"))
            return DROVER_OK;
        if (status == DROVER_OK)
            steps_show_progress(&clock->progress, inquiry_answer(inquiry));
        await_clock_pause(clock);
    }
    return DROVER_OK;
}

/* Tell what has become of it. */
static int end_change(const struct cli_globals *globals, const struct drover_value *change)
{
    const bool done = is_in_state(change, "done");

    if (globals->json)
        steps_print_json(change);
    else if (done)
        puts("the configuration is in force");
    else
        steps_print_failure(stderr, change);
    if (done)
        return EXIT_DONE;
    return is_in_state(change, "given up") ? EXIT_ANSWERED : EX_TEMPFAIL;
}

/* What the broker is about to do; with mistakes, nothing. Without JSON it is printed at once. */
static int begin_change(const struct cli_globals *globals, const struct drover_value *answer, uint64_t *ret_number)
{
    if (steps_count(answer, "mistakes") > 0) {
        if (globals->json)
            steps_print_json(answer);
        else
            steps_print_lines(stderr, answer, "mistakes");
        return EX_CONFIG;
    }
    if (!globals->json)
        steps_print(stdout, answer);
    (void)fflush(stdout); /* it takes a while now; main.c tells when it fails */
    (void)drover_value_uint64(drover_value_get(answer, "change"), ret_number);
    return EXIT_DONE;
}

static int follow_change(struct inquiry *inquiry, uint64_t number, struct await_clock *clock)
{
    struct drover_error error = {0};
    const enum drover_status status = watch_change(inquiry, number, clock, &error);

    progress_done(&clock->progress);
    return status == DROVER_OK ? end_change(inquiry->globals, inquiry_answer(inquiry))
                               : cli_fail(inquiry->globals, &error);
}

static int reload_configuration(const struct cli_globals *globals)
{
    struct drover_error error = {0};
    struct await_clock clock;
    struct inquiry inquiry;
    uint64_t number = 0;

    await_clock_start(&clock, globals);
    int result = inquiry_open(&inquiry, globals);
    if (result == EXIT_DONE) {
        inquiry_about(&inquiry, NULL);
        if (inquiry_ask(&inquiry, "reload", cli_admin_ms(globals), &error) != DROVER_OK)
            result = cli_fail(globals, &error);
        else
            result = begin_change(globals, inquiry_answer(&inquiry), &number);
    }
    if (result == EXIT_DONE)
        result = follow_change(&inquiry, number, &clock);
    inquiry_close(&inquiry);
    return result;
}

static int run(const void *given, char **words, int count)
{
    const struct reload_options *reload = given;
    struct drover_error error = {0};

    if (count > 0)
        return reload_service(reload, words[0]);
    if (reload->force) {
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "option '--force': name the service");
        return cli_usage(&verb_reload, &error);
    }
    return reload_configuration(&reload->globals);
}

const struct verb verb_reload = {
    .name = "reload",
    .words = "[SERVICE]",
    .summary = "take a changed driver of a service, or the changed configuration",
    .options = options,
    .options_size = sizeof(struct reload_options),
    .words_max = 1,
    .run = run,
};
