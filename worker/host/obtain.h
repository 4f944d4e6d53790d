/* obtain.h - the rules by which the driver of one service is got
 *
 * Pure: it calls nothing of the system. An event goes in with the time and a random number, what is to be done comes
 * out as a set of effects, and `due_ms` says when the next TICK is due. The whole machine stands in obtain.def.
 *
 * The rules:
 *   - a file is put into the store, a folder is compiled, a repository is fetched and then compiled; each is the work
 * of one helper program, which looks first whether it has been done before;
 *   - what may pass (a network that is down, a full disk) is tried again after `retry_min_ms`, which doubles each time
 *     to `retry_max_ms`, +-20 %;
 *   - what would fail again (a source that does not compile, a tag that was moved, a file that is not the one that is
 *     pinned) stays failed until somebody asks again; a build that failed is then made anew, though the store remembers
 *     that it failed.
 */
#ifndef DROVER_HOST_OBTAIN_H
#define DROVER_HOST_OBTAIN_H

#include <stdbool.h>
#include <stdint.h>

#define OBTAIN_NEVER UINT64_MAX

enum obtain_state {
#define OBTAIN_STATE(NAME, word) OBTAIN_##NAME,
#include "worker/host/obtain.def"
    OBTAIN_STATE_END
};

enum obtain_event {
#define OBTAIN_EVENT(NAME, word) OBTAIN_ON_##NAME,
#include "worker/host/obtain.def"
    OBTAIN_EVENT_END
};

/* What is to be done, in this order. */
enum obtain_effect {
    OBTAIN_DO_CANCEL = 1 << 0,   /* end the helper that runs; what it says is not wanted any more */
    OBTAIN_DO_STORE = 1 << 1,    /* start the helper for this */
    OBTAIN_DO_FETCH = 1 << 2,    /* likewise */
    OBTAIN_DO_BUILD = 1 << 3,    /* likewise */
    OBTAIN_DO_ANNOUNCE = 1 << 4, /* the driver can be run */
    OBTAIN_DO_GIVE_UP = 1 << 5,  /* it cannot be had */
};

struct obtain_rules {
    enum obtain_state first; /* STORING, FETCHING or BUILDING: where the way begins */
    uint64_t retry_min_ms, retry_max_ms;
};

/* Read it, but write it by the functions below only. */
struct obtain {
    struct obtain_rules rules;
    enum obtain_state state;
    uint64_t due_ms; /* of the next TICK */
    unsigned doublings;
    bool build_failed; /* the store remembers that it did */
    bool anew;         /* build also what failed before */
};

struct obtain_input {
    enum obtain_event event;
    uint64_t now_ms, random;
};

void obtain_init(struct obtain *obtain, const struct obtain_rules *rules);

/* Apply an event. Returns a set of enum obtain_effect. */
unsigned obtain_apply(struct obtain *obtain, const struct obtain_input *input);

/* Is it on its way: a helper runs, or will? */
bool obtain_is_busy(const struct obtain *obtain);

const char *obtain_state_word(enum obtain_state state);
const char *obtain_event_word(enum obtain_event event);

#endif
