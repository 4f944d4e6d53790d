/* check_greeting.c - from the start of the process to READY, and what becomes of settings that are wrong */
#include <stdio.h>
#include <string.h>

#include "worker/check/checks.h"

#define EXIT_MISFIT 78 /* the host does not start it again */

const char *check_wanted_interface;

bool check_start(struct stage *stage, struct finding *finding)
{
    if (!stage_start(stage, finding))
        return false;
    return finding_ok(finding, "the first message is HELLO");
}

bool check_hello(struct stage *stage, struct finding *finding)
{
    const struct stage_hello *hello = &stage->hello;

    if (hello->trouble[0])
        return finding_fail(finding, "HELLO: %s", hello->trouble);
    return finding_ok(finding, "driver '%s' %s, interface %s %s, methods: %zu (idempotent: %zu), concurrency %llu",
                      hello->driver, hello->driver_version, hello->interface, hello->interface_version,
                      hello->method_count, hello->idempotent_count, (unsigned long long)hello->concurrency);
}

bool check_token(struct stage *stage, struct finding *finding)
{
    if (stage->hello.token_fits)
        return finding_ok(finding, "HELLO bears the token of the shared page");
    return finding_fail(finding, "HELLO does not bear the token of the shared page");
}

bool check_interface(struct stage *stage, struct finding *finding)
{
    if (!check_wanted_interface)
        return finding_skip(finding, "no --interface to compare it with");
    if (strcmp(stage->hello.interface, check_wanted_interface) == 0)
        return finding_ok(finding, "it is '%s'", stage->hello.interface);
    return finding_fail(finding, "it is '%s', not '%s'", stage->hello.interface, check_wanted_interface);
}

bool check_ready(struct stage *stage, struct finding *finding)
{
    char text[512];

    if (!stage_welcome(stage, stage->settings, finding))
        return false;
    stage->is_ready = stage_expect(stage, WIRE_READY, finding);
    if (!stage->is_ready && stage->message.header.command == WIRE_CONFIG_ERROR)
        return finding_fail(finding, "%s (give it its settings by --settings)", stage_seen(stage, text, sizeof(text)));
    return stage->is_ready && finding_ok(finding, "READY follows WELCOME");
}

/* ---- wrong settings ---- */

/* It has said CONFIG_ERROR: its end has to follow. */
static bool judge_refusal(struct stage *stage, struct finding *finding)
{
    const struct subject *subject = &stage->subject;
    char seen[300], text[300];

    if (stage->message.header.status == DROVER_OK || stage->message.header.text.size == 0)
        return finding_fail(finding, "CONFIG_ERROR does not say what is wrong");
    (void)stage_seen(stage, seen, sizeof(seen));
    if (!stage_expect_end(stage, finding))
        return false;
    if (subject->code != CLD_EXITED || subject->status != EXIT_MISFIT)
        return finding_fail(finding, "%s after CONFIG_ERROR, instead of with exit status %d",
                            subject_end_text(&stage->subject, text, sizeof(text)), EXIT_MISFIT);
    return finding_ok(finding, "refused: %s; exit status %d", seen, EXIT_MISFIT);
}

static bool try_settings(struct stage *stage, struct drover_text settings, bool is_map, struct finding *finding)
{
    const struct subject *subject = &stage->subject;
    char text[512];

    stage->is_ready = false;
    if (!stage_start(stage, finding) || !stage_welcome(stage, settings, finding))
        return false;
    const enum stage_event event = stage_receive(stage, finding);
    const enum wire_command command = stage->message.header.command;
    if (event == STAGE_BREACH)
        return false;
    if (event == STAGE_MESSAGE && command == WIRE_READY)
        return finding_ok(finding, "taken without a word");
    if (event == STAGE_MESSAGE && command == WIRE_CONFIG_ERROR)
        return judge_refusal(stage, finding);
    if (event == STAGE_MESSAGE)
        return finding_fail(finding, "sent %s instead of READY or CONFIG_ERROR", stage_seen(stage, text, sizeof(text)));
    if (event == STAGE_SILENCE)
        return finding_fail(finding, "neither READY nor CONFIG_ERROR within %llu ms",
                            (unsigned long long)stage->patience_ms);
    (void)subject_end_text(&stage->subject, text, sizeof(text));
    if (!is_map && subject->code == CLD_EXITED && subject->status != 0)
        return finding_ok(finding, "%s", text);
    return finding_fail(finding, "%s, without CONFIG_ERROR", text);
}

/* No broker does this, so a worker may also take the WELCOME for one that cannot be used, and end. */
bool check_settings_no_map(struct stage *stage, struct finding *finding)
{
    static const char list[] = "\x93\x01\xa1x\xc0"; /* [1, "x", nil] */

    return try_settings(stage, (struct drover_text){list, sizeof(list) - 1}, false, finding);
}

/* Each key that was given, with a list behind it that nobody wants, and a key that nobody knows. */
static void write_wrong_settings(const struct drover_value *given, struct drover_writer *writer)
{
    static const char odd[] = "\x94\xc0\xff\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00\xa1\x00"; /* [nil, -1, inf, "\0"] */
    const size_t count = drover_value_count(given);

    drover_write_map(writer, count + 1);
    for (size_t i = 0; i < count; i++) {
        drover_write_value(writer, drover_value_key(given, i));
        drover_write_raw(writer, odd, sizeof(odd) - 1);
    }
    drover_write_string(writer, "drover-check-driver");
    drover_write_raw(writer, odd, sizeof(odd) - 1);
}

bool check_settings_wrong(struct stage *stage, struct finding *finding)
{
    struct drover_document *given = NULL;
    struct drover_error error = {0};
    struct drover_writer *writer = drover_writer_new();
    bool good = false;

    if (!writer || drover_document_parse(stage->settings.data, stage->settings.size, &given, &error) != DROVER_OK) {
        drover_writer_free(writer);
        return finding_fail(finding, "no memory");
    }
    write_wrong_settings(drover_document_root(given), writer);
    if (drover_writer_ok(writer))
        good = try_settings(stage, (struct drover_text){drover_writer_data(writer), drover_writer_size(writer)}, true,
                            finding);
    else
        (void)finding_fail(finding, "no memory");
    drover_document_free(given);
    drover_writer_free(writer);
    return good;
}
