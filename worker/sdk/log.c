/* log.c - drover_log(): a worker's log is its standard error, which its host captures line by line */
#include <stdarg.h>
#include <stdio.h>

#include <drover/worker.h>

#define LINE_SIZE 4096

static const char *const words[] = {
    [DROVER_LOG_DEBUG] = "debug",
    [DROVER_LOG_INFO] = "info",
    [DROVER_LOG_WARNING] = "warning",
    [DROVER_LOG_ERROR] = "error",
};

void drover_log(enum drover_log_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    for (char *at = line; *at; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
    /* One call, so that lines of several threads do not mix. */
    fprintf(stderr, "%s: %s\n", (unsigned)level <= DROVER_LOG_ERROR ? words[level] : "error", line);
}
