/* supervise.h - the rules of one replica: when its worker is started, how it is stopped, when it is started again
 *
 * Pure: it calls nothing of the system. An event goes in with the time and a random number, what is to be done comes
 * out as a set of effects, and `due_ms` says when the next TICK is due. The whole machine stands in supervise.def.
 *
 * The rules:
 *   - ready is a message; a worker that is not ready `ready_limit_ms` after its start is aborted, and counts as one
 *     that died before it was ready;
 *   - a worker that had been ready for 10 s is started again at once; any other after `restart_min_ms`, which doubles
 *     with each such death to `restart_max_ms`, +-20 %; 5 min of being ready make all this forgotten. One that had
 *     been ready, though not for long, has shown that it can work: it waits no longer than 8 x `restart_min_ms`;
 *   - crash loop: 5 deaths in 30 s without having been ready in between; it is tried every `restart_max_ms` from
 *     then on, and being ready ends it;
 *   - a configuration error, told or shown by exit status 78: no start until a restart by hand;
 *   - the stop ladder: close the word, wait for the leases, SIGTERM, 5 s, SIGKILL; a worker that was not ready has
 *     no leases. Hung: SIGABRT, 5 s, SIGKILL.
 */
#ifndef DROVER_HOST_SUPERVISE_H
#define DROVER_HOST_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#define SUPERVISE_STEADY_MS UINT64_C(10000)
#define SUPERVISE_FORGET_MS UINT64_C(300000)
#define SUPERVISE_GRACE_MS UINT64_C(5000) /* between one signal and the next */
#define SUPERVISE_STOP_MS UINT64_C(10000) /* what leases get when the host stops */
#define SUPERVISE_LOOP_DEATHS 5
#define SUPERVISE_LOOP_MS UINT64_C(30000)
#define SUPERVISE_NEVER UINT64_MAX

enum supervise_state {
#define SUPERVISE_STATE(NAME, word) SUPERVISE_##NAME,
#include "worker/host/supervise.def"
    SUPERVISE_STATE_END
};

enum supervise_event {
#define SUPERVISE_EVENT(NAME, word) SUPERVISE_ON_##NAME,
#include "worker/host/supervise.def"
    SUPERVISE_EVENT_END
};

/* What the owner of the machine has to do; a set. */
enum supervise_effect {
    SUPERVISE_DO_LAUNCH = 1 << 0,    /* start a process, then SPAWNED, or EXITED when it cannot be started */
    SUPERVISE_DO_CANCEL = 1 << 1,    /* a launch that was asked for is not wanted any more */
    SUPERVISE_DO_CLOSE = 1 << 2,     /* close the start word, unless it is closed */
    SUPERVISE_DO_TERMINATE = 1 << 3, /* SIGTERM to the group */
    SUPERVISE_DO_ABORT = 1 << 4,     /* SIGABRT to the process */
    SUPERVISE_DO_KILL = 1 << 5,      /* SIGKILL to the group */
};

/* Why a process ends. */
enum supervise_cause {
    SUPERVISE_UNASKED,
    SUPERVISE_ASKED, /* restart, drain, stop */
    SUPERVISE_HUNG,
    SUPERVISE_LATE, /* it was not ready in time */
};

struct supervise_rules {
    uint64_t restart_min_ms, restart_max_ms;
    uint64_t ready_limit_ms;
    uint64_t drain_limit_ms; /* what leases get on restart and drain */
};

struct supervise {
    struct supervise_rules rules;
    enum supervise_state state; /* written by set_state() alone */
    uint64_t due_ms;            /* when TICK is due; SUPERVISE_NEVER */
    bool wanted;                /* start again when the process has ended */
    bool config_error;          /* why it is not wanted */
    bool looping;               /* crash loop */
    bool healthy;               /* ready for SUPERVISE_FORGET_MS */
    bool was_ready;             /* the present process, or the last one */
    enum supervise_cause cause; /* of the end of the present process, or of the last one */
    uint64_t ready_ms;          /* when it became ready */
    unsigned doublings;         /* of the next delay */
    uint64_t deaths_in_a_row;   /* before ready, since it was last ready */
    uint64_t death_ms[SUPERVISE_LOOP_DEATHS];
    uint64_t launches;
};

struct supervise_input {
    enum supervise_event event;
    uint64_t now_ms;
    uint64_t random;  /* any number: decides the jitter */
    bool config_exit; /* EXITED: the status was 78 */
};

/* A machine in state STOPPED that is not wanted. */
void supervise_init(struct supervise *supervise, const struct supervise_rules *rules);

/* Apply one event; returns the effects that the owner has to carry out. A TICK before `due_ms` does nothing. */
unsigned supervise_apply(struct supervise *supervise, const struct supervise_input *input);

/* True in the states in which a process runs. */
bool supervise_has_process(const struct supervise *supervise);

/* The word for `drover status`; the name of an event for messages. Never NULL. */
const char *supervise_state_word(enum supervise_state state);
const char *supervise_event_word(enum supervise_event event);

#endif
