/* events.c - `drover events [SERVICE] [-f]`: what happened to services, and why */
#include <inttypes.h>

#include "client/cli/feed.h"
#include "common/base/text.h"

static void print_event(const struct drover_value *event)
{
    struct drover_text service = drover_value_get_text(event, "service", "-");
    struct drover_text what = drover_value_get_text(event, "what", "?");
    struct drover_text text = drover_value_get_text(event, "text", "");
    char of[256], word[256], shown[2048];
    uint64_t generation = 0;

    (void)drover_value_uint64(drover_value_get(event, "generation"), &generation);
    feed_print_time(event);
    printf(" %s", text_printable(service.data, service.size, of, sizeof(of)));
    if (generation > 0)
        printf("#%" PRIu64, generation);
    printf(" %s%s%s\n", text_printable(what.data, what.size, word, sizeof(word)), text.size > 0 ? ": " : "",
           text_printable(text.data, text.size, shown, sizeof(shown)));
}

static int run(const void *options, char **words, int count)
{
    static const struct feed feed = {.verb = "events", .list = "events", .print = print_event};

    return feed_run(&feed, options, count > 0 ? words[0] : NULL);
}

const struct verb verb_events = {
    .name = "events",
    .words = "[SERVICE]",
    .summary = "print what happened to services, and why",
    .options = feed_options,
    .options_size = sizeof(struct feed_options),
    .words_max = 1,
    .run = run,
};
