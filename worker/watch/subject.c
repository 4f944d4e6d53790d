/* subject.c - one file or tree that is watched */
#include "worker/watch/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/watch/print.h"

#define PASS_ENTRIES 2048 /* read in one step: there are other things to do */
#define ENTRIES_A_MS 10   /* a pass over more of them is made less often, so that polling stays cheap */
#define GRAIN_MS 20       /* two changes nearer to each other may leave the same times in an inode */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool needs_polling(const struct subject *subject)
{
    return subject->trouble != 0 || subject->blind != NULL || subject->has_failed || tree_is_polled(&subject->tree);
}

/* Reading it */

static void changed(struct subject *subject, uint64_t now_ms)
{
    debounce_event(&subject->debounce, now_ms);
    subject->confirmed = false;
}

/* A file is written to from its creation until it is closed, unless it came by a link. */
static void hold_while_written(struct subject *subject, const struct chain_end *end)
{
    const struct link *last = subject->chain.links;
    bool held = subject->created != 0 && subject->present && end->about.st_nlink == 1 && last != NULL;
    if (held) {
        const uint64_t print = print_number(PRINT_START, (uintptr_t)last->place.folder);
        held = print_text(print, last->name) == subject->created;
    }
    debounce_hold(&subject->debounce, held);
    if (!held)
        subject->created = 0;
}

/* Read the tree where the way leads, unless it is the one that is known. */
static bool build(struct subject *subject, const struct chain_end *end)
{
    struct tree *tree = &subject->tree;
    if (!subject->present) {
        tree_clear(tree);
        return true;
    }
    const bool is_known = tree->root != NULL && strcmp(tree->path, strcmp(end->path, "/") == 0 ? "" : end->path) == 0 &&
                          tree_node_is(tree->root, &end->about);
    return (is_known && !subject->must_build) || tree_build(tree, end->path);
}

static void look(struct subject *subject)
{
    if (subject->kind == WATCH_TREE)
        subject->seen = print_number(subject->way, subject->tree.print);
}

/* Follow the way to it, and look at what is there. */
static void walk(struct subject *subject)
{
    struct chain_end end;
    const bool is_tree = subject->kind == WATCH_TREE;
    subject->must_walk = false;
    if (chain_walk(&subject->chain, subject->rules->folders, subject, subject->path, !is_tree, &end) != 0) {
        subject->has_failed = true;
        return;
    }
    subject->trouble = end.trouble;
    subject->blind = end.blind;
    subject->way = end.print;
    subject->present = end.present && (is_tree ? S_ISDIR(end.about.st_mode) : S_ISREG(end.about.st_mode));
    subject->has_failed = is_tree && !build(subject, &end);
    subject->must_build = subject->has_failed;
    if (is_tree)
        look(subject);
    else if (subject->present)
        subject->seen = print_stat(end.print, &end.about);
    if (!is_tree)
        hold_while_written(subject, &end);
}

/* Passes */

static void begin_pass(struct subject *subject, bool all, uint64_t now_ms)
{
    subject->is_passing = true;
    subject->pass_found = false;
    subject->next_poll_ms = now_ms + subject->rules->poll_ms;
    if (all)
        subject->next_sweep_ms = now_ms + subject->rules->sweep_ms;
    tree_pass_begin(&subject->tree, all);
    subject->must_walk = true;
}

static void end_pass(struct subject *subject, uint64_t now_ms)
{
    const uint64_t pause_ms = subject->tree.pass_entries / ENTRIES_A_MS;
    subject->is_passing = false;
    subject->confirmed = !subject->pass_found && !subject->has_failed;
    if (pause_ms > subject->rules->poll_ms)
        subject->next_poll_ms = now_ms + pause_ms;
}

/* Go on with a pass, from `seen_before` this step on. */
static void go_on(struct subject *subject, uint64_t seen_before, bool present_before, uint64_t now_ms)
{
    bool done = true;
    if (subject->kind == WATCH_TREE && !subject->has_failed) {
        subject->has_failed = !tree_pass(&subject->tree, PASS_ENTRIES, &done);
        subject->must_build = subject->has_failed;
        look(subject);
    }
    if (subject->seen != seen_before || subject->present != present_before) {
        changed(subject, now_ms);
        subject->pass_found = true;
    }
    if (done || subject->has_failed)
        end_pass(subject, now_ms);
}

/* True when a change is told only after another pass. */
static bool lacks_confirmation(const struct subject *subject, uint64_t now_ms)
{
    return needs_polling(subject) && !subject->confirmed && !debounce_is_spent(&subject->debounce, now_ms);
}

static void begin_what_is_due(struct subject *subject, uint64_t now_ms)
{
    const bool is_due = now_ms >= debounce_due_ms(&subject->debounce) && !subject->has_failed;
    if (subject->is_passing)
        return;
    if (now_ms >= subject->next_sweep_ms)
        begin_pass(subject, true, now_ms);
    else if (needs_polling(subject) &&
             (now_ms >= subject->next_poll_ms || (is_due && lacks_confirmation(subject, now_ms))))
        begin_pass(subject, false, now_ms);
}

/* Telling */

/* It is quiet: is it another one than when it was last told? One that is not there tells nothing; it will when it is
 * back. */
static void settle(struct subject *subject, uint64_t now_ms)
{
    const bool in_doubt = now_ms - subject->debounce.last_ms < GRAIN_MS;
    if (subject->kind == WATCH_TREE) {
        subject->has_failed = !tree_read(&subject->tree);
        subject->must_build = subject->has_failed;
        look(subject);
    }
    if (subject->has_failed)
        changed(subject, now_ms); /* it will be read again */
    if (!subject->present || subject->has_failed)
        return;
    if (subject->seen != subject->told || (subject->touched && subject->in_doubt)) {
        subject->told = subject->seen;
        subject->is_ready = true;
    }
    subject->touched = false;
    subject->in_doubt = in_doubt;
}

void subject_step(struct subject *subject, uint64_t now_ms)
{
    const uint64_t seen_before = subject->seen;
    const bool present_before = subject->present;
    begin_what_is_due(subject, now_ms);
    if (subject->must_walk)
        walk(subject);
    if (subject->is_passing)
        go_on(subject, seen_before, present_before, now_ms);
    if (subject->is_passing || subject->has_failed || lacks_confirmation(subject, now_ms))
        return;
    if (debounce_take(&subject->debounce, now_ms))
        settle(subject, now_ms);
}

uint64_t subject_deadline_ms(const struct subject *subject)
{
    if (subject->is_ready || subject->is_passing || subject->must_walk)
        return 0;
    uint64_t due_ms = subject->next_sweep_ms;
    if (needs_polling(subject))
        due_ms = min_u64(due_ms, subject->next_poll_ms);
    if (!subject->has_failed)
        due_ms = min_u64(due_ms, debounce_due_ms(&subject->debounce));
    return due_ms;
}

/* Events */

static void note_writing(struct subject *subject, const struct link *link, const struct folder_event *event)
{
    if ((event->mask & (IN_CREATE | IN_ISDIR)) == IN_CREATE) {
        const uint64_t print = print_number(PRINT_START, (uintptr_t)link->place.folder);
        subject->created = print_text(print, link->name);
    } else if ((event->mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)) != 0) {
        subject->created = 0;
    }
}

static bool link_event(struct subject *subject, const struct link *link, const struct folder_event *event)
{
    const bool is_gone = (event->mask & (IN_IGNORED | IN_UNMOUNT)) != 0;
    if (!is_gone && strcmp(event->name, link->name) != 0)
        return false;
    if (link->is_last)
        note_writing(subject, link, event);
    subject->must_walk = true;
    return true;
}

static bool node_event(struct subject *subject, struct node *node, const struct folder_event *event)
{
    bool matters;
    if (!tree_event(&subject->tree, node, event->mask, event->name, &matters))
        subject->must_build = subject->has_failed = true;
    if (node->parent == NULL && (event->mask & (IN_IGNORED | IN_UNMOUNT)) != 0)
        subject->must_walk = true;
    return matters;
}

void subject_event(struct subject *subject, struct place *place, const struct folder_event *event, uint64_t now_ms)
{
    const bool matters = place->kind == PLACE_LINK ? link_event(subject, (const void *)place, event)
                                                   : node_event(subject, (void *)place, event);
    if (!matters)
        return;
    subject->touched = true;
    changed(subject, now_ms);
}

void subject_lost_events(struct subject *subject, uint64_t now_ms)
{
    subject->must_walk = subject->must_build = true;
    subject->touched = true;
    changed(subject, now_ms);
}

/* Set-up, end, report */

struct subject *subject_new(const struct subject_rules *rules, const struct watch_subject *what, uint64_t now_ms)
{
    struct subject *subject = calloc(1, sizeof(*subject));
    if (subject == NULL)
        return NULL;
    subject->id = what->id;
    subject->kind = what->kind;
    subject->rules = rules;
    subject->tree.folders = rules->folders;
    subject->tree.skip = &rules->skip;
    subject->tree.subject = subject;
    subject->tree.watched_max = rules->watched_max;
    debounce_init(&subject->debounce, what->debounce_ms);
    subject->next_poll_ms = now_ms + rules->poll_ms;
    subject->next_sweep_ms = now_ms + rules->sweep_ms;
    subject->path = strdup(what->path);
    if (subject->path != NULL)
        walk(subject);
    if (subject->path == NULL || subject->has_failed)
        return subject_free(subject);
    subject->told = subject->present ? subject->seen : 0;
    subject->in_doubt = true; /* it may have been written to just now */
    return subject;
}

struct subject *subject_free(struct subject *subject)
{
    if (subject == NULL)
        return NULL;
    tree_clear(&subject->tree);
    chain_done(&subject->chain, subject->rules->folders);
    free(subject->path);
    free(subject);
    return NULL;
}

/* Why folders are not watched. */
static const char *reason(int trouble)
{
    switch (trouble) {
    case EMFILE:
        return "no inotify instance is left (fs.inotify.max_user_instances)";
    case ENOSPC:
        return "no inotify watch is left (fs.inotify.max_user_watches)";
    case E2BIG:
        return "it has too many folders";
    default:
        return strerror(trouble);
    }
}

const char *subject_report(struct subject *subject)
{
    const struct tree *tree = &subject->tree;
    const int trouble = subject->trouble != 0 ? subject->trouble : tree->watched < tree->count ? tree->trouble : 0;
    const char *blind = subject->blind != NULL ? subject->blind : tree->blind;
    const char *more = tree->is_cut ? ", and some of them are not looked at" : "";
    if (!needs_polling(subject))
        return "inotify";
    if (subject->has_failed)
        (void)snprintf(subject->report, sizeof(subject->report), "polled: no memory, or no descriptor, was left");
    else if (trouble != 0)
        (void)snprintf(subject->report, sizeof(subject->report), "polled: %s%s", reason(trouble), more);
    else
        (void)snprintf(subject->report, sizeof(subject->report), "polled: it is on %s%s", blind, more);
    return subject->report;
}
