/* log.c - the log of a build (log.h)
 *
 * OPERATION: octets become lines; a line longer than the limit is cut, the rest of it dropped. Each line has a rank as
 * an explanation, and the first of the highest rank is the reason.
 */
#include "worker/build/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "worker/build/trouble.h"

#define REASON_MAX 400

enum rank {
    RANK_NOTHING,
    RANK_LAST,    /* whatever came last */
    RANK_MAKE,    /* make says that a command failed */
    RANK_ERROR,   /* somebody speaks of an error */
    RANK_LINKER,  /* undefined reference, cannot find -l... */
    RANK_LOCATED, /* file:line[:column]: error: ... */
};

struct build_log {
    FILE *file;
    char *root;
    size_t root_size;
    void (*line)(const char *line, void *context);
    void *context;
    size_t bytes; /* of output */
    int failed;   /* errno of the first write that failed */
    enum rank rank;
    char reason[REASON_MAX];
    char cmake_place[REASON_MAX]; /* "CMakeLists.txt:3", while the text is waited for */
    size_t used;                  /* of `text` */
    char text[LOG_LINE_MAX + 1];
    char shown[LOG_LINE_MAX + 1];
};

enum drover_status build_log_new(const char *path, const char *root, void (*line)(const char *line, void *context),
                                 void *context, struct build_log **ret, struct drover_error *error)
{
    struct build_log *log = calloc(1, sizeof(*log));
    if (!log)
        return trouble_memory(error);
    log->root = strdup(root);
    log->root_size = strlen(root);
    log->line = line;
    log->context = context;
    log->file = fopen(path, "wxe");
    if (log->root && log->file) {
        *ret = log;
        return DROVER_OK;
    }
    const int code = errno;
    build_log_free(log);
    return trouble_errno(error, code, "log '%s'", path);
}

struct build_log *build_log_free(struct build_log *log)
{
    if (!log)
        return NULL;
    if (log->file)
        (void)fclose(log->file);
    free(log->root);
    free(log);
    return NULL;
}

enum drover_status build_log_end(struct build_log *log, struct drover_error *error)
{
    build_log_break(log);
    errno = 0;
    if (fclose(log->file) != 0 && log->failed == 0)
        log->failed = errno ? errno : EIO;
    log->file = NULL;
    return log->failed == 0 ? DROVER_OK : trouble_errno(error, log->failed, "the log of the build");
}

/* --- why -----------------------------------------------------------------------------------------------------------
 */

/* Does `line` begin with FILE:LINE? `*ret_behind` is what follows. */
static bool is_located(const char *line, const char **ret_behind)
{
    for (const char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
        const size_t digits = strspn(colon + 1, "0123456789");
        if (colon > line && digits > 0 && (colon[1 + digits] == ':' || colon[1 + digits] == ' ')) {
            *ret_behind = colon + 1 + digits;
            return true;
        }
    }
    return false;
}

static enum rank rank_of(const char *line)
{
    const char *behind;
    if (is_located(line, &behind) && (strstr(behind, " error:") || strstr(behind, " fatal error:") ||
                                      strstr(behind, " Error:") || strstr(behind, "*** ")))
        return RANK_LOCATED;
    if (strstr(line, "undefined reference") || strstr(line, "cannot find -l") || strstr(line, "multiple definition"))
        return RANK_LINKER;
    if (strncmp(line, "make", 4) == 0 || strncmp(line, "gmake", 5) == 0 || strncmp(line, "ninja: ", 7) == 0 ||
        strstr(line, "ld returned 1 exit status"))
        return RANK_MAKE;
    if (strcasestr(line, "error"))
        return RANK_ERROR;
    return *line ? RANK_LAST : RANK_NOTHING;
}

static void consider(struct build_log *log, enum rank rank, const char *format, ...) DROVER_PRINTF(3, 4);

static void consider(struct build_log *log, enum rank rank, const char *format, ...)
{
    if (rank < log->rank || (rank == log->rank && rank != RANK_LAST))
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(log->reason, sizeof(log->reason), format, arguments);
    va_end(arguments);
    log->rank = rank;
}

/* CMake puts the place into one line, the text into the next that is not empty. True when `line` was one of them. */
static bool consider_cmake(struct build_log *log, const char *line)
{
    static const char start[] = "CMake Error at ";
    const char *text = line + strspn(line, " ");
    if (strncmp(line, start, sizeof(start) - 1) == 0) {
        const char *place = line + sizeof(start) - 1;
        (void)snprintf(log->cmake_place, sizeof(log->cmake_place), "%.*s", (int)strcspn(place, " "), place);
        return true;
    }
    if (log->cmake_place[0] == '\0' || *text == '\0')
        return false;
    const size_t size = strlen(log->cmake_place);
    consider(log, RANK_LOCATED, "%.160s%s error: %.200s", log->cmake_place,
             log->cmake_place[size - 1] == ':' ? "" : ":", text);
    log->cmake_place[0] = '\0';
    return true;
}

/* make says which command failed; the line before it, as a rule, why. */
static void consider_line(struct build_log *log, const char *line)
{
    char before[REASON_MAX];
    const enum rank rank = rank_of(line);
    if (rank == RANK_MAKE && log->rank == RANK_LAST) {
        memcpy(before, log->reason, sizeof(before));
        consider(log, rank, "%.250s (%.120s)", before, line);
    } else {
        consider(log, rank, "%s", line);
    }
}

/* --- lines ---------------------------------------------------------------------------------------------------------
 */

/* Each "<root>/source/" and "<root>/". */
void build_log_cut(const struct build_log *log, char *text)
{
    static const char source[] = "/source/";
    for (char *at = text; (at = strstr(at, log->root)) != NULL;) {
        const char *behind = at + log->root_size;
        if (strncmp(behind, source, sizeof(source) - 1) == 0)
            behind += sizeof(source) - 1;
        else if (*behind == '/')
            behind++;
        else if (isalnum((unsigned char)*behind)) { /* another folder */
            at++;
            continue;
        }
        memmove(at, behind, strlen(behind) + 1);
    }
}

static void write_line(struct build_log *log, const char *line)
{
    errno = 0;
    if (log->failed == 0 && fprintf(log->file, "%s\n", line) < 0)
        log->failed = errno ? errno : EIO;
    if (log->line)
        log->line(line, log->context);
}

static void end_line(struct build_log *log)
{
    text_printable(log->text, log->used, log->shown, sizeof(log->shown));
    log->used = 0;
    build_log_cut(log, log->shown);
    if (!consider_cmake(log, log->shown))
        consider_line(log, log->shown);
    write_line(log, log->shown);
}

bool build_log_feed(struct build_log *log, const char *data, size_t size)
{
    for (size_t i = 0; i < size && log->bytes < LOG_BYTES_MAX; i++, log->bytes++) {
        if (data[i] == '\n') {
            end_line(log);
        } else if (log->used < LOG_LINE_MAX) {
            log->text[log->used] = data[i];
            if (data[i] == '\t')
                log->text[log->used] = ' ';
            log->used++;
        }
    }
    return log->bytes < LOG_BYTES_MAX;
}

void build_log_break(struct build_log *log)
{
    if (log->used > 0)
        end_line(log);
}

void build_log_say(struct build_log *log, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    build_log_break(log);
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    text_printable(line, strlen(line), log->shown, sizeof(log->shown));
    build_log_cut(log, log->shown);
    write_line(log, log->shown);
}

const char *build_log_reason(const struct build_log *log)
{
    return log->reason;
}
