/* watch.c - all subjects, and the descriptor that they share */
#include "worker/watch/watch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "worker/watch/subject.h"

#define FOLDERS_MAX 4096
#define POLL_MS 1500
#define SWEEP_MS 30000

struct watch {
    struct folders folders;
    struct subject_rules rules;
    struct subject *subjects;
};

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "watching files: no memory or no descriptor is left");
}

enum drover_status watch_new(const struct watch_options *options, struct watch **ret_watch, struct drover_error *error)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return no_memory(error);
    folders_init(&watch->folders, options->watches_max != 0 ? options->watches_max : SIZE_MAX,
                 !options->without_events);
    watch->rules.folders = &watch->folders;
    watch->rules.watched_max = options->folders_max != 0 ? options->folders_max : FOLDERS_MAX;
    watch->rules.poll_ms = options->poll_ms != 0 ? options->poll_ms : POLL_MS;
    watch->rules.sweep_ms = options->sweep_ms != 0 ? options->sweep_ms : SWEEP_MS;
    if (!skip_init(&watch->rules.skip, options->skip_names, options->skip_name_count, options->skip_paths,
                   options->skip_path_count)) {
        (void)watch_free(watch);
        return no_memory(error);
    }
    *ret_watch = watch;
    return DROVER_OK;
}

struct watch *watch_free(struct watch *watch)
{
    if (watch == NULL)
        return NULL;
    struct subject *subject, *next;
    DL_FOREACH_SAFE (watch->subjects, subject, next) {
        DL_DELETE(watch->subjects, subject);
        (void)subject_free(subject);
    }
    folders_done(&watch->folders);
    skip_done(&watch->rules.skip);
    free(watch);
    return NULL;
}

static struct subject *find(const struct watch *watch, uint64_t id)
{
    struct subject *subject;
    DL_FOREACH (watch->subjects, subject) {
        if (subject->id == id)
            return subject;
    }
    return NULL;
}

enum drover_status watch_add(struct watch *watch, const struct watch_subject *what, uint64_t now_ms,
                             struct drover_error *error)
{
    if (what->path[0] != '/' || strlen(what->path) >= PATH_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "path '%.100s' is not absolute, or too long to be watched", what->path);
    if (find(watch, what->id) != NULL)
        return drover_error_set(error, DROVER_ALREADY_EXISTS, "path '%.100s': its number is that of another subject",
                                what->path);
    struct subject *subject = subject_new(&watch->rules, what, now_ms);
    if (subject == NULL)
        return no_memory(error);
    DL_APPEND(watch->subjects, subject);
    return DROVER_OK;
}

void watch_remove(struct watch *watch, uint64_t id)
{
    struct subject *subject = find(watch, id);
    if (subject == NULL)
        return;
    DL_DELETE(watch->subjects, subject);
    (void)subject_free(subject);
}

int watch_fd(const struct watch *watch)
{
    return watch->folders.fd;
}

uint64_t watch_deadline_ms(const struct watch *watch)
{
    const struct subject *subject;
    uint64_t due_ms = UINT64_MAX;
    DL_FOREACH (watch->subjects, subject) {
        const uint64_t its_ms = subject_deadline_ms(subject);
        due_ms = its_ms < due_ms ? its_ms : due_ms;
    }
    return due_ms;
}

/* The place at hand stays while the list is walked through: what is given up is only in folders below it, and the way
 * to a subject is walked later. */
static void hand_out(struct watch *watch, const struct folder_event *event, uint64_t now_ms)
{
    struct place *place;
    struct subject *subject;
    if (event->folder == NULL) {
        DL_FOREACH (watch->subjects, subject) {
            subject_lost_events(subject, now_ms);
        }
        return;
    }
    DL_FOREACH (event->folder->places, place) {
        subject_event(place->subject, place, event, now_ms);
    }
}

void watch_step(struct watch *watch, uint64_t now_ms)
{
    struct folder_event event;
    struct subject *subject;
    folders_rewind(&watch->folders);
    while (folders_next(&watch->folders, &event))
        hand_out(watch, &event, now_ms);
    DL_FOREACH (watch->subjects, subject) {
        subject_step(subject, now_ms);
    }
}

bool watch_next(struct watch *watch, uint64_t *ret_id)
{
    struct subject *subject;
    DL_FOREACH (watch->subjects, subject) {
        if (!subject->is_ready)
            continue;
        subject->is_ready = false;
        *ret_id = subject->id;
        return true;
    }
    return false;
}

const char *watch_report(struct watch *watch, uint64_t id)
{
    struct subject *subject = find(watch, id);
    return subject != NULL ? subject_report(subject) : NULL;
}
