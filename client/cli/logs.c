/* logs.c - `drover logs [SERVICE] [-f]`: what the workers printed */
#include <inttypes.h>

#include "client/cli/feed.h"
#include "common/base/text.h"

static void print_line(const struct drover_value *line)
{
    struct drover_text service = drover_value_get_text(line, "service", "?");
    struct drover_text stream = drover_value_get_text(line, "stream", "?");
    struct drover_text text = drover_value_get_text(line, "line", "");
    char shown[8 * 1024 + 1], from[256];
    uint64_t pid = 0;

    (void)drover_value_uint64(drover_value_get(line, "pid"), &pid);
    feed_print_time(line);
    printf(" %s[%" PRIu64 "] %s: %s\n", text_printable(service.data, service.size, from, sizeof(from)), pid,
           drover_text_equals(stream, "stderr") ? "err" : "out",
           text_printable(text.data, text.size, shown, sizeof(shown)));
}

static int run(const void *options, char **words, int count)
{
    static const struct feed feed = {.verb = "logs", .list = "lines", .print = print_line};

    return feed_run(&feed, options, count > 0 ? words[0] : NULL);
}

const struct verb verb_logs = {
    .name = "logs",
    .words = "[SERVICE]",
    .summary = "print the captured output of the workers",
    .options = feed_options,
    .options_size = sizeof(struct feed_options),
    .words_max = 1,
    .run = run,
};
