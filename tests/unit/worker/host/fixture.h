/* fixture.h - a host under test: scripts as drivers, a clock that can be moved on, and what the host has told */
#ifndef TEST_HOST_FIXTURE_H
#define TEST_HOST_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/value.h>

#include "worker/host/host.h"

#define ARTEFACT "3f2a9c01d7e4b8a6553f2a9c01d7e4b8a6553f2a9c01d7e4b8a6553f2a9c01d7"
#define ARTEFACT_START "3f2a9c01d7e4: "
#define EVENTS_KEPT 4096

struct fixture {
    char folder[64];
    char script[128]; /* path of the driver */
    struct host *host;
    struct host_service options; /* of service "test"; change before fixture_start() */
    uint64_t skew_ms;            /* added to the clock */
    struct host_event events[EVENTS_KEPT];
    unsigned event_count;
    bool get_ready; /* call host_worker_ready() for every process that runs */
};

/* A folder and a host. The script is `body` behind "#!/bin/sh". */
void fixture_init(struct fixture *fixture, const char *body);
void fixture_done(struct fixture *fixture);

/* Write another script; the next launch runs it. */
void fixture_script(struct fixture *fixture, const char *body);

/* host_set_service(), which must succeed. */
void fixture_start(struct fixture *fixture);

uint64_t fixture_now(const struct fixture *fixture);

/* Step when the host wants it, keeping its events, until `condition` holds; fails the test after 20 s. */
typedef bool condition_fn(struct fixture *fixture);
void fixture_run_until(struct fixture *fixture, condition_fn *condition);

/* Take the events that are there. */
void fixture_take_events(struct fixture *fixture);

/* Events of a kind so far, and the last of them (NULL: none). */
unsigned fixture_count(const struct fixture *fixture, enum host_event_kind kind);
const struct host_event *fixture_last(const struct fixture *fixture, enum host_event_kind kind);

/* Replica 0 of the service "test". */
struct host_worker_report fixture_worker(const struct fixture *fixture);
enum host_service_state fixture_state(const struct fixture *fixture);
const char *fixture_reason(const struct fixture *fixture);

/* Conditions. */
bool worker_runs(struct fixture *fixture);     /* it has a process */
bool is_ready(struct fixture *fixture);        /* the service is; says so to the host once a process runs */
bool is_crashlooping(struct fixture *fixture); /* the service is */
bool is_stopped(struct fixture *fixture);
bool is_degraded(struct fixture *fixture);
bool is_empty(struct fixture *fixture);
bool has_lost_one(struct fixture *fixture);

/* The captured lines after `after`, each ended by LF, for the caller to free(); the last serial in `*ret_last`. */
char *fixture_lines(const struct fixture *fixture, uint64_t after, uint64_t *ret_last);

/* True when the captured lines hold `text`. */
bool fixture_printed(const struct fixture *fixture, const char *text);

/* Is there a process of this number that is no zombie? */
bool process_runs(pid_t pid);

/* Open descriptors of this process. */
unsigned count_descriptors(void);

/* Children of this process, zombies included. */
unsigned count_children(void);

#endif
