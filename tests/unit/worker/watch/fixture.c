/* fixture.c - a temporary folder that is watched, real changes in it, and a clock that the test moves */
#include "fixture.h"

#include <dirent.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture fixture;

static void format_into(char *buffer, size_t size, const char *format, va_list arguments)
{
    const int used = vsnprintf(buffer, size, format, arguments);
    cr_assert(used >= 0 && (size_t)used < size);
}

void fixture_set_up(void)
{
    char name[] = "/tmp/drover-watch-XXXXXX";
    memset(&fixture, 0, sizeof(fixture));
    cr_assert_not_null(mkdtemp(name));
    cr_assert_not_null(realpath(name, fixture.folder));
    fixture.now_ms = 1000000;
}

void fixture_tear_down(void)
{
    fixture.watch = watch_free(fixture.watch);
    run("chmod -R u+rwx . && find . -mindepth 1 -delete");
    cr_expect_eq(rmdir(fixture.folder), 0);
}

void skip(const char *why)
{
    fixture_tear_down();
    cr_skip_test("%s", why);
    abort();
}

void start(const struct watch_options *options)
{
    const struct watch_options none = {0};
    cr_assert_eq(watch_new(options != NULL ? options : &none, &fixture.watch, &fixture.error), DROVER_OK, "%s",
                 fixture.error.text);
}

const char *at(const char *format, ...)
{
    static char buffers[4][4096];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    const int size = snprintf(buffer, sizeof(buffers[0]), "%s/", fixture.folder);
    va_list arguments;
    va_start(arguments, format);
    format_into(buffer + size, sizeof(buffers[0]) - (size_t)size, format, arguments);
    va_end(arguments);
    return buffer;
}

void add(uint64_t id, enum watch_kind kind, const char *path, uint64_t debounce_ms)
{
    const struct watch_subject subject = {id, kind, at("%s", path), debounce_ms};
    cr_assert_eq(watch_add(fixture.watch, &subject, fixture.now_ms, &fixture.error), DROVER_OK, "%s",
                 fixture.error.text);
}

void run(const char *format, ...)
{
    char command[4096], line[8192];
    va_list arguments;
    va_start(arguments, format);
    format_into(command, sizeof(command), format, arguments);
    va_end(arguments);
    const int used = snprintf(line, sizeof(line), "cd '%s' && { %s\n}", fixture.folder, command);
    cr_assert(used > 0 && (size_t)used < sizeof(line));
    const int status = system(line);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", command, status);
}

static bool has_events(void)
{
    struct pollfd poll_fd = {.fd = watch_fd(fixture.watch), .events = POLLIN};
    return poll(&poll_fd, 1, 0) > 0;
}

static void step(void)
{
    uint64_t id;
    watch_step(fixture.watch, fixture.now_ms);
    while (watch_next(fixture.watch, &id)) {
        cr_assert_lt(id, IDS_MAX);
        fixture.told[id]++;
    }
}

void pass(uint64_t ms)
{
    const uint64_t end_ms = fixture.now_ms + ms;
    memset(fixture.told, 0, sizeof(fixture.told));
    for (unsigned turns = 0;; turns++) {
        cr_assert_lt(turns, 100000, "steps lead nowhere");
        step();
        if (has_events())
            continue;
        const uint64_t due_ms = watch_deadline_ms(fixture.watch);
        if (due_ms > end_ms)
            break;
        if (due_ms > fixture.now_ms)
            fixture.now_ms = due_ms;
    }
    fixture.now_ms = end_ms;
}

unsigned told_within(uint64_t id, uint64_t ms)
{
    pass(ms);
    return fixture.told[id];
}

void expect_none(const char *what)
{
    pass(LATER_MS);
    for (uint64_t id = 0; id < IDS_MAX; id++)
        cr_expect_eq(fixture.told[id], 0, "%s: %u notices for %lu", what, fixture.told[id], (unsigned long)id);
}

void expect_one(uint64_t id, uint64_t ms, const char *what)
{
    pass(ms);
    for (uint64_t other = 0; other < IDS_MAX; other++)
        cr_expect_eq(fixture.told[other], other == id, "%s: %u notices for %lu", what, fixture.told[other],
                     (unsigned long)other);
    expect_none(what);
}

unsigned count_watches(void)
{
    char path[300], line[256];
    unsigned count = 0;
    DIR *stream = opendir("/proc/self/fdinfo");
    cr_assert_not_null(stream);
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(path, "re") : NULL;
        while (file != NULL && fgets(line, sizeof(line), file) != NULL)
            count += strncmp(line, "inotify wd:", 11) == 0;
        if (file != NULL)
            (void)fclose(file);
    }
    closedir(stream);
    return count;
}

unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *stream = opendir("/proc/self/fd");
    cr_assert_not_null(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count;
}
