/* ledger.c - what truly happened to each call, and whether the core told the truth; see sim.h */
#include <string.h>

#include "tests/sim/sim.h"

#define CALL_MARK (UINT64_C(1) << 40) /* so that the numbers look like those of the client library */

uint64_t ledger_call(uint32_t number)
{
    return CALL_MARK | ((uint64_t)number + 1);
}

uint32_t ledger_add(struct sim *sim, const struct sim_record *record)
{
    size_t room = sim->record_room;
    sim->records = sim_grow(sim->records, &room, sim->record_count + 1, sizeof(*sim->records));
    sim->record_room = (uint32_t)room;
    sim->records[sim->record_count] = *record;
    return sim->record_count++;
}

struct sim_record *ledger_find(struct sim *sim, uint64_t call)
{
    const uint64_t number = (call & ~CALL_MARK) - 1;
    if ((call & CALL_MARK) != 0 && number < sim->record_count)
        return &sim->records[number];
    sim_fail(sim, "call %llx never was", (unsigned long long)call);
    return NULL;
}

static uint64_t number_of(const struct sim *sim, const struct sim_record *record)
{
    return ledger_call((uint32_t)(record - sim->records));
}

void ledger_excuse(struct sim *sim, uint32_t number)
{
    sim->records[number].excused = true;
}

/* ---- on its way ---- */

void ledger_arrived(struct sim *sim, const struct wire_header *header)
{
    struct sim_record *record = ledger_find(sim, header->call);
    if (record == NULL)
        return;
    record->arrived = true;
    record->arrived_ms = sim->now_ms;
}

void ledger_leased(struct sim *sim, const struct wire_header *header, const struct body *body,
                   const struct sim_worker *worker)
{
    struct sim_record *record = ledger_of_worker_call(sim, header);
    if (record == NULL)
        return;
    const unsigned long long call = number_of(sim, record);
    record->leased++;
    if (!record->arrived)
        sim_fail(sim, "call %llx is given to a worker before it was made", call);
    if (record->outcomes > 0)
        sim_fail(sim, "call %llx is given to a worker after its outcome was told", call);
    if (record->service != worker->service || worker->state == SIM_LAUNCHED)
        sim_fail(sim, "call %llx is given to worker %llu, which is not ready for it", call,
                 (unsigned long long)worker->number);
    if ((body->present ? body->size : 0) != record->body_size || header->deadline_ms > record->deadline_ms ||
        ((header->flags & WIRE_IDEMPOTENT) != 0) != record->by_flag)
        sim_fail(sim, "call %llx reaches worker %llu otherwise than it was made", call,
                 (unsigned long long)worker->number);
}

struct sim_record *ledger_of_worker_call(struct sim *sim, const struct wire_header *header)
{
    uint64_t call = 0;
    for (size_t i = SIM_METADATA_SIZE - 8; i < SIM_METADATA_SIZE && header->metadata.size == SIM_METADATA_SIZE; i++)
        call = call << 8 | (uint8_t)header->metadata.data[i];
    return ledger_find(sim, call);
}

void ledger_started(struct sim *sim, struct sim_record *record, const struct sim_worker *worker)
{
    const unsigned long long call = number_of(sim, record);
    const unsigned allowed = record->idempotent && record->service->limits.retry ? 2 : 1;
    if (record->outcomes > 0 && record->outcome == DROVER_OUTCOME_NOT_STARTED)
        sim_fail(sim, "call %llx is begun by worker %llu after it was told that it was not started", call,
                 (unsigned long long)worker->number);
    if (record->starts >= allowed) {
        sim_fail(sim, "call %llx, %s, is begun for the %u. time by worker %llu", call,
                 record->idempotent ? "idempotent" : "not idempotent", record->starts + 1,
                 (unsigned long long)worker->number);
        return;
    }
    record->starters[record->starts++] = worker->number;
}

void ledger_finished(struct sim *sim, struct sim_record *record, const struct sim_worker *worker)
{
    (void)sim;
    for (unsigned i = 0; i < record->starts; i++)
        record->finished[i] |= record->starters[i] == worker->number;
}

/* ---- outcomes ---- */

/* An answer is that of a worker that was given the call, ran it and ended it. */
static void check_answer(struct sim *sim, const struct sim_record *record, const struct body *body)
{
    const unsigned long long call = number_of(sim, record);
    struct sim_answer answer;
    if (!body->present || body->size < sizeof(answer)) {
        sim_fail(sim, "the answer to call %llx is not one that a worker gave", call);
        return;
    }
    memcpy(&answer, heap_bodies.data(body), sizeof(answer));
    bool ran = false;
    for (unsigned i = 0; i < record->starts; i++)
        ran |= record->starters[i] == answer.worker && record->finished[i];
    if (answer.call != call)
        sim_fail(sim, "call %llx was told the answer to call %llx", call, (unsigned long long)answer.call);
    else if (!ran)
        sim_fail(sim, "call %llx was answered by worker %llu, which did not run it", call,
                 (unsigned long long)answer.worker);
}

static void note_outcome(struct sim *sim, struct sim_record *record, enum drover_outcome outcome)
{
    const unsigned long long call = number_of(sim, record);
    record->outcome = outcome;
    if (record->outcomes++ > 0)
        sim_fail(sim, "call %llx is told a second outcome", call);
    if (!record->arrived)
        sim_fail(sim, "call %llx is told an outcome before it was made", call);
    if (outcome == DROVER_OUTCOME_NOT_STARTED && record->starts > 0)
        sim_fail(sim, "call %llx is told that it was not started, but worker %llu began it", call,
                 (unsigned long long)record->starters[0]);
    if (sim->now_ms > record->arrived_ms + record->deadline_ms)
        sim_fail(sim, "call %llx is told its outcome %llu ms after its deadline", call,
                 (unsigned long long)(sim->now_ms - record->arrived_ms - record->deadline_ms));
}

static void note_told(struct sim *sim, struct sim_record *record, const struct wire_header *header,
                      const struct body *body)
{
    const bool answered = header->command == WIRE_REPLY || header->outcome == DROVER_OUTCOME_ANSWERED;
    note_outcome(sim, record, answered ? DROVER_OUTCOME_ANSWERED : header->outcome);
    sim->told += record->service != NULL;
    if (header->session != record->session)
        sim_fail(sim, "the outcome of call %llx bears another session", (unsigned long long)header->call);
    if (answered)
        check_answer(sim, record, body);
    else if (header->outcome == DROVER_OUTCOME_UNKNOWN && record->leased == 0)
        sim_fail(sim, "call %llx is told an unknown outcome, but no worker was ever given it",
                 (unsigned long long)header->call);
}

void ledger_told(struct sim *sim, uint64_t peer, const struct wire_header *header, const struct body *body)
{
    const bool outcome = header->command == WIRE_REPLY || header->command == WIRE_ERROR;
    if (header->call == 0 || (!outcome && header->command != WIRE_HELLO_FIRST))
        return;
    struct sim_record *record = ledger_find(sim, header->call);
    if (record == NULL)
        return;
    if (record->peer != peer)
        sim_fail(sim, "call %llx is told to connection %llu, but was made on %llu", (unsigned long long)header->call,
                 (unsigned long long)peer, (unsigned long long)record->peer);
    if (outcome)
        note_told(sim, record, header, body);
    else
        note_outcome(sim, record, DROVER_OUTCOME_NOT_STARTED);
}

/* ---- the end ---- */

void ledger_close(struct sim *sim, struct sim_result *result)
{
    for (uint32_t i = 0; i < sim->record_count; i++) {
        const struct sim_record *record = &sim->records[i];
        if (!record->excused && record->outcomes == 0)
            sim_fail(sim, "call %llx never got an outcome", (unsigned long long)ledger_call(i));
        result->answered += record->outcomes > 0 && record->outcome == DROVER_OUTCOME_ANSWERED;
        result->not_started += record->outcomes > 0 && record->outcome == DROVER_OUTCOME_NOT_STARTED;
        result->unknown += record->outcomes > 0 && record->outcome == DROVER_OUTCOME_UNKNOWN;
        result->begun_twice += record->starts > 1;
    }
    result->calls = sim->record_count;
}
