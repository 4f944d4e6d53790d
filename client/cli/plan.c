/* plan.c - `drover plan [FILE]`: what a running broker would do with a configuration */
#include <limits.h>
#include <unistd.h>

#include "client/cli/inquiry.h"
#include "client/cli/steps.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

/* The broker works in another folder: it needs the whole path. False when there is no saying it. */
static bool write_path(struct drover_writer *writer, const char *file)
{
    char folder[PATH_MAX];

    if (file[0] == '/') {
        drover_write_string(writer, file);
        return true;
    }
    if (getcwd(folder, sizeof(folder)) == NULL)
        return false;
    drover_write_format(writer, "%s/%s", folder, file);
    return true;
}

static bool write_request(struct inquiry *inquiry, const char *file)
{
    struct drover_writer *writer = inquiry_begin(inquiry);

    drover_write_map(writer, file == NULL ? 0 : 1);
    if (file == NULL)
        return true;
    drover_write_string(writer, "file");
    return write_path(writer, file);
}

static int show(const struct cli_globals *globals, const struct drover_value *plan)
{
    const bool wrong = steps_count(plan, "mistakes") > 0, blocked = steps_count(plan, "obstacles") > 0;

    if (globals->json) {
        steps_print_json(plan);
    } else {
        steps_print_lines(stderr, plan, "mistakes");
        steps_print_lines(stderr, plan, "obstacles");
        if (!wrong)
            steps_print(stdout, plan);
    }
    return wrong || blocked ? EX_CONFIG : EXIT_DONE;
}

static int ask(const struct cli_globals *globals, struct inquiry *inquiry, const char *file)
{
    struct drover_error error = {0};

    if (!write_request(inquiry, file)) {
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "'%.200s': the working directory is gone", file);
        return cli_usage(&verb_plan, &error);
    }
    if (inquiry_ask(inquiry, "plan", cli_admin_ms(globals), &error) != DROVER_OK)
        return cli_fail(globals, &error);
    return show(globals, inquiry_answer(inquiry));
}

static int run(const void *globals, char **words, int count)
{
    struct inquiry inquiry;
    int result = inquiry_open(&inquiry, globals);

    if (result == EXIT_DONE)
        result = ask(globals, &inquiry, count > 0 ? words[0] : NULL);
    inquiry_close(&inquiry);
    return result;
}

const struct verb verb_plan = {
    .name = "plan",
    .words = "[FILE]",
    .summary = "show what the running broker would do with a configuration",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_max = 1,
    .run = run,
};
