/* sim.h - the whole of a broker in virtual time: clients, network, core, workers and their host, from one seed
 *
 * START: sim_run() makes everything from the seed. OPERATION: a heap of events; each event may step the core, and after
 * each step the core's invariants are checked and its effects become events. END: when the calls are made, everybody
 * falls silent; then nothing may be left. The ledger writes down what truly happened to each call, and compares.
 *
 * One seed is one run, always the same: nothing here asks a clock or a random source. A run that failed is run again
 * with its events written down.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "tests/support/heap_body.h"

#define SIM_SERVICES_MAX 3
#define SIM_CLIENTS_MAX 12
#define SIM_TRACE_LINES 40
#define SIM_TRACE_WIDTH 200
#define SIM_STARTS_MAX 4
#define SIM_NONE UINT32_MAX
#define SIM_BODY_MAX 9000
#define SIM_PROBE "probe"    /* a method that only the host asks for */
#define SIM_ASK_MS 400       /* what a worker gets to answer its host */
#define SIM_METADATA_SIZE 12 /* {"k": the call's number} */

struct sim;
struct sim_event;
struct sim_job;
struct sim_library;

typedef void sim_action(struct sim *sim, const struct sim_event *event);

/* Something that will happen. `subject` is what the action expects; it lives as long as the simulation. */
struct sim_event {
    uint64_t at_ms, order;
    sim_action *act;
    void *subject;
    uint64_t number;
};

/* A message on its way; freed by the one it reaches, or when it is lost. */
struct sim_message {
    struct sim_connection *connection;
    const char *address;
    struct body body;
    size_t size;
    uint8_t header[];
};

/* One connection. Its number is its place in the list, from 1, and never used again. */
struct sim_connection {
    uint64_t peer;
    bool open, gone_reported;
    bool vanished;                     /* what was on its way to the broker when it broke is lost too */
    uint64_t to_broker_ms, to_peer_ms; /* last arrivals: order is kept within a connection */
    struct sim_client *client;
    struct sim_worker *worker;
    struct sim_connection *next;
};

struct sim_client {
    uint32_t index;
    struct sim_connection *connection;
    char address[40];
    uint64_t session; /* 0: none */
    bool greeted;     /* HELLO was sent, no answer yet */
    bool reports_read;
    uint64_t read_count, read_bytes;
    uint32_t *open; /* numbers of its calls without an outcome */
    size_t open_count, open_room;
    struct sim_library *library;
};

enum sim_worker_state {
    SIM_LAUNCHED,
    SIM_READY,
    SIM_DEAD,
};

struct sim_worker {
    uint64_t number;
    uint64_t generation, life; /* `life` of its service */
    struct sim_service *service;
    struct sim_connection *connection;
    enum sim_worker_state state;
    uint64_t session;
    uint64_t concurrency;
    uint64_t received, word;                                   /* calls given, calls begun: the start word */
    bool closed;                                               /* the start word */
    uint64_t closed_at;                                        /* what it held then */
    bool remote;                                               /* nobody knows its start word */
    bool stopped, stuck, leaving;                              /* SIGSTOP; a call that never ends; it drains itself */
    bool left, gave_back;                                      /* DRAINED, or a call unbegun, was sent */
    bool reconfigures;                                         /* it takes new settings */
    uint64_t settings, wanted;                                 /* in force; the last that it was given */
    bool testing, any, setting;                                /* an outcome of the host's question is due */
    bool answered;                                             /* the self-test, by its own account */
    enum drover_status probed;                                 /* what the core says of it */
    unsigned lies;                                             /* answers to calls that were never its */
    unsigned slow_ms, error, die, hang, twice, lie, give_back; /* temper: at most so long; in a thousand */
    unsigned refuse;                                           /* questions of its host, in a thousand */
    struct sim_job *waiting, *running, *all;
    size_t running_count;
    struct sim_worker *next;
};

struct sim_service {
    char name[32];
    struct core_service limits;
    size_t workers_wanted;
    bool refused;
    bool removed;
    uint64_t life;                           /* how often it was made anew under its name */
    uint64_t settings;                       /* that its workers are to have */
    uint64_t generations, active, candidate; /* how many there were; which serves; which is tried, or 0 */
    size_t candidate_passed;                 /* workers of the candidate that have answered */
    uint64_t previous;                       /* which served before and is kept for a while, or 0 */
};

/* What truly happened to one call. Its number in the messages is its place in the ledger plus 1. */
struct sim_record {
    struct sim_client *client;
    struct sim_service *service; /* NULL: one that does not exist */
    uint64_t peer, session;      /* where it was sent, the last time */
    uint64_t deadline_ms, made_ms, arrived_ms;
    uint64_t life; /* of the service, when it arrived; 0: it was removed */
    size_t body_size;
    bool idempotent, by_flag;
    bool excused;              /* nobody waits for it */
    unsigned arrived, repeats; /* how often it reached the core; of these, not after "not started" */
    unsigned leased, starts;   /* given to workers, begun by them */
    uint64_t starters[SIM_STARTS_MAX];
    bool finished[SIM_STARTS_MAX];
    unsigned told, ended; /* outcomes that the core told since it arrived, and that the caller saw */
    enum drover_outcome told_outcome, outcome;
};

struct sim {
    uint64_t seed, now_ms, random, core_random;
    struct core *core;
    uint64_t incarnation;
    struct sim_event *events;
    size_t event_count, event_room;
    uint64_t event_order;
    struct drover_writer *writer;
    struct sim_connection *connections, *last_connection;
    uint64_t connection_count;
    struct sim_client clients[SIM_CLIENTS_MAX];
    size_t client_count;
    struct sim_service services[SIM_SERVICES_MAX];
    size_t service_count;
    struct sim_worker *workers;
    uint64_t worker_count;
    struct sim_record *records;
    uint32_t record_count, record_room;
    uint32_t calls_wanted;
    unsigned haste_ms, jitter_ms, trouble; /* pauses of clients, delays of the network, faults in a thousand */
    unsigned restarts_left;
    unsigned reloads;  /* in a thousand */
    bool removes;      /* services too */
    uint64_t switches; /* from one generation to the next */
    uint64_t rollbacks, reconfigured, removals;
    uint64_t quiet_ms; /* when the last call was made; 0 before */
    uint64_t told;     /* outcomes that the core told since it was made */
    uint64_t steps;
    bool restarted, stopped;

    const char *failed; /* why, once it has */
    char failure[SIM_TRACE_WIDTH * 2];
    bool tracing, verbose;
    char trace[SIM_TRACE_LINES][SIM_TRACE_WIDTH];
    uint64_t traced;
};

/* What a run came to, for the summary. */
struct sim_result {
    uint64_t steps, calls, answered, not_started, unknown, begun_twice, switches, rollbacks, reconfigured, removals;
    bool failed;
};

/* Run one seed. Prints why and how when it fails. */
struct sim_result sim_run(uint64_t seed, bool verbose);

/* ---- sim.c: time and chance ---- */

uint64_t sim_draw(struct sim *sim, uint64_t below);
bool sim_chance(struct sim *sim, unsigned in_a_thousand);

/* Let `act` happen after `delay_ms`. */
void sim_later(struct sim *sim, uint64_t delay_ms, sim_action *act, void *subject, uint64_t number);

/* The run has failed; the first reason counts. */
void sim_fail(struct sim *sim, const char *format, ...) DROVER_PRINTF(2, 3);

/* Write an event down, when somebody wants to read it. */
void sim_trace(struct sim *sim, const char *format, ...) DROVER_PRINTF(2, 3);

/* Memory, or the end of the program. */
void *sim_allocate(size_t size);
void *sim_grow(void *memory, size_t *room, size_t needed, size_t item_size);

/* ---- broker.c: the core and what it wants done ---- */

void broker_start(struct sim *sim);
void broker_stop(struct sim *sim);
void broker_receive(struct sim *sim, struct sim_message *message);
void broker_expire(struct sim *sim);

/* The core was stepped by somebody else (an order): check it, act on its effects. */
void broker_finish_step(struct sim *sim);

/* ---- network.c ---- */

struct sim_connection *network_connect(struct sim *sim, struct sim_client *client, struct sim_worker *worker);

/* The connection of a number. */
struct sim_connection *network_find(const struct sim *sim, uint64_t peer);

/* Break a connection: what is on its way to the peer is lost; what is on its way to the broker too when `vanish`. */
void network_drop(struct sim *sim, struct sim_connection *connection, bool vanish);

/* To the broker. `body` (or NULL) is taken. */
void network_send(struct sim *sim, struct sim_connection *connection, const char *address,
                  const struct wire_header *header, struct body *body);
void network_send_raw(struct sim *sim, struct sim_connection *connection, const void *header, size_t size);

/* To the peer: an effect of the core. */
void network_deliver(struct sim *sim, uint64_t peer, const void *header, size_t size, struct body *body);

/* ---- client.c, or library.c in its place ---- */

void client_start(struct sim *sim, struct sim_client *client);
void client_receive(struct sim *sim, struct sim_client *client, struct sim_message *message,
                    const struct wire_header *header);
void client_free(struct sim_client *client);

/* Where the ledger has a client's call; SIM_NONE when that client never made it. */
uint32_t client_record(const struct sim *sim, const struct sim_client *client, uint64_t call);

/* What the program is called, for messages. */
extern const char client_program[];

/* In the library's scenario a call may be sent more than once. */
extern const bool client_sends_again;

/* The broker is gone; whoever has calls open learns of it from its successor. */
void client_broker_lost(struct sim *sim, struct sim_client *client);

/* ---- vandal.c ---- */

/* Now and then there is a peer that sends rubbish. */
void vandal_start(struct sim *sim);

/* ---- worker.c: one worker's process ---- */

void worker_start(struct sim *sim, struct sim_worker *worker);
void worker_receive(struct sim *sim, struct sim_worker *worker, const struct wire_header *header,
                    const struct body *body);

/* It is dead from now on. Its host learns of it a little later. */
void worker_die(struct sim *sim, struct sim_worker *worker, const char *why);
void worker_free(struct sim_worker *worker);

/* ---- host.c: keeps workers alive ---- */

void host_start(struct sim *sim);
void host_effect(struct sim *sim, const struct effect *effect, const char *text);
void host_worker_died(struct sim *sim, struct sim_worker *worker);

/* The broker is gone and its workers with it. */
void host_broker_lost(struct sim *sim);
void host_token(uint64_t worker, uint8_t *token);

/* Is it of that generation, and not of a service of the same name that was removed? */
bool host_is_of(const struct sim_worker *worker, uint64_t generation);

/* Tell the core which generation of a service serves. */
void host_say_generation(struct sim *sim, const struct sim_service *service);

/* Start the workers that a service wants, each a little later. */
void host_launch_all(struct sim *sim, struct sim_service *service);

/* Start a worker; close the start word of one that is to go. */
void host_launch(struct sim *sim, struct sim_service *service, uint64_t generation);
void host_retire(struct sim *sim, struct sim_worker *worker);

/* ---- reload.c: one generation after the other ---- */

/* Try a new generation, unless one is being tried. */
void reload_begin(struct sim *sim, struct sim_service *service);

/* What the host learns of workers, of any generation. */
void reload_worker_ready(struct sim *sim, struct sim_worker *worker);
void reload_probed(struct sim *sim, struct sim_worker *worker, enum drover_status status);
void reload_worker_lost(struct sim *sim, struct sim_worker *worker);
void reload_broker_lost(struct sim_service *service);

/* ---- change.c: new settings without a restart, services that are removed and come back ---- */

/* Give the workers that serve new settings; where one does not take them a new generation is tried. */
void change_settings(struct sim *sim, struct sim_service *service);

/* What the core says of it. */
void change_settings_ended(struct sim *sim, struct sim_worker *worker, bool taken);

/* Remove a service; it comes back a little later. */
void change_remove(struct sim *sim, struct sim_service *service);

/* ---- ledger.c: the truth about calls ---- */

/* What the bodies of calls are made of. */
extern const char sim_zeros[SIM_BODY_MAX];

/* A new call as a client may make it; its number is its place. */
uint32_t ledger_draw_call(struct sim *sim, struct sim_client *client);

/* The number of a call in messages, in metadata of SIM_METADATA_SIZE, the name of its service and of its method. */
uint64_t ledger_call(uint32_t number);
void ledger_metadata(uint32_t number, uint8_t *metadata);
const char *ledger_service(const struct sim *sim, uint32_t number);
const char *ledger_method(const struct sim *sim, uint32_t number);

/* The record that a message names; NULL, and the run has failed, when there is none. */
struct sim_record *ledger_find(struct sim *sim, uint64_t call);

/* Nobody waits for it any more. */
void ledger_excuse(struct sim *sim, uint32_t number);

void ledger_arrived(struct sim *sim, const struct sim_connection *connection, const struct wire_header *header);

/* The core sends this call to a worker. */
void ledger_leased(struct sim *sim, const struct wire_header *header, const struct body *body,
                   const struct sim_worker *worker);

/* The record of a CALL, by its metadata. */
struct sim_record *ledger_of_call(struct sim *sim, const struct wire_header *header);

/* A worker begins it; it has done it. */
void ledger_started(struct sim *sim, struct sim_record *record, const struct sim_worker *worker);
void ledger_finished(struct sim *sim, struct sim_record *record, const struct sim_worker *worker);

/* The core sends this to a client. */
void ledger_told(struct sim *sim, const struct sim_connection *connection, const struct wire_header *header,
                 const struct body *body);

/* The caller sees this outcome; `body` (of `size`) or NULL. */
void ledger_ended(struct sim *sim, uint32_t number, enum drover_outcome outcome, const void *body, size_t size);

/* Everything is over: does it add up? */
void ledger_close(struct sim *sim, struct sim_result *result);

/* What a worker answers with: whose call it was and who ran it. */
struct sim_answer {
    uint64_t call, worker;
};

#endif
