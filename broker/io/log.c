/* log.c - see log.h */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/io/log.h"
#include "common/sys/sys.h"

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static enum log_level least = LOG_LEVEL_INFO;
static bool as_json;

void log_setup(enum log_level level, bool json)
{
    least = level;
    as_json = json;
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void stamp(char *buffer, size_t size)
{
    const uint64_t wall_ms = sys_wall_ms();
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    const size_t length = strftime(buffer, size, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(buffer + length, size - length, ".%03uZ", (unsigned)(wall_ms % 1000));
}

static char *json_line(const char *when, enum log_level level, const char *text)
{
    json_t *line = json_pack("{s:s, s:s, s:s+}", "time", when, "level", level_names[level], "message", text, "");
    if (line == NULL)
        line = json_pack("{s:s, s:s, s:s}", "time", when, "level", level_names[level], "message",
                         "(a message that is not UTF-8)");
    char *dump = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    return dump;
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level < least)
        return;
    char text[1024];
    char when[40];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    stamp(when, sizeof(when));
    char *json = as_json ? json_line(when, level, text) : NULL;
    if (json != NULL)
        dprintf(STDERR_FILENO, "%s\n", json);
    else
        dprintf(STDERR_FILENO, "%s %-7s %s\n", when, level_names[level], text);
    free(json);
}
