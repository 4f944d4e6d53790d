/* rollout_view.c - see rollout_view.h */
#include "client/cli/rollout_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/stand.h"
#include "common/base/text.h"

#define TEXT_SIZE 512
#define QUARANTINE_MAX 3U /* entries that are shown: the newest */

/* Print a line, cut where the screen may end, and free it; NULL, for want of memory, is left out. A character of UTF-8
 * is one column. */
static void print_line(FILE *out, char *line)
{
    int end = 0;

    if (line == NULL)
        return;
    for (int columns = 0; line[end] != '\0'; end++) {
        columns += ((unsigned char)line[end] & 0xC0) != 0x80;
        if (columns > ROLLOUT_VIEW_COLUMNS)
            break;
    }
    fprintf(out, "%.*s\n", end, line);
    free(line);
}

static const char *text_of(const struct drover_value *map, const char *key, char *buffer)
{
    struct drover_text text = drover_value_get_text(map, key, "");

    return text_printable(text.data, text.size, buffer, TEXT_SIZE);
}

static uint64_t number_of(const struct drover_value *map, const char *key)
{
    uint64_t number = 0;

    (void)drover_value_uint64(drover_value_get(map, key), &number);
    return number;
}

static void print_candidate(FILE *out, const char *state, const char *progress, uint64_t generation)
{
    char number[48] = "";

    if (generation > 0)
        (void)snprintf(number, sizeof(number), ", generation %" PRIu64, generation);
    print_line(out, text_format("  change: %s%s%s%s", state, number, progress[0] != '\0' ? ", " : "", progress));
}

static void print_probation(FILE *out, const struct drover_value *rollout)
{
    char stable[TEXT_SIZE];

    (void)text_of(rollout, "stable", stable);
    print_line(out, text_format("  on probation: generation %" PRIu64 "%s%.12s", number_of(rollout, "active"),
                                stable[0] != '\0' ? ", stable is artefact " : "", stable));
}

static void print_quarantine(FILE *out, const struct drover_value *quarantine)
{
    const size_t count = drover_value_count(quarantine), first = count > QUARANTINE_MAX ? count - QUARANTINE_MAX : 0;
    char artefact[TEXT_SIZE], why[TEXT_SIZE];

    if (first > 0)
        print_line(out, text_format("  quarantine: %zu artefacts, the last %u:", count, QUARANTINE_MAX));
    for (size_t i = first; i < count; i++) {
        const struct drover_value *entry = drover_value_at(quarantine, i);
        print_line(out, text_format("  quarantine: %.12s: %s", text_of(entry, "artefact", artefact),
                                    text_of(entry, "why", why)));
    }
}

void rollout_print(FILE *out, const struct drover_value *service)
{
    const struct drover_value *rollout = drover_value_get(service, "rollout");
    char state[TEXT_SIZE], progress[TEXT_SIZE];

    (void)text_of(rollout, "state", state);
    (void)text_of(service, "progress", progress);
    if (!stand_is_resting(state))
        print_candidate(out, state, progress, number_of(rollout, "candidate"));
    else if (progress[0] != '\0')
        print_line(out, text_format("  %s", progress));
    if (strcmp(state, "probation") == 0)
        print_probation(out, rollout);
    print_quarantine(out, drover_value_get(rollout, "quarantine"));
}
