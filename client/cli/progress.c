/* progress.c - see progress.h */
#include "client/cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"

#define BAR_WIDTH 30U
#define PERCENT_STEP 20 /* between two lines */

void progress_init(struct progress *progress, FILE *out, bool quiet, bool is_terminal)
{
    *progress = (struct progress){.out = out, .quiet = quiet, .bar = is_terminal};
}

const char *progress_size(uint64_t bytes, char *buffer)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    for (; value >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
        value /= 1024;
    snprintf(buffer, PROGRESS_SIZE_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return buffer;
}

static void clear(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", progress->out);
    progress->shown = false;
}

static void draw_bar(struct progress *progress, const struct progress_state *state)
{
    char bar[BAR_WIDTH + 1], size[PROGRESS_SIZE_TEXT];
    unsigned filled = state->percent * BAR_WIDTH / 100;

    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', filled);
    bar[BAR_WIDTH] = '\0';
    fprintf(progress->out, "\r\033[K[%s] %3u %%  %" PRIu64 "/%" PRIu64 " objects  %s", bar, state->percent,
            state->objects, state->total_objects, progress_size(state->bytes, size));
    fflush(progress->out);
    progress->shown = true;
}

static void print_line(struct progress *progress, const struct progress_state *state)
{
    char size[PROGRESS_SIZE_TEXT];

    if (state->percent < progress->next_percent)
        return;
    progress->next_percent =
        state->percent + PERCENT_STEP > 100 && state->percent < 100 ? 100 : state->percent + PERCENT_STEP;
    fprintf(progress->out, "fetching: %u %%, %" PRIu64 "/%" PRIu64 " objects, %s\n", state->percent, state->objects,
            state->total_objects, progress_size(state->bytes, size));
}

void progress_show(struct progress *progress, const struct progress_state *state)
{
    struct progress_state sound = *state;

    if (sound.percent > 100)
        sound.percent = 100;
    if (progress->quiet)
        return;
    if (progress->bar)
        draw_bar(progress, &sound);
    else
        print_line(progress, &sound);
}

void progress_line(struct progress *progress, const char *line)
{
    char text[PROGRESS_LINE_SIZE * 8];

    if (progress->quiet)
        return;
    clear(progress);
    fprintf(progress->out, "%s\n", text_printable(line, strlen(line), text, sizeof(text)));
}

void progress_now(struct progress *progress, const char *text)
{
    char shown[PROGRESS_LINE_SIZE];

    if (progress->quiet || !progress->bar)
        return;
    fprintf(progress->out, "\r\033[K%s", text_printable(text, strlen(text), shown, sizeof(shown)));
    fflush(progress->out);
    progress->shown = true;
}

void progress_done(struct progress *progress)
{
    clear(progress);
    fflush(progress->out);
}
