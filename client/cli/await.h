/* await.h - asks for a change of one service and waits for its end
 *
 * START: await_open(). OPERATION: await_ask() with the request in `inquiry`, then await_end(), which also tells the
 * user. END: await_close(), in any case.
 */
#ifndef DROVER_CLI_AWAIT_H
#define DROVER_CLI_AWAIT_H

#include "client/cli/inquiry.h"
#include "client/cli/progress.h"
#include "client/cli/stand.h"

#define AWAIT_MS (UINT64_C(10) * 60 * 1000) /* for the end of a change, unless --timeout says otherwise */
#define AWAIT_STEP_MS 50                    /* between two looks */

/* How long something is waited for, and what is shown meanwhile; also for changes of the configuration. */
struct await_clock {
    uint64_t until_ms;
    struct progress progress;
};

void await_clock_start(struct await_clock *clock, const struct cli_globals *globals);

/* The time for one answer; 0: it is over. */
uint32_t await_clock_answer_ms(const struct await_clock *clock);

/* Wait for the next look, not longer than there is time. */
void await_clock_pause(const struct await_clock *clock);

struct await {
    const struct cli_globals *globals;
    const char *service;
    struct inquiry inquiry;
    struct await_clock clock;
    struct stand before, now;
};

/* Connect and see how the service stands. As inquiry_open(). Arguments are borrowed. */
int await_open(struct await *await, const struct cli_globals *globals, const char *service);
void await_close(struct await *await);

/* The words of a verb. */
struct await_words {
    enum stand_wish wish;
    const char *unchanged; /* for VERDICT_UNCHANGED: "unchanged" */
};

/* Ask `verb` (the question is in `await->inquiry`), wait until nothing is under way any more, and say what has become
 * of it. Returns the exit status: 1 when it was given up, 75 when the time is over. */
int await_end(struct await *await, const char *verb, const struct await_words *words);

#endif
