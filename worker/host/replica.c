/* replica.c - one replica: its machine tied to its process
 *
 * A launch is decided in one step and forked in a later one, when the broker has taken its HOST_EXPECT: so no worker
 * can come before its token is known.
 */
#include "worker/host/replica.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/sys/sys.h"
#include "worker/host/child.h"
#include "worker/host/generation.h"
#include "worker/host/runnable.h"
#include "worker/host/service.h"
#include "worker/host/wanted.h"

#define EXIT_CONFIG_ERROR 78

static struct host *host_of(const struct replica *replica)
{
    return replica->generation->service->host;
}

static void request_launch(struct replica *replica)
{
    replica->child = child_new(host_of(replica), replica);
    replica->launch_pending = true;
    if (replica->child != NULL)
        replica->last_number = replica->child->number;
}

static void cancel_launch(struct replica *replica)
{
    replica->launch_pending = false;
    if (replica->child != NULL)
        child_lose(host_of(replica), replica->child);
}

static void carry_out(struct replica *replica, unsigned effects)
{
    if (effects & SUPERVISE_DO_CANCEL)
        cancel_launch(replica);
    if (effects & SUPERVISE_DO_LAUNCH)
        request_launch(replica);
    if (replica->child == NULL)
        return;
    if (effects & SUPERVISE_DO_CLOSE)
        child_close_word(host_of(replica), replica->child);
    if (effects & SUPERVISE_DO_TERMINATE)
        process_signal_group(&replica->child->process, SIGTERM);
    if (effects & SUPERVISE_DO_ABORT)
        process_signal(&replica->child->process, SIGABRT);
    if (effects & SUPERVISE_DO_KILL)
        process_signal_group(&replica->child->process, SIGKILL);
}

static void apply(struct replica *replica, const struct supervise_input *input)
{
    carry_out(replica, supervise_apply(&replica->machine, input));
}

void replica_event(struct replica *replica, enum supervise_event event, uint64_t now_ms)
{
    const struct supervise_input input = {.event = event, .now_ms = now_ms, .random = sys_random64()};
    apply(replica, &input);
}

/* Where nothing serves another version is tried at once instead of one whose bytes are damaged. */
static bool is_hopeless(const struct generation *generation, const struct reason_death *death)
{
    return death->damaged && generation->service->current == NULL;
}

/* What the service says of a death, after the machine has judged it. */
static void explain_death(struct replica *replica, const struct reason_death *death, const char *last_line)
{
    struct generation *generation = replica->generation;
    enum rollout_death kind = death->mishap ? ROLLOUT_MISHAP : ROLLOUT_CRASH;
    char text[REASON_SIZE];

    if (replica->machine.config_error) {
        reason_of_config_error(death->artefact, death->driver, last_line, text);
        kind = ROLLOUT_CONFIGURATION;
    } else {
        reason_of_death(death, text);
    }
    if (kind != ROLLOUT_CONFIGURATION && (replica->machine.looping || is_hopeless(generation, death)))
        kind = ROLLOUT_LOOP;
    service_set_reason(generation, text);
    generation_note_death(generation, kind, text);
}

static void bury(struct replica *replica, struct reason_death *death, const char *last_line, uint64_t now_ms)
{
    struct supervise *machine = &replica->machine;
    const bool explained = machine->config_error; /* in the driver's own words */
    const struct supervise_input input = {
        .event = SUPERVISE_ON_EXITED,
        .now_ms = now_ms,
        .random = sys_random64(),
        .config_exit = death->start_error == NULL && death->code == CLD_EXITED && death->status == EXIT_CONFIG_ERROR,
    };
    replica->tested = replica->tuned = NOT_ASKED;
    death->artefact = replica->generation->runnable->artefact;
    death->driver = replica->generation->wanted->service.driver;
    death->was_ready = machine->was_ready;
    death->cause = machine->cause;
    death->ready_limit_ms = machine->rules.ready_limit_ms;
    death->last_line = last_line;

    const unsigned effects = supervise_apply(machine, &input);
    death->deaths_in_a_row = machine->deaths_in_a_row;
    if (!explained && death->cause != SUPERVISE_ASKED)
        explain_death(replica, death, last_line);
    carry_out(replica, effects);
}

void replica_launch(struct replica *replica, uint64_t now_ms)
{
    struct drover_error error = {.text = "no memory"};
    if (!replica->launch_pending || (replica->child != NULL && replica->child->expect.queued))
        return;
    replica->launch_pending = false;
    if (replica->child != NULL && child_start(host_of(replica), replica->child, &error) == DROVER_OK) {
        replica_event(replica, SUPERVISE_ON_SPAWNED, now_ms);
        return;
    }
    struct reason_death death = {.start_error = error.text, .mishap = error.status == DROVER_RESOURCE_EXHAUSTED};
    if (replica->child != NULL)
        child_lose(host_of(replica), replica->child);
    bury(replica, &death, "", now_ms);
}

void replica_check_death(struct replica *replica, uint64_t now_ms)
{
    struct host *host = host_of(replica);
    struct child *child = replica->child;
    struct reason_death death = {0};
    struct drover_error trouble = {0};

    if (!process_reap(&child->process, &death.code, &death.status))
        return;
    child_finish_output(host, child);
    const struct launch_plan plan = child_plan(host, child);
    if (process_trouble(&child->process, &plan, &trouble))
        death.start_error = trouble.text;
    const char *last_line = capture_last_error(child_log(child), child->pid);
    child_lose(host, child);
    death.damaged = trouble.status == DROVER_DATA_LOSS;
    death.mishap = death.damaged;
    bury(replica, &death, last_line, now_ms);
    if (trouble.status == DROVER_DATA_LOSS)
        service_driver_damaged(replica->generation->service, now_ms);
}

void replica_config_error(struct replica *replica, const char *text, uint64_t now_ms)
{
    struct generation *generation = replica->generation;
    const bool known = replica->machine.config_error;
    char reason[REASON_SIZE];
    replica_event(replica, SUPERVISE_ON_CONFIG_ERROR, now_ms);
    if (!replica->machine.config_error)
        return;
    reason_of_config_error(generation->runnable->artefact, generation->wanted->service.driver, text, reason);
    service_set_reason(generation, reason);
    if (known) /* by its exit status, which was told */
        (void)snprintf(generation->why, sizeof(generation->why), "%s", reason);
    else
        generation_note_death(generation, ROLLOUT_CONFIGURATION, reason);
}
