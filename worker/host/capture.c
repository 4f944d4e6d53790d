/* capture.c - what workers print, by line
 *
 * Invariant: serials increase along the ring, so that both searches may stop at the first hit.
 */
#include "worker/host/capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

static struct capture_line *line_at(struct capture_log *log, unsigned index)
{
    return &log->lines[(log->first + index) % CAPTURE_LINES_KEPT];
}

static const struct capture_line *const_line_at(const struct capture_log *log, unsigned index)
{
    return &log->lines[(log->first + index) % CAPTURE_LINES_KEPT];
}

static void keep(struct capture_log *log, const struct capture_origin *origin, const char *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        log->dropped++;
        return;
    }
    (void)text_printable(data, size, text, size + 1);

    if (log->count == CAPTURE_LINES_KEPT) {
        free(line_at(log, 0)->text);
        log->first = (log->first + 1) % CAPTURE_LINES_KEPT;
        log->count--;
    }
    *line_at(log, log->count++) = (struct capture_line){
        .serial = (*origin->next_serial)++,
        .wall_ms = origin->wall_ms,
        .pid = origin->pid,
        .source = origin->source,
        .text = text,
    };
}

static void tell_dropped(struct capture_log *log, const struct capture_origin *origin)
{
    char text[64];
    if (log->dropped == 0)
        return;
    const uint64_t dropped = log->dropped;
    log->dropped = 0;
    const int size = snprintf(text, sizeof(text), "%" PRIu64 " line%s dropped", dropped, dropped == 1 ? "" : "s");
    keep(log, origin, text, (size_t)size);
}

static void put_line(struct capture_log *log, const struct capture_origin *origin, const char *data, size_t size)
{
    const uint64_t second = origin->wall_ms / 1000;
    if (second != log->second) {
        log->second = second;
        log->written = 0;
    }
    if (log->written >= CAPTURE_LINES_PER_SECOND) {
        log->dropped++;
        return;
    }
    tell_dropped(log, origin);
    log->written++;
    keep(log, origin, data, size);
}

static void end_line(struct capture_stream *stream, struct capture_log *log, const struct capture_origin *origin)
{
    size_t size = stream->size;
    if (!stream->too_long && size > 0 && stream->line[size - 1] == '\r')
        size--;
    put_line(log, origin, stream->line, size);
    stream->size = 0;
    stream->open = false;
    stream->too_long = false;
}

static void append(struct capture_stream *stream, const char *data, size_t size)
{
    const size_t room = CAPTURE_LINE_MAX - stream->size;
    if (size > room) {
        size = room;
        stream->too_long = true;
    }
    memcpy(stream->line + stream->size, data, size);
    stream->size += size;
    stream->open = true;
}

void capture_feed(struct capture_stream *stream, struct capture_log *log, const struct capture_origin *origin,
                  const char *data, size_t size)
{
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        const size_t part = end != NULL ? (size_t)(end - data) : size;
        append(stream, data, part);
        if (end == NULL)
            return;
        end_line(stream, log, origin);
        data += part + 1;
        size -= part + 1;
    }
}

void capture_finish(struct capture_stream *stream, struct capture_log *log, const struct capture_origin *origin)
{
    if (stream->open)
        end_line(stream, log, origin);
    tell_dropped(log, origin);
}

const struct capture_line *capture_next(const struct capture_log *log, uint64_t after)
{
    for (unsigned i = 0; i < log->count; i++) {
        const struct capture_line *line = const_line_at(log, i);
        if (line->serial > after)
            return line;
    }
    return NULL;
}

const struct capture_line *capture_previous(const struct capture_log *log, uint64_t before)
{
    for (unsigned i = log->count; i > 0; i--) {
        const struct capture_line *line = const_line_at(log, i - 1);
        if (line->serial < before)
            return line;
    }
    return NULL;
}

const char *capture_last_error(const struct capture_log *log, int64_t pid)
{
    for (unsigned i = log->count; i > 0; i--) {
        const struct capture_line *line = const_line_at(log, i - 1);
        if (line->pid == pid && line->source == CAPTURE_STDERR && line->text[0] != '\0')
            return line->text;
    }
    return "";
}

void capture_log_done(struct capture_log *log)
{
    for (unsigned i = 0; i < log->count; i++)
        free(line_at(log, i)->text);
    log->first = 0;
    log->count = 0;
}

const char *capture_source_name(enum capture_source source)
{
    return source == CAPTURE_STDOUT ? "stdout" : "stderr";
}
