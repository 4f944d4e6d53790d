/* trouble.c - errors of system calls (trouble.h) */
#include "worker/build/trouble.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/sys/sys.h"

/* What a build meets besides: a link where O_NOFOLLOW stands, a fork() that is refused. */
static enum drover_status status_of(int code)
{
    if (code == ELOOP)
        return DROVER_FAILED_PRECONDITION;
    return code == EAGAIN ? DROVER_RESOURCE_EXHAUSTED : sys_status_of(code);
}

enum drover_status trouble_errno(struct drover_error *error, int code, const char *format, ...)
{
    char what[DROVER_ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    const char *why = strerrordesc_np(code);
    if (!why)
        return drover_error_set(error, status_of(code), "%s: error %d", what, code);
    return drover_error_set(error, status_of(code), "%s: %c%s", what, tolower((unsigned char)why[0]), why + 1);
}
