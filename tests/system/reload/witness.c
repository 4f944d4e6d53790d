/* witness.c - see witness.h */
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/sys/sys.h"
#include "tests/support/family.h"

#define PAUSE_MS 1
#define LOOK_EVERY_MS 5

static void *bear_witness(void *argument)
{
    struct witness *witness = argument;
    struct caller *caller = &witness->caller;

    caller_init(caller, witness->rig->endpoint);
    while (!atomic_load(&witness->stop)) {
        const struct caller_request note = {.service = witness->service,
                                            .method = witness->method,
                                            .key = "n",
                                            .number = caller->sent + 1,
                                            .deadline_ms = WITNESS_DEADLINE_MS};
        if (caller->sent - caller->ended < WITNESS_DEPTH)
            caller_send(caller, &note);
        while (caller_take(caller, PAUSE_MS, NULL))
            atomic_store(&witness->ended, caller->ended);
    }
    caller_take_all(caller);
    return NULL;
}

void witness_begin(struct witness *witness, const struct broker_rig *rig, const char *service, const char *method)
{
    *witness = (struct witness){.rig = rig, .service = service, .method = method};
    if (pthread_create(&witness->thread, NULL, bear_witness, witness) != 0)
        abort();
}

void witness_await(const struct witness *witness, size_t count)
{
    const size_t wanted = atomic_load(&witness->ended) + count;
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;

    while (atomic_load(&witness->ended) < wanted) {
        if (!family_await_pidfd(witness->rig->pidfd, LOOK_EVERY_MS) && sys_now_ms() < until_ms)
            continue;
        char *output = broker_rig_output(witness->rig);
        fprintf(stderr, "witness: waited in vain for %zu calls; the broker has printed:\n%s\n", count, output);
        abort();
    }
}

void witness_end(struct witness *witness)
{
    atomic_store(&witness->stop, true);
    pthread_join(witness->thread, NULL);
}

const char *witness_complaint(const struct witness *witness)
{
    static char text[400];

    for (size_t i = 0; i < witness->caller.sent; i++) {
        const struct drover_error *error = &caller_end_of(&witness->caller, i)->error;
        if (error->status == DROVER_OK)
            continue;
        snprintf(text, sizeof(text), "call %zu of %zu: %s: %.300s", i + 1, witness->caller.sent,
                 drover_status_name(error->status), error->text);
        return text;
    }
    return NULL;
}

/* How often a call may have been run, after what was said of it. */
static bool agrees(const struct drover_error *error, size_t runs)
{
    if (error->status == DROVER_OK)
        return runs == 1;
    return error->outcome == DROVER_OUTCOME_NOT_STARTED ? runs == 0 : runs <= 1;
}

size_t witness_count_lies(const struct witness *witness, const struct orders_ledger *ledger)
{
    const size_t sent = witness->caller.sent;
    size_t *runs = calloc(sent + 1, sizeof(*runs)), lies = 0;

    if (runs == NULL)
        abort();
    for (size_t i = 0; i < ledger->count; i++) {
        const unsigned long number = ledger->entries[i].number;
        if (number > 0 && number <= sent)
            runs[number - 1]++;
    }
    for (size_t i = 0; i < sent; i++) {
        const struct drover_error *error = &caller_end_of(&witness->caller, i)->error;
        if (agrees(error, runs[i]))
            continue;
        if (lies++ == 0)
            printf("call %zu was run %zu times, and ended with %s (%s)\n", i + 1, runs[i],
                   drover_status_name(error->status), error->text);
    }
    free(runs);
    return lies;
}

void witness_done(struct witness *witness)
{
    caller_done(&witness->caller);
}
