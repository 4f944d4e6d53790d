/* finding.c - see finding.h */
#include "worker/check/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

static void DROVER_PRINTF(3, 0)
    set(struct finding *finding, enum verdict verdict, const char *format, va_list arguments)
{
    char text[FINDING_TEXT_SIZE];

    finding->verdict = verdict;
    (void)vsnprintf(text, sizeof(text), format, arguments);
    /* Much of it are the words of the driver. */
    text_printable(text, strlen(text), finding->text, sizeof(finding->text));
}

#define SET(verdict)                              \
    do {                                          \
        va_list arguments;                        \
        va_start(arguments, format);              \
        set(finding, verdict, format, arguments); \
        va_end(arguments);                        \
    } while (0)

bool finding_ok(struct finding *finding, const char *format, ...)
{
    SET(VERDICT_OK);
    return true;
}

bool finding_fail(struct finding *finding, const char *format, ...)
{
    SET(VERDICT_FAILED);
    return false;
}

bool finding_skip(struct finding *finding, const char *format, ...)
{
    SET(VERDICT_SKIPPED);
    return true;
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_OK] = "ok", [VERDICT_FAILED] = "failed", [VERDICT_SKIPPED] = "skipped"};

    return names[verdict];
}
