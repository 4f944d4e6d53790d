/* reload_rig.h - a host whose drivers are replaced: scripts as drivers, the real store, the core's part played by rules
 *
 * Whatever the host tells is kept as lines, which the tests look for:
 *
 *     expect a g2 w3           probe a g2 w3         lost a g1 w1            count a g2 after g1
 *     switch a g2              reconfigure a g2 w3   obtained a              removed a
 *     told a g2 stable: ...    closed a g1 w1        group 7 done            group 7 given up by b: ...
 */
#ifndef TEST_HOST_RELOAD_RIG_H
#define TEST_HOST_RELOAD_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "worker/host/host.h"

#define STEADY "exec sleep 1000"

enum rig_answer { RIG_YES, RIG_NO, RIG_SILENCE };

struct reload_rig {
    char folder[64];
    struct host *host;
    struct host_service options; /* of every service; change before rig_set() */
    uint64_t skew_ms;            /* added to the clock */
    bool in_place;               /* drivers run from where they lie, and are not watched */

    /* the core's part */
    uint64_t mute;          /* from this generation on, of any service, workers are never ready; 0: none */
    bool keeps_leases;      /* closed workers are not drained */
    enum rig_answer tested; /* to a self-test */
    enum rig_answer tuned;  /* to new settings */
    uint64_t odd_worker;    /* whose settings are not taken, whatever `tuned` says */
    struct host_tally tallies[2];

    char *log; /* a line for each event */
    size_t log_size, mark;
    uint8_t settings[16]; /* last octet of what workers of each generation were given last */
    unsigned generations; /* of one service: most that ran at a time */
};

extern struct reload_rig rig;

/* A folder with a store and a memory, and a host. Times are those of a test: nothing settles, no probation. */
void rig_init(void);
void rig_done(void); /* for .fini: also after a failure; checks that no child is left */

/* The host ends as if it was killed, and another one begins with the same folder. */
void rig_restart_host(void);

/* Write the driver of a service: aside, then renamed. The script is `body` behind "#!/bin/sh". */
void rig_write(const char *service, const char *body);

/* host_set_service(), which must succeed; the driver is the service's own. */
void rig_set(const char *service, uint64_t group);

/* rig_write(), rig_set(), and wait until it serves with all replicas. */
void rig_start(const char *service, const char *body);

uint64_t rig_now(void);

/* One turn of a broker's loop, without its sleep. */
void rig_turn(void);

/* Turn until a line has come since the mark, or a condition holds, with sleeps of the length that the host allows;
 * fails the test after 20 s. */
void rig_wait(const char *line);
typedef bool rig_condition_fn(void);
void rig_wait_until(rig_condition_fn *condition);

/* Turn until nothing is under way. */
void rig_settle(void);

/* Lines are looked for from here on. */
void rig_mark(void);

/* Where a line begins with this, since the mark; NULL. How often. */
const char *rig_find(const char *line);
unsigned rig_count(const char *line);

/* The process of replica `index` of a generation; 0 when there is none. */
pid_t rig_pid(const char *service, uint64_t generation, unsigned index);

/* Wait until that process runs, SIGKILL it, and wait until it is dead; the host has not looked then. */
void rig_kill(const char *service, uint64_t generation, unsigned index);

/* The rollout of a service. */
struct host_rollout_report rig_rollout(const char *service);
bool rig_is(const char *service, const char *state);

#endif
