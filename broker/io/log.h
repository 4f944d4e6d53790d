/* log.h - the broker's own log: lines on standard error, as text or as JSON
 *
 * Any thread; a line is one write.
 */
#ifndef DROVER_IO_LOG_H
#define DROVER_IO_LOG_H

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
};

/* Called once, before there are threads. */
void log_setup(enum log_level level, bool json);

/* "debug", "info", "warning", "error"; false when `name` is none of them. */
bool log_level_parse(const char *name, enum log_level *ret_level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
