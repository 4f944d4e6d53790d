/* ledger.c - what truly happened to each call, and whether the core told the truth; see sim.h */
#include <string.h>

#include "tests/sim/sim.h"

#define CALL_MARK (UINT64_C(1) << 40) /* so that the numbers look like those of the client library */

uint64_t ledger_call(uint32_t number)
{
    return CALL_MARK | ((uint64_t)number + 1);
}

/* ---- new calls ---- */

const char sim_zeros[SIM_BODY_MAX] = {0};

static uint32_t add(struct sim *sim, const struct sim_record *record)
{
    size_t room = sim->record_room;
    sim->records = sim_grow(sim->records, &room, sim->record_count + 1, sizeof(*sim->records));
    sim->record_room = (uint32_t)room;
    sim->records[sim->record_count] = *record;
    return sim->record_count++;
}

uint32_t ledger_draw_call(struct sim *sim, struct sim_client *client)
{
    struct sim_service *service = &sim->services[sim_draw(sim, sim->service_count)];
    const bool nowhere = sim_chance(sim, 5);
    struct sim_record record = {.client = client,
                                .service = nowhere ? NULL : service,
                                .made_ms = sim->now_ms,
                                .peer = client->connection->peer,
                                .by_flag = sim_chance(sim, 250)};
    record.idempotent = record.by_flag || sim_chance(sim, 300);
    record.deadline_ms = service->limits.deadline_ms;
    if (sim_chance(sim, 700))
        record.deadline_ms = 1 + sim_draw(sim, sim_chance(sim, 500) ? 60 : 4000);
    if (sim_chance(sim, 500))
        record.body_size = 1 + sim_draw(sim, sim_chance(sim, 900) ? 400 : SIM_BODY_MAX - 1);
    return add(sim, &record);
}

void ledger_metadata(uint32_t number, uint8_t *metadata)
{
    static const uint8_t start[] = {0x81, 0xa1, 'k', 0xcf};
    memcpy(metadata, start, sizeof(start));
    for (unsigned i = 0; i < 8; i++)
        metadata[sizeof(start) + i] = (uint8_t)(ledger_call(number) >> (56 - 8 * i));
}

const char *ledger_service(const struct sim *sim, uint32_t number)
{
    return sim->records[number].service != NULL ? sim->records[number].service->name : "nowhere";
}

/* The workers' table of methods says that "get" is idempotent. */
const char *ledger_method(const struct sim *sim, uint32_t number)
{
    return sim->records[number].idempotent && !sim->records[number].by_flag ? "get" : "put";
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

struct sim_record *ledger_of_call(struct sim *sim, const struct wire_header *header)
{
    uint64_t call = 0;
    for (size_t i = SIM_METADATA_SIZE - 8; i < SIM_METADATA_SIZE && header->metadata.size == SIM_METADATA_SIZE; i++)
        call = call << 8 | (uint8_t)header->metadata.data[i];
    return ledger_find(sim, call);
}

void ledger_arrived(struct sim *sim, const struct sim_connection *connection, const struct wire_header *header)
{
    struct sim_record *record = ledger_of_call(sim, header);
    if (record == NULL)
        return;
    const bool was_not_started = record->told > 0 && record->told_outcome == DROVER_OUTCOME_NOT_STARTED;
    if (record->arrived > 0 && !client_sends_again)
        sim_fail(sim, "call %llx arrives twice", (unsigned long long)number_of(sim, record));
    if (record->arrived > 0 && !record->idempotent && !was_not_started)
        sim_fail(sim, "call %llx, not idempotent, is sent again though it may have been begun",
                 (unsigned long long)number_of(sim, record));
    if (record->arrived > 0 && !was_not_started && record->repeats++ > 0)
        sim_fail(sim, "call %llx is repeated by the library more than once",
                 (unsigned long long)number_of(sim, record));
    record->arrived++;
    record->told = 0;
    record->arrived_ms = sim->now_ms;
    record->life = record->service == NULL || record->service->removed ? 0 : record->service->life;
    record->peer = connection->peer;
    record->session = header->session;
}

void ledger_leased(struct sim *sim, const struct wire_header *header, const struct body *body,
                   const struct sim_worker *worker)
{
    struct sim_record *record = ledger_of_call(sim, header);
    if (record == NULL)
        return;
    const unsigned long long call = number_of(sim, record);
    record->leased++;
    if (record->arrived == 0)
        sim_fail(sim, "call %llx is given to a worker before it was made", call);
    if (record->arrived == 1 && record->told > 0)
        sim_fail(sim, "call %llx is given to a worker after its outcome was told", call);
    if (record->life != worker->life)
        sim_fail(sim, "call %llx is given to worker %llu of a service that has but the name of the one it was made to",
                 call, (unsigned long long)worker->number);
    if (!host_is_of(worker, worker->service->active) || worker->service->removed)
        sim_fail(sim, "call %llx is given to worker %llu of generation %llu, but %llu serves", call,
                 (unsigned long long)worker->number, (unsigned long long)worker->generation,
                 (unsigned long long)worker->service->active);
    if (record->service != worker->service || worker->state == SIM_LAUNCHED)
        sim_fail(sim, "call %llx is given to worker %llu, which is not ready for it", call,
                 (unsigned long long)worker->number);
    if ((body->present ? body->size : 0) != record->body_size || header->deadline_ms > record->deadline_ms ||
        ((header->flags & WIRE_IDEMPOTENT) != 0) != record->by_flag)
        sim_fail(sim, "call %llx reaches worker %llu otherwise than it was made", call,
                 (unsigned long long)worker->number);
}

/* How often a call may be begun: an idempotent one is repeated once by the broker, and once by the library. */
static unsigned starts_allowed(const struct sim_record *record)
{
    if (!record->idempotent)
        return 1;
    return (record->service->limits.retry ? 2u : 1u) * (client_sends_again ? 2u : 1u);
}

void ledger_started(struct sim *sim, struct sim_record *record, const struct sim_worker *worker)
{
    const unsigned long long call = number_of(sim, record);
    const bool told = record->arrived == 1 && record->told > 0 && record->told_outcome == DROVER_OUTCOME_NOT_STARTED;
    const bool ended = record->ended > 0 && record->outcome == DROVER_OUTCOME_NOT_STARTED;
    if (told || ended)
        sim_fail(sim, "call %llx is begun by worker %llu after it was told that it was not started", call,
                 (unsigned long long)worker->number);
    if (record->starts >= starts_allowed(record)) {
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
static void check_answer(struct sim *sim, const struct sim_record *record, const void *body, size_t size)
{
    const unsigned long long call = number_of(sim, record);
    struct sim_answer answer;
    if (body == NULL || size < sizeof(answer)) {
        sim_fail(sim, "the answer to call %llx is not one that a worker gave", call);
        return;
    }
    memcpy(&answer, body, sizeof(answer));
    bool ran = false;
    for (unsigned i = 0; i < record->starts; i++)
        ran |= record->starters[i] == answer.worker && record->finished[i];
    if (answer.call != call)
        sim_fail(sim, "call %llx was told the answer to call %llx", call, (unsigned long long)answer.call);
    else if (!ran)
        sim_fail(sim, "call %llx was answered by worker %llu, which did not run it", call,
                 (unsigned long long)answer.worker);
}

void ledger_ended(struct sim *sim, uint32_t number, enum drover_outcome outcome, const void *body, size_t size)
{
    struct sim_record *record = &sim->records[number];
    const unsigned long long call = ledger_call(number);
    record->outcome = outcome;
    if (record->ended++ > 0)
        sim_fail(sim, "call %llx has a second outcome", call);
    if (outcome == DROVER_OUTCOME_NOT_STARTED && record->starts > 0)
        sim_fail(sim, "call %llx is told that it was not started, but worker %llu began it", call,
                 (unsigned long long)record->starters[0]);
    if (outcome == DROVER_OUTCOME_UNKNOWN && record->leased == 0 && !client_sends_again)
        sim_fail(sim, "call %llx is told an unknown outcome, but no worker was ever given it", call);
    if (body != NULL)
        check_answer(sim, record, body, size);
}

/* An outcome that the core tells. Where calls are sent once, it is also what the caller sees. */
static void note_told(struct sim *sim, uint32_t number, const struct wire_header *header, const struct body *body)
{
    struct sim_record *record = &sim->records[number];
    const unsigned long long call = ledger_call(number);
    const bool answered =
        header->command == WIRE_REPLY || (header->command == WIRE_ERROR && header->outcome == DROVER_OUTCOME_ANSWERED);
    record->told_outcome = answered                              ? DROVER_OUTCOME_ANSWERED
                           : header->command == WIRE_HELLO_FIRST ? DROVER_OUTCOME_NOT_STARTED
                                                                 : header->outcome;
    if (record->told++ > 0)
        sim_fail(sim, "call %llx is told a second outcome", call);
    /* Where nobody dies or hangs, and no broker is restarted, a reload costs no call. */
    if (sim->trouble == 0 && sim->restarts_left == 0 && !sim->restarted && sim->removals == 0 && !answered &&
        header->status == DROVER_UNAVAILABLE)
        sim_fail(sim, "call %llx is lost though nothing goes wrong", call);
    if (sim->now_ms > record->arrived_ms + record->deadline_ms)
        sim_fail(sim, "call %llx is told its outcome %llu ms after its deadline", call,
                 (unsigned long long)(sim->now_ms - record->arrived_ms - record->deadline_ms));
    if (record->life == 0 && header->command != WIRE_HELLO_FIRST && header->status != DROVER_NOT_FOUND)
        sim_fail(sim, "call %llx is for a service that is not there, but is told otherwise", call);
    if (answered)
        check_answer(sim, record, body->present ? heap_bodies.data(body) : NULL, body->size);
    if (!client_sends_again)
        ledger_ended(sim, number, record->told_outcome, NULL, 0);
}

void ledger_told(struct sim *sim, const struct sim_connection *connection, const struct wire_header *header,
                 const struct body *body)
{
    const bool outcome = header->command == WIRE_REPLY || header->command == WIRE_ERROR;
    if (header->call == 0 || (!outcome && header->command != WIRE_HELLO_FIRST))
        return;
    const bool nowhere =
        header->command == WIRE_ERROR && header->status == DROVER_NOT_FOUND && header->origin == DROVER_ORIGIN_BROKER;
    sim->told += outcome && !nowhere;
    const uint32_t number = client_record(sim, connection->client, header->call);
    if (number == SIM_NONE && client_sends_again && !connection->open)
        return; /* a program that ended, and whose successor numbers its calls anew */
    if (number == SIM_NONE) {
        sim_fail(sim, "client %u is told of call %llx, which it never made", connection->client->index,
                 (unsigned long long)header->call);
        return;
    }
    const struct sim_record *record = &sim->records[number];
    const bool last = record->peer == connection->peer && record->session == header->session;
    if (last && record->arrived > 0)
        note_told(sim, number, header, body);
    else if (!client_sends_again)
        sim_fail(sim, "call %llx is told on connection %llu in session %llx, where it was not made",
                 (unsigned long long)header->call, (unsigned long long)connection->peer,
                 (unsigned long long)header->session);
}

/* ---- the end ---- */

void ledger_close(struct sim *sim, struct sim_result *result)
{
    for (uint32_t i = 0; i < sim->record_count; i++) {
        const struct sim_record *record = &sim->records[i];
        if (!record->excused && record->ended == 0)
            sim_fail(sim, "call %llx never got an outcome", (unsigned long long)ledger_call(i));
        result->answered += record->ended > 0 && record->outcome == DROVER_OUTCOME_ANSWERED;
        result->not_started += record->ended > 0 && record->outcome == DROVER_OUTCOME_NOT_STARTED;
        result->unknown += record->ended > 0 && record->outcome == DROVER_OUTCOME_UNKNOWN;
        result->begun_twice += record->starts > 1;
    }
    result->calls = sim->record_count;
}
