/* steps.c - see steps.h */
#include "client/cli/steps.h"

#include <string.h>

#include "client/cli/json.h"
#include "common/base/text.h"

#define TEXT_SIZE 1024
#define ACTION_WIDTH 11 /* "reconfigure" */

size_t steps_count(const struct drover_value *answer, const char *key)
{
    return drover_value_count(drover_value_get(answer, key));
}

/* A text of a map, safe to print. */
static const char *text_of(const struct drover_value *map, const char *key, char *buffer)
{
    struct drover_text text = drover_value_get_text(map, key, "");

    return text_printable(text.data, text.size, buffer, TEXT_SIZE);
}

void steps_print_lines(FILE *out, const struct drover_value *answer, const char *key)
{
    const struct drover_value *lines = drover_value_get(answer, key);
    struct drover_text text;
    char shown[TEXT_SIZE];

    for (size_t i = 0; i < drover_value_count(lines); i++)
        if (drover_value_text(drover_value_at(lines, i), &text))
            fprintf(out, "%s\n", text_printable(text.data, text.size, shown, sizeof(shown)));
}

void steps_print(FILE *out, const struct drover_value *answer)
{
    const struct drover_value *steps = drover_value_get(answer, "steps");
    char service[TEXT_SIZE], action[TEXT_SIZE], why[TEXT_SIZE];

    if (drover_value_count(steps) == 0)
        fputs("nothing changes\n", out);
    for (size_t i = 0; i < drover_value_count(steps); i++) {
        const struct drover_value *step = drover_value_at(steps, i);
        (void)text_of(step, "why", why);
        fprintf(out, "%-*s  %s%s%s\n", ACTION_WIDTH, text_of(step, "action", action), text_of(step, "service", service),
                why[0] != '\0' ? ": " : "", why);
    }
}

static bool is_moving(const char *rollout)
{
    return strcmp(rollout, "serving") != 0 && strcmp(rollout, "probation") != 0;
}

void steps_show_progress(struct progress *progress, const struct drover_value *change)
{
    const struct drover_value *services = drover_value_get(change, "services");
    char line[PROGRESS_LINE_SIZE] = "", name[TEXT_SIZE], rollout[TEXT_SIZE], doing[TEXT_SIZE];
    size_t used = 0;

    for (size_t i = 0; i < drover_value_count(services) && used < sizeof(line); i++) {
        const struct drover_value *service = drover_value_at(services, i);
        (void)text_of(service, "progress", doing);
        if (!is_moving(text_of(service, "rollout", rollout)))
            continue;
        const int size = snprintf(line + used, sizeof(line) - used, "%s%s: %s", used > 0 ? ", " : "",
                                  text_of(service, "name", name), doing[0] != '\0' ? doing : rollout);
        used += size > 0 ? (size_t)size : 0;
    }
    progress_now(progress, line);
}

void steps_print_failure(FILE *out, const struct drover_value *change)
{
    char state[TEXT_SIZE], service[TEXT_SIZE], reason[TEXT_SIZE];

    (void)text_of(change, "reason", reason);
    (void)text_of(change, "service", service);
    (void)text_of(change, "state", state);
    fprintf(out, "the change is %s", state[0] != '\0' ? state : "under way");
    if (service[0] != '\0')
        fprintf(out, " because of service '%s'", service);
    fprintf(out, "%s%s\n", reason[0] != '\0' ? ": " : "", reason);
}

void steps_print_json(const struct drover_value *answer)
{
    json_write(stdout, answer, JSON_ONE_LINE);
    putchar('\n');
}
