/* check_calls.c - what becomes of calls
 *
 * Which methods a driver has, and what they do, is not known here. Only those that it calls idempotent are run, and
 * only with requests that ask for nothing; a method that does not exist may be called of every driver.
 */
#include <string.h>

#include "worker/check/checks.h"

#define NO_DEADLINE UINT32_MAX
#define WORD_CALLS 16

static const struct drover_text empty_map = {"\x80", 1};

bool check_ping(struct stage *stage, struct finding *finding)
{
    const uint64_t number = stage_number(3);

    if (!stage_command(stage, WIRE_PING, number, finding) || !stage_expect(stage, WIRE_PONG, finding))
        return false;
    if (stage->message.header.call != number)
        return finding_fail(finding, "PONG bears %#llx, PING bore %#llx",
                            (unsigned long long)stage->message.header.call, (unsigned long long)number);
    return finding_ok(finding, "PONG bears the number of the PING");
}

bool check_unknown_method(struct stage *stage, struct finding *finding)
{
    char text[512];

    if (!stage_call(stage, STAGE_NO_METHOD, empty_map, NO_DEADLINE, finding) ||
        !stage_expect_answer(stage, stage->call_count - 1, finding))
        return false;
    (void)stage_seen(stage, text, sizeof(text));
    if (!stage_is_error(stage, DROVER_UNIMPLEMENTED, DROVER_OUTCOME_ANSWERED))
        return finding_fail(finding, "%s, instead of ERROR UNIMPLEMENTED (answered)", text);
    return finding_ok(finding, "%s", text);
}

bool check_no_method(struct stage *stage, struct finding *finding)
{
    char text[512];

    if (!stage_call(stage, WIRE_NO_METHOD, empty_map, NO_DEADLINE, finding) ||
        !stage_expect_answer(stage, stage->call_count - 1, finding))
        return false;
    return finding_ok(finding, "%s", stage_seen(stage, text, sizeof(text)));
}

bool check_empty_request(struct stage *stage, struct finding *finding)
{
    const struct stage_hello *hello = &stage->hello;

    if (hello->idempotent_count == 0)
        return finding_skip(finding, "no method is idempotent: none may be tried");
    for (size_t i = 0; i < hello->idempotent_count; i++) {
        struct finding inner;
        if (!stage_ensure_ready(stage, finding))
            return false;
        if (!stage_call(stage, hello->methods[i], empty_map, NO_DEADLINE, &inner) ||
            !stage_expect_answer(stage, stage->call_count - 1, &inner))
            return finding_fail(finding, "method '%s': %.400s", hello->methods[i], inner.text);
    }
    return finding_ok(finding, "methods that answered: %zu", hello->idempotent_count);
}

/* ---- malformed requests ---- */

static const struct malformed {
    const char *what;
    struct drover_text body;
} malformed[] = {
    {"no msgpack", {"\xc1", 1}},
    {"a map that is cut off", {"\x82\xa1\x61", 3}},
    {"a list that claims 4294967295 entries", {"\xdd\xff\xff\xff\xff", 5}},
    {"two values", {"\x80\x80", 2}},
    {"a list instead of a map", {"\x91\x01", 2}},
    {"a string instead of a map", {"\xa3\x61\x62\x63", 4}},
};

static bool try_malformed(struct stage *stage, const char *method, const struct malformed *body,
                          struct finding *finding)
{
    struct finding inner;
    char text[300];

    if (!stage_call(stage, method, body->body, NO_DEADLINE, &inner) ||
        !stage_expect_answer(stage, stage->call_count - 1, &inner))
        return finding_fail(finding, "method '%s', %s: %.300s", method, body->what, inner.text);
    if (!stage_is_error(stage, DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED))
        return finding_fail(finding, "method '%s', %s: %s, instead of ERROR INVALID_ARGUMENT (answered)", method,
                            body->what, stage_seen(stage, text, sizeof(text)));
    return true;
}

bool check_malformed_request(struct stage *stage, struct finding *finding)
{
    const size_t count = sizeof(malformed) / sizeof(malformed[0]);
    const char *method = stage_harmless_method(stage);

    if (stage->hello.idempotent_count == 0)
        return finding_skip(finding, "no method is idempotent: none may be tried");
    for (size_t i = 0; i < count; i++) {
        if (!try_malformed(stage, method, &malformed[i], finding))
            return false;
    }
    return finding_ok(finding, "method '%s' refused %zu of them", method, count);
}

/* ---- time, order, cancellation ---- */

bool check_deadline(struct stage *stage, struct finding *finding)
{
    char text[512];

    if (stage->hello.idempotent_count == 0)
        return finding_skip(finding, "no method is idempotent: none may be tried");
    if (!stage_call(stage, stage->hello.methods[0], empty_map, 0, finding) ||
        !stage_expect_answer(stage, stage->call_count - 1, finding))
        return false;
    (void)stage_seen(stage, text, sizeof(text));
    if (!stage_is_error(stage, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED))
        return finding_fail(finding, "%s for a call with 0 ms left, instead of ERROR DEADLINE_EXCEEDED (not started)",
                            text);
    return finding_ok(finding, "%s", text);
}

/* One call, answered or in vain, and then the word. */
static bool count_one(struct stage *stage, const char *method, struct finding *finding)
{
    if (!stage_call(stage, method, empty_map, NO_DEADLINE, finding) ||
        !stage_expect_answer(stage, stage->call_count - 1, finding))
        return false;
    if (stage_word(stage) == stage->sequence)
        return true;
    return finding_fail(finding, "the start word is %llu after the answer to call %llu of the session (method '%s')",
                        (unsigned long long)stage_word(stage), (unsigned long long)stage->sequence, method);
}

/* On a process of its own, so that the count starts with it. */
bool check_start_word(struct stage *stage, struct finding *finding)
{
    stage->is_ready = false;
    if (!stage_ensure_ready(stage, finding))
        return false;
    for (unsigned i = 0; i < WORD_CALLS; i++) {
        if (!count_one(stage, i % 2 ? STAGE_NO_METHOD : stage_harmless_method(stage), finding))
            return false;
    }
    if (atomic_load(&stage->subject.process.page->word) & STARTWORD_CLOSED)
        return finding_fail(finding, "the worker has closed its own start word");
    return finding_ok(finding, "it is %u after the answer to the %uth call", WORD_CALLS, WORD_CALLS);
}

/* More calls than run at once, and a CANCEL for the last, reach the driver in one go; how far it had come by then is
 * its own affair. */
bool check_cancel(struct stage *stage, struct finding *finding)
{
    const size_t first = stage->call_count, room = STAGE_CALLS_MAX - first;
    const size_t wanted = (size_t)stage->hello.concurrency + 8, count = wanted < room / 2 ? wanted : room / 2;
    bool sent = true;

    subject_freeze(&stage->subject);
    for (size_t i = 0; i < count && sent; i++)
        sent = stage_call(stage, stage_harmless_method(stage), empty_map, NO_DEADLINE, finding);
    sent = sent && stage_command(stage, WIRE_CANCEL, stage_number(stage->call_count - 1), finding);
    subject_thaw(&stage->subject);
    if (!sent)
        return false;
    /* Several may run at once, so answers may come after the PONG and in any order. */
    for (size_t answered = 0; answered < count; answered = 0) {
        for (size_t i = first; i < stage->call_count; i++)
            answered += stage->answers[i] > 0;
        if (answered == count)
            break;
        const enum stage_event event = stage_receive(stage, finding);
        if (event == STAGE_BREACH)
            return false;
        if (event != STAGE_MESSAGE)
            return finding_fail(finding, "%zu of %zu calls are answered, the one that was cancelled is %s them",
                                answered, count, stage->answers[stage->call_count - 1] ? "among" : "not among");
    }
    if (!stage_sync(stage, finding))
        return false;
    return finding_ok(finding, "calls: %zu, one of them cancelled; each got one answer", count);
}

/* The settings that it has must be good ones still. After settings that are none it goes on with those. */
static bool give_settings(struct stage *stage, struct drover_text settings, bool good, struct finding *finding)
{
    char text[512];

    if (!stage_reconfigure(stage, settings, finding) || !stage_expect_answer(stage, stage->call_count - 1, finding))
        return false;
    if ((stage->message.header.command == WIRE_REPLY) == good)
        return true;
    return finding_fail(finding, "%s for %s", stage_seen(stage, text, sizeof(text)),
                        good ? "the settings that it has" : "settings that are no map");
}

bool check_reconfigure(struct stage *stage, struct finding *finding)
{
    const struct drover_text list = {"\x91\x01", 2};
    const uint64_t word = stage_word(stage);

    if (!stage->hello.reconfigures)
        return finding_skip(finding, "it takes no new settings as it runs");
    if (!give_settings(stage, stage->settings, true, finding) || !give_settings(stage, list, false, finding) ||
        !stage_call(stage, stage_harmless_method(stage), empty_map, NO_DEADLINE, finding) ||
        !stage_expect_answer(stage, stage->call_count - 1, finding))
        return false;
    if (stage_word(stage) - word < 2)
        return finding_fail(finding, "the start word does not count new settings");
    return finding_ok(finding, "it takes the settings that it has, refuses a list, and answers the next call");
}

bool check_sequence_gap(struct stage *stage, struct finding *finding)
{
    const uint64_t word = stage_word(stage);

    stage->is_ready = false;
    stage->sequence += 4;
    if (!stage_call(stage, stage_harmless_method(stage), empty_map, NO_DEADLINE, finding) ||
        !stage_expect_end(stage, finding))
        return false;
    if (stage->answers[stage->call_count - 1] > 0 || stage_word(stage) > word)
        return finding_fail(finding, "it began the call behind the gap");
    return finding_ok(finding, "it ended, and did not begin the call behind the gap");
}
