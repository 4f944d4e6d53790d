/* obtaining.c - the driver of a service on its way into the store */
#include "worker/host/obtaining.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/host/service.h"
#include "worker/host/state.h"
#include "worker/host/wanted.h"

#define WORDS_MAX 40
#define FETCH_MS UINT64_C(300000)
#define BUILD_MS UINT64_C(300000)
#define SLACK_MS UINT64_C(15000) /* a helper keeps to its time by itself: this is for one that cannot any more */

static const struct host_origin *origin_of(const struct obtaining *obtaining)
{
    return &obtaining->wanted->origin;
}

static enum obtain_state first_stage(enum host_origin_kind kind)
{
    if (kind == HOST_ORIGIN_GIT)
        return OBTAIN_FETCHING;
    return kind == HOST_ORIGIN_SOURCE ? OBTAIN_BUILDING : OBTAIN_STORING;
}

struct obtaining *obtaining_new(struct service *service, struct wanted *wanted)
{
    struct obtaining *obtaining = calloc(1, sizeof(*obtaining));
    if (obtaining == NULL)
        return NULL;
    const struct obtain_rules rules = {.first = first_stage(wanted->origin.kind),
                                       .retry_min_ms = wanted->service.restart_min_ms,
                                       .retry_max_ms = wanted->service.restart_max_ms};
    obtain_init(&obtaining->machine, &rules);
    obtaining->service = service;
    obtaining->wanted = wanted_ref(wanted);
    return obtaining;
}

static void cancel_helper(struct obtaining *obtaining, uint64_t now_ms)
{
    obtaining->pending = false;
    if (obtaining->helper != NULL)
        helper_cancel(obtaining->helper, now_ms);
    obtaining->helper = NULL;
}

struct obtaining *obtaining_free(struct obtaining *obtaining, uint64_t now_ms)
{
    if (obtaining == NULL)
        return NULL;
    cancel_helper(obtaining, now_ms);
    finding_done(&obtaining->finding);
    (void)wanted_unref(obtaining->wanted);
    free(obtaining);
    return NULL;
}

/* --- the machine ---------------------------------------------------------------------------------------------------
 */

static void show_stage(struct obtaining *obtaining)
{
    (void)snprintf(obtaining->progress, sizeof(obtaining->progress), "%s", obtain_state_word(obtaining->machine.state));
}

static void carry_out(struct obtaining *obtaining, unsigned effects, uint64_t now_ms)
{
    show_stage(obtaining);
    if (effects & OBTAIN_DO_CANCEL)
        cancel_helper(obtaining, now_ms);
    if (effects & (OBTAIN_DO_STORE | OBTAIN_DO_FETCH | OBTAIN_DO_BUILD)) {
        obtaining->pending = true;
        obtaining->quarantine = false;
    }
    if (effects & OBTAIN_DO_ANNOUNCE)
        service_obtained(obtaining->service, now_ms);
}

void obtaining_event(struct obtaining *obtaining, enum obtain_event event, uint64_t now_ms)
{
    const struct obtain_input input = {.event = event, .now_ms = now_ms, .random = sys_random64()};
    carry_out(obtaining, obtain_apply(&obtaining->machine, &input), now_ms);
}

static void fail(struct obtaining *obtaining, const struct verdict *verdict, uint64_t now_ms)
{
    obtaining->quarantine = verdict->quarantine;
    service_not_obtained(obtaining->service, verdict->reason, verdict->event == OBTAIN_ON_REFUSED);
    obtaining_event(obtaining, verdict->event, now_ms);
}

/* --- helpers -------------------------------------------------------------------------------------------------------
 */

/* A command line in the making. What was allocated for it is kept to be released. */
struct invocation {
    const char *words[WORDS_MAX + 1];
    size_t count;
    char *program, *time;
};

static void add(struct invocation *command, const char *word)
{
    if (command->count < WORDS_MAX)
        command->words[command->count++] = word;
}

/* NULL: without it. */
static void add_option(struct invocation *command, const char *option, const char *value)
{
    if (value == NULL)
        return;
    add(command, option);
    add(command, value);
}

static void add_fetch(struct invocation *command, const struct host_origin *origin)
{
    add_option(command, "--url", origin->url);
    add_option(command, "--ref", origin->ref);
    add_option(command, "--subdir", origin->subdir);
    add_option(command, "--commit", origin->commit);
    add_option(command, "--deadline", command->time);
    if (origin->offline)
        add(command, "--offline");
    for (size_t i = 0; origin->fetch != NULL && origin->fetch[i] != NULL; i++)
        add(command, origin->fetch[i]);
}

static void add_build(struct invocation *command, const struct obtaining *obtaining)
{
    const struct host_origin *origin = origin_of(obtaining);
    add_option(command, "--source", origin->path != NULL ? origin->path : obtaining->finding.source);
    add_option(command, "--interface", obtaining->wanted->service.interface);
    add_option(command, "--name", obtaining->wanted->service.driver);
    add_option(command, "--sandbox", origin->policy);
    add_option(command, "--grants", origin->grants);
    add_option(command, "--deadline", command->time);
    if (obtaining->machine.anew)
        add(command, "--force");
}

static uint64_t time_of(const struct obtaining *obtaining)
{
    const uint64_t fetch_ms = origin_of(obtaining)->fetch_ms;
    if (obtaining->machine.state != OBTAIN_FETCHING)
        return BUILD_MS;
    return fetch_ms != 0 ? fetch_ms : FETCH_MS;
}

/* False when there is no memory. */
static bool make_command(const struct obtaining *obtaining, struct invocation *command)
{
    static const char *const programs[OBTAIN_STATE_END] = {
        [OBTAIN_STORING] = "drover-store", [OBTAIN_FETCHING] = "drover-fetch", [OBTAIN_BUILDING] = "drover-build"};
    const struct host *host = obtaining->service->host;
    const enum obtain_state stage = obtaining->machine.state;
    *command = (struct invocation){.program = text_format("%s/%s", host->helpers, programs[stage]),
                                   .time = text_format("%" PRIu64 "ms", time_of(obtaining))};
    if (command->program == NULL || command->time == NULL)
        return false;
    add(command, command->program);
    if (stage == OBTAIN_STORING)
        add(command, "add");
    add_option(command, "--store", host->store_path);
    if (stage == OBTAIN_FETCHING)
        add_fetch(command, origin_of(obtaining));
    else if (stage == OBTAIN_BUILDING)
        add_build(command, obtaining);
    else
        add(command, origin_of(obtaining)->path);
    return true;
}

static enum drover_status start(struct obtaining *obtaining, uint64_t now_ms, struct drover_error *error)
{
    struct invocation command;
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;
    if (make_command(obtaining, &command)) {
        const struct helper_plan plan = {.program = command.program,
                                         .arguments = (char *const *)(uintptr_t)command.words,
                                         .deadline_ms = now_ms + time_of(obtaining) + SLACK_MS};
        status = helper_start(obtaining->service->host, obtaining, &plan, &obtaining->helper, error);
    } else {
        status = drover_error_set(error, status, "no memory to start a helper");
    }
    free(command.program);
    free(command.time);
    return status;
}

/* What is wrong whatever a helper would say; "" for nothing. */
static const char *find_obstacle(const struct obtaining *obtaining)
{
    const struct host_origin *origin = origin_of(obtaining);
    const struct host *host = obtaining->service->host;
    if (host->store_path == NULL || host->helpers == NULL)
        return "this host has no store for drivers";
    if (origin->kind == HOST_ORIGIN_GIT && origin->locked && origin->commit == NULL)
        return origin->obstacle != NULL ? origin->obstacle
                                        : "drover.lock does not have it ('drover lock update' adds it)";
    return "";
}

static void start_pending(struct obtaining *obtaining, uint64_t now_ms)
{
    struct helper *helper;
    struct drover_error error = {0};
    unsigned count = 0;
    DL_COUNT(obtaining->service->host->running, helper, count);
    if (!obtaining->pending || count >= OBTAINING_AT_ONCE)
        return;
    obtaining->pending = false;
    struct verdict verdict = {.event = OBTAIN_ON_REFUSED};
    (void)snprintf(verdict.reason, sizeof(verdict.reason), "%s", find_obstacle(obtaining));
    if (verdict.reason[0] == '\0' && start(obtaining, now_ms, &error) != DROVER_OK) {
        verdict.event = OBTAIN_ON_TROUBLE;
        (void)snprintf(verdict.reason, sizeof(verdict.reason), "%.400s", error.text);
    }
    if (verdict.reason[0] != '\0')
        fail(obtaining, &verdict, now_ms);
}

void obtaining_progress(struct obtaining *obtaining, const json_t *event)
{
    const char *line = json_string_value(json_object_get(event, "line"));
    const json_t *percent = json_object_get(event, "percent");
    const struct capture_origin origin = {.pid = obtaining->helper->pid,
                                          .source = CAPTURE_STDOUT,
                                          .wall_ms = sys_wall_ms(),
                                          .next_serial = &obtaining->service->host->next_serial};
    if (json_is_integer(percent))
        (void)snprintf(obtaining->progress, sizeof(obtaining->progress), "%s %" JSON_INTEGER_FORMAT " %%",
                       obtain_state_word(obtaining->machine.state), json_integer_value(percent));
    if (line == NULL)
        return;
    capture_feed(&obtaining->lines[CAPTURE_STDOUT], &obtaining->service->logs[0], &origin, line, strlen(line));
    capture_feed(&obtaining->lines[CAPTURE_STDOUT], &obtaining->service->logs[0], &origin, "\n", 1);
}

void obtaining_errors(struct obtaining *obtaining, const struct capture_origin *origin, const char *data, size_t size)
{
    capture_feed(&obtaining->lines[CAPTURE_STDERR], &obtaining->service->logs[0], origin, data, size);
}

void obtaining_ended(struct obtaining *obtaining, const struct helper_end *end, uint64_t now_ms)
{
    struct verdict verdict;
    obtaining->helper = NULL;
    verdict_judge(obtaining->machine.state, origin_of(obtaining), end, &obtaining->finding, &verdict);
    if (verdict.event == OBTAIN_ON_DONE)
        obtaining_event(obtaining, OBTAIN_ON_DONE, now_ms);
    else
        fail(obtaining, &verdict, now_ms);
}

/* --- all of a host ---------------------------------------------------------------------------------------------------
 */

void obtaining_step_all(struct host *host, uint64_t now_ms)
{
    struct helper *helper;
    struct service *service;
    DL_FOREACH (host->running, helper) {
        helper_tick(helper, now_ms);
    }
    LL_FOREACH (host->services, service) {
        if (service->obtaining == NULL)
            continue;
        if (service->obtaining->machine.due_ms <= now_ms)
            obtaining_event(service->obtaining, OBTAIN_ON_TICK, now_ms);
        start_pending(service->obtaining, now_ms);
    }
}

/* One that waits for room is looked at when another has ended. */
uint64_t obtaining_next_ms(const struct host *host)
{
    uint64_t due_ms = UINT64_MAX;
    const struct helper *helper;
    const struct service *service;
    unsigned count = 0;
    DL_FOREACH (host->running, helper) {
        due_ms = helper->due_ms < due_ms ? helper->due_ms : due_ms;
        count++;
    }
    LL_FOREACH (host->services, service) {
        if (service->obtaining == NULL)
            continue;
        if (service->obtaining->pending && count < OBTAINING_AT_ONCE)
            return 0;
        if (service->obtaining->machine.due_ms < due_ms)
            due_ms = service->obtaining->machine.due_ms;
    }
    return due_ms;
}
