/* report.c - collects mistakes and lists them by line */
#include "common/config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

struct mistake {
    struct place place;
    size_t order; /* in which it was found: keeps the sorting stable */
    char *text;
};

static bool make_room(struct report *report)
{
    if (report->count < report->capacity)
        return true;
    size_t capacity = report->capacity ? report->capacity * 2 : 8;
    struct mistake *items = realloc(report->items, capacity * sizeof *items);
    if (!items)
        return false;
    report->items = items;
    report->capacity = capacity;
    return true;
}

void report_mistake(struct report *report, struct place place, const char *format, ...)
{
    if (report->count == CONFIG_MESSAGES_MAX) {
        report->unlisted++;
        return;
    }
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0 || !make_room(report)) {
        if (length >= 0)
            free(text);
        report->no_memory = true;
        return;
    }
    report->items[report->count] = (struct mistake){.place = place, .order = report->count, .text = text};
    report->count++;
}

void report_pass_over(struct report *report)
{
    report->passed_over++;
}

bool report_is_clean(const struct report *report)
{
    return report->count + report->unlisted == report->passed_over && !report->no_memory;
}

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_mistakes(const void *a, const void *b)
{
    const struct mistake *left = a, *right = b;
    if (left->place.line != right->place.line)
        return compare(left->place.line, right->place.line);
    if (left->place.column != right->place.column)
        return compare(left->place.column, right->place.column);
    return compare(left->order, right->order);
}

/* Put a line at the end; takes `line`, which may be NULL for want of memory. */
static void append_line(struct report *report, struct config_messages *messages, char *line)
{
    if (line)
        messages->lines[messages->count++] = line;
    else
        report->no_memory = true;
}

void report_list(struct report *report, const char *path, struct config_messages *ret_messages)
{
    *ret_messages = (struct config_messages){0};
    if (report->count == 0)
        return;
    ret_messages->lines = calloc(report->count + 1, sizeof *ret_messages->lines);
    if (!ret_messages->lines) {
        report->no_memory = true;
        return;
    }
    qsort(report->items, report->count, sizeof *report->items, compare_mistakes);
    for (size_t i = 0; i < report->count; i++) {
        const struct mistake *item = &report->items[i];
        append_line(report, ret_messages,
                    text_format("%s:%u:%u: %s", path, item->place.line, item->place.column, item->text));
    }
    if (report->unlisted)
        append_line(report, ret_messages, text_format("%s: %zu more mistakes are not listed", path, report->unlisted));
}

void report_done(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->items[i].text);
    free(report->items);
    *report = (struct report){0};
}

const char *report_cut(const char *data, size_t size, char *buffer, size_t capacity)
{
    text_printable(data, size, buffer, capacity);
    if (size < capacity || strlen(buffer) < 4)
        return buffer;
    size_t end = strlen(buffer) - 3;
    while (end > 0 && ((unsigned char)buffer[end] & 0xC0) == 0x80) /* not in the middle of a character */
        end--;
    memcpy(buffer + end, "...", 4);
    return buffer;
}

const char *report_quote(const char *data, size_t size, char *buffer)
{
    return report_cut(data, size, buffer, REPORT_QUOTE_SIZE);
}

void config_messages_done(struct config_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        free(messages->lines[i]);
    free(messages->lines);
    *messages = (struct config_messages){0};
}
