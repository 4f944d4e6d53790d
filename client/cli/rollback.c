/* rollback.c - `drover rollback SERVICE`: back to the driver that served before */
#include "client/cli/await.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static int run(const void *globals, char **words, int count)
{
    static const struct await_words how = {.wish = STAND_ROLLBACK, .unchanged = "withdrawn"};
    struct await await;
    int result = await_open(&await, globals, words[0]);

    (void)count;
    if (result == EXIT_DONE) {
        inquiry_about(&await.inquiry, words[0]);
        result = await_end(&await, "rollback", &how);
    }
    await_close(&await);
    return result;
}

const struct verb verb_rollback = {
    .name = "rollback",
    .words = "SERVICE",
    .summary = "go back to the driver that served before, or withdraw a change under way",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
