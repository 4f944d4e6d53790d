/* layers.c - see layers.h */
#include "worker/launch/layers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define CLOSING_ROOM 8 /* for the brackets that end a report */
#define PATH_SHOWN 512

static const struct {
    const char *name;
    bool insisted;
    const char *word;
} table[LAYERS] = {
#define LAYER(NAME, name, insisted, word) [LAYER_##NAME] = {name, insisted, word},
#include "worker/launch/layers.def"
#undef LAYER
};

void layers_note(struct layers *layers, enum layer layer, enum layer_state state, const char *format, ...)
{
    va_list arguments;

    layers->of[layer].state = state;
    va_start(arguments, format);
    (void)vsnprintf(layers->of[layer].text, LAYER_TEXT_SIZE, format, arguments);
    va_end(arguments);
}

void layers_note_failure(struct layers *layers, enum layer layer, const char *what)
{
    const int code = errno;

    layers_note(layers, layer, LAYER_MISSING, "%s: %s", what, strerror(code));
    errno = code;
}

void layers_note_absent(struct layers *layers, const char *path)
{
    if (layers->absent_count < LAYERS_ABSENT_MAX)
        layers->absent[layers->absent_count++] = path;
}

enum drover_status layers_check(const struct layers *layers, enum sandbox_policy policy, struct drover_error *error)
{
    char missing[DROVER_ERROR_TEXT_SIZE] = "";
    size_t used = 0;

    for (int i = 0; policy == SANDBOX_REQUIRED && i < LAYERS; i++) {
        if (!table[i].insisted || layers->of[i].state != LAYER_MISSING || used >= sizeof(missing))
            continue;
        const int more = snprintf(missing + used, sizeof(missing) - used, "%s%s (%s)", used > 0 ? ", " : "",
                                  table[i].name, layers->of[i].text);
        used += more > 0 ? (size_t)more : 0;
    }
    if (used == 0)
        return DROVER_OK;
    return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                            "the sandbox is required, but does not hold here: %.300s; 'best-effort' does without",
                            missing);
}

/* A line that grows; what does not fit leaves it as it was. */
struct line {
    char *text;
    size_t used, capacity;
};

static bool put(struct line *line, const char *text)
{
    const size_t size = strlen(text);

    if (size >= line->capacity - line->used)
        return false;
    memcpy(line->text + line->used, text, size + 1);
    line->used += size;
    return true;
}

/* A JSON string: what is not printable becomes '?'. */
static bool put_string(struct line *line, const char *text)
{
    char printable[PATH_SHOWN], quoted[2 * PATH_SHOWN + 3];
    size_t used = 0;

    text_printable(text, strlen(text), printable, sizeof(printable));
    quoted[used++] = '"';
    for (const char *at = printable; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            quoted[used++] = '\\';
        quoted[used++] = *at;
    }
    quoted[used++] = '"';
    quoted[used] = '\0';
    return put(line, quoted);
}

/* All the layers of a state as a JSON object; they always fit. */
static void put_layers(struct line *line, const struct layers *layers, enum layer_state state)
{
    const char *before = "{";

    for (int i = 0; i < LAYERS; i++) {
        if (layers->of[i].state != state)
            continue;
        put(line, before);
        put_string(line, table[i].name);
        put(line, ":");
        put_string(line, layers->of[i].text);
        before = ",";
    }
    put(line, before[0] == '{' ? "{}" : "}");
}

static void put_absent(struct line *line, const struct layers *layers)
{
    const char *before = "";

    put(line, "[");
    line->capacity -= CLOSING_ROOM;
    for (size_t i = 0; i < layers->absent_count; i++) {
        const size_t mark = line->used;
        if (!put(line, before) || !put_string(line, layers->absent[i])) {
            line->used = mark;
            break;
        }
        before = ",";
    }
    line->capacity += CLOSING_ROOM;
    put(line, "]");
}

/* Is this the first layer of its word that holds? */
static bool brings_word(const struct layers *layers, int layer)
{
    if (layers->of[layer].state != LAYER_HELD)
        return false;
    for (int i = 0; i < layer; i++)
        if (layers->of[i].state == LAYER_HELD && strcmp(table[i].word, table[layer].word) == 0)
            return false;
    return true;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through `line` */
void layers_summarise(const struct layers *layers, enum sandbox_policy policy, char ret_text[LAYERS_SUMMARY_SIZE])
{
    struct line line = {.text = ret_text, .capacity = LAYERS_SUMMARY_SIZE};
    const char *before = ", without ";

    ret_text[0] = '\0';
    if (policy == SANDBOX_OFF) {
        put(&line, sandbox_policy_name(policy));
        return;
    }
    for (int i = 0; i < LAYERS; i++) {
        if (!brings_word(layers, i))
            continue;
        put(&line, line.used > 0 ? " " : "");
        put(&line, table[i].word);
    }
    for (int i = 0; i < LAYERS; i++) {
        if (layers->of[i].state != LAYER_MISSING || !put(&line, before))
            continue;
        put(&line, table[i].name);
        before = ", ";
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through `line` */
size_t layers_report(const struct layers *layers, enum sandbox_policy policy, char ret_line[LAYERS_REPORT_SIZE])
{
    static const char *const titles[LAYER_STATES] = {
        [LAYER_HELD] = "held", [LAYER_MISSING] = "missing", [LAYER_LEFT_OUT] = "left_out"};
    struct line line = {.text = ret_line, .capacity = LAYERS_REPORT_SIZE};
    char abi[32], summary[LAYERS_SUMMARY_SIZE];

    layers_summarise(layers, policy, summary);
    put(&line, "{\"summary\":");
    put_string(&line, summary);
    put(&line, ",\"policy\":");
    put_string(&line, sandbox_policy_name(policy));
    (void)snprintf(abi, sizeof(abi), ",\"landlock_abi\":%u", layers->landlock_abi);
    put(&line, abi);
    for (int state = LAYER_HELD; state < LAYER_STATES; state++) {
        put(&line, ",");
        put_string(&line, titles[state]);
        put(&line, ":");
        put_layers(&line, layers, (enum layer_state)state);
    }
    put(&line, ",\"absent\":");
    put_absent(&line, layers);
    put(&line, "}\n");
    return line.used;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as above */
size_t layers_report_error(enum drover_status status, const char *text, char ret_line[LAYERS_REPORT_SIZE])
{
    struct line line = {.text = ret_line, .capacity = LAYERS_REPORT_SIZE};

    put(&line, "{\"status\":");
    put_string(&line, drover_status_name(status));
    put(&line, ",\"error\":");
    put_string(&line, text);
    put(&line, "}\n");
    return line.used;
}
