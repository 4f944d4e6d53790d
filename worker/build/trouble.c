/* trouble.c - errors of system calls (trouble.h) */
#include "worker/build/trouble.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum drover_status status_of(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return DROVER_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return DROVER_PERMISSION_DENIED;
    case ELOOP: /* O_NOFOLLOW met a link */
        return DROVER_FAILED_PRECONDITION;
    case ENOMEM:
    case EAGAIN: /* of fork() */
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
        return DROVER_RESOURCE_EXHAUSTED;
    default:
        return DROVER_INTERNAL;
    }
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
