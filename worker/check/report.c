/* report.c - see report.h */
#include "worker/check/report.h"

#include <stdio.h>

bool report_init(struct report *report, const char *file, bool as_json)
{
    *report = (struct report){.file = file, .lines = as_json ? json_array() : NULL};
    return !as_json || report->lines != NULL;
}

void report_add(struct report *report, const struct check *check, const struct finding *finding)
{
    const char *verdict = verdict_name(finding->verdict);

    report->counts[finding->verdict]++;
    if (report->lines) {
        (void)json_array_append_new(
            report->lines, json_pack("{ssssss}", "name", check->name, "result", verdict, "reason", finding->text));
        return;
    }
    (void)printf("%-8s %-18s %s\n", verdict, check->name, finding->text);
    (void)fflush(stdout); /* some take their time */
}

static bool write_json(struct report *report, const struct stage_hello *hello)
{
    json_t *all = json_pack("{sssssssOsisisi}", "file", report->file, "interface", hello->interface, "driver",
                            hello->driver, "checks", report->lines, "ok", (int)report->counts[VERDICT_OK], "failed",
                            (int)report->counts[VERDICT_FAILED], "skipped", (int)report->counts[VERDICT_SKIPPED]);
    const bool written = all != NULL && json_dumpf(all, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;

    json_decref(all);
    return written;
}

bool report_end(struct report *report, const struct stage_hello *hello)
{
    const bool written = report->lines
                             ? write_json(report, hello)
                             : printf("%s: %u ok, %u failed, %u skipped\n", report->file, report->counts[VERDICT_OK],
                                      report->counts[VERDICT_FAILED], report->counts[VERDICT_SKIPPED]) > 0;

    return fflush(stdout) == 0 && written;
}

void report_done(struct report *report)
{
    json_decref(report->lines);
    report->lines = NULL;
}
