/* check_leaving.c - the ways in which a worker is told to go */
#include <signal.h>
#include <unistd.h>

#include "worker/check/checks.h"

#define DRAIN_CALLS 12
#define CLOSED_CALLS 3

static const struct drover_text empty_map = {"\x80", 1};

static bool send_calls(struct stage *stage, unsigned count, struct finding *finding)
{
    bool sent = stage->call_count + count <= STAGE_CALLS_MAX || finding_fail(finding, "too many calls");

    for (unsigned i = 0; i < count && sent; i++)
        sent = stage_call(stage, stage_harmless_method(stage), empty_map, UINT32_MAX, finding);
    return sent;
}

static size_t count_answers(const struct stage *stage, size_t first)
{
    size_t count = 0;

    for (size_t i = first; i < stage->call_count; i++)
        count += stage->answers[i];
    return count;
}

bool check_closed_word(struct stage *stage, struct finding *finding)
{
    const size_t first = stage->call_count;

    stage->is_ready = false;
    (void)startword_close(stage->subject.process.page);
    if (!send_calls(stage, CLOSED_CALLS, finding) || !stage_sync(stage, finding))
        return false;
    if (count_answers(stage, first) > 0)
        return finding_fail(finding, "it answered calls after its start word was closed: they were given to another");
    return finding_ok(finding, "calls: %u, all dropped without a word", CLOSED_CALLS);
}

/* ---- DRAIN ---- */

/* Read up to DRAINED. An answer must be the driver's, or say that the call is given back. */
static bool await_drained(struct stage *stage, struct finding *finding)
{
    char text[512];

    for (;;) {
        const enum stage_event event = stage_receive(stage, finding);
        const struct wire_header *header = &stage->message.header;
        if (event == STAGE_BREACH)
            return false;
        if (event == STAGE_ENDED)
            return finding_fail(finding, "%s before DRAINED", subject_end_text(&stage->subject, text, sizeof(text)));
        if (event == STAGE_SILENCE)
            return finding_fail(finding, "no DRAINED within %llu ms", (unsigned long long)stage->patience_ms);
        if (header->command == WIRE_DRAINED)
            return true;
        if (header->command == WIRE_ERROR && header->outcome == DROVER_OUTCOME_NOT_STARTED &&
            header->status != DROVER_UNAVAILABLE)
            return finding_fail(finding, "gave a call back by %s, instead of UNAVAILABLE",
                                stage_seen(stage, text, sizeof(text)));
    }
}

bool check_drain(struct stage *stage, struct finding *finding)
{
    const struct subject *subject = &stage->subject;
    const size_t first = stage->call_count;
    char text[512];

    stage->is_ready = false;
    subject_freeze(subject);
    const bool sent = send_calls(stage, DRAIN_CALLS, finding) && stage_command(stage, WIRE_DRAIN, 0, finding);
    subject_thaw(subject);
    if (!sent || !await_drained(stage, finding))
        return false;
    const size_t answered = count_answers(stage, first);
    if (answered != DRAIN_CALLS)
        return finding_fail(finding, "DRAINED after %zu of %u calls were answered or given back", answered,
                            DRAIN_CALLS);
    if (!stage_expect_end(stage, finding))
        return false;
    if (subject->code != CLD_EXITED || subject->status != 0)
        return finding_fail(finding, "%s after DRAINED", subject_end_text(&stage->subject, text, sizeof(text)));
    return finding_ok(finding, "calls: %u, each answered or given back; then DRAINED and exit status 0", DRAIN_CALLS);
}

/* ---- other ways ---- */

static bool expect_good_end(struct stage *stage, int signal_allowed, struct finding *finding)
{
    const struct subject *subject = &stage->subject;
    char text[512];

    stage->is_ready = false;
    if (!stage_expect_end(stage, finding))
        return false;
    (void)subject_end_text(&stage->subject, text, sizeof(text));
    if (subject->code != CLD_EXITED && subject->status != signal_allowed)
        return finding_fail(finding, "%s", text);
    return finding_ok(finding, "it ends in time");
}

bool check_bye(struct stage *stage, struct finding *finding)
{
    return stage_command(stage, WIRE_BYE, 0, finding) && expect_good_end(stage, 0, finding);
}

bool check_sigterm(struct stage *stage, struct finding *finding)
{
    subject_terminate(&stage->subject);
    return expect_good_end(stage, SIGTERM, finding);
}

bool check_lifeline(struct stage *stage, struct finding *finding)
{
    int *lifeline = &stage->subject.process.lifeline;

    close(*lifeline);
    *lifeline = -1;
    return expect_good_end(stage, 0, finding);
}
