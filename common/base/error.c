/* error.c - status codes and errors with text (drover/status.h) */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <drover/status.h>

static const char *const status_names[DROVER_STATUS_END] = {
#define DROVER_STATUS(NAME, number, meaning) [number] = #NAME,
#include <drover/status.def>
#undef DROVER_STATUS
};

static const char *const outcome_names[DROVER_OUTCOME_END] = {
    [DROVER_OUTCOME_ANSWERED] = "answered",
    [DROVER_OUTCOME_NOT_STARTED] = "not started",
    [DROVER_OUTCOME_UNKNOWN] = "unknown",
};

static const char *const origin_names[DROVER_ORIGIN_END] = {
    [DROVER_ORIGIN_CLIENT] = "client",
    [DROVER_ORIGIN_BROKER] = "broker",
    [DROVER_ORIGIN_HOST] = "host",
    [DROVER_ORIGIN_DRIVER] = "driver",
};

enum drover_status drover_error_set(struct drover_error *error, enum drover_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    error->status = status;
    return status;
}

const char *drover_status_name(enum drover_status status)
{
    return (unsigned)status < DROVER_STATUS_END ? status_names[status] : status_names[DROVER_UNKNOWN];
}

int drover_status_parse(const char *name, enum drover_status *ret_status)
{
    for (unsigned i = 0; i < DROVER_STATUS_END; i++) {
        if (strcmp(name, status_names[i]) == 0) {
            *ret_status = (enum drover_status)i;
            return 0;
        }
    }
    return -1;
}

const char *drover_outcome_name(enum drover_outcome outcome)
{
    return (unsigned)outcome < DROVER_OUTCOME_END ? outcome_names[outcome] : outcome_names[DROVER_OUTCOME_UNKNOWN];
}

const char *drover_origin_name(enum drover_origin origin)
{
    return (unsigned)origin < DROVER_ORIGIN_END ? origin_names[origin] : "unknown";
}
