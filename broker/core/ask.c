/* ask.c - see ask.h; the orders are described in core.h */
#include <string.h>

#include "broker/core/ask.h"
#include "broker/core/call.h"
#include "broker/core/lease.h"

static void release(struct core *core, struct body *body)
{
    if (body != NULL && body->present)
        core->settings.bodies->release(body);
}

/* ---- asking ---- */

static struct worker *find_ready(const struct core *core, uint64_t number, struct drover_error *error)
{
    struct worker *worker = NULL;
    HASH_FIND(hh, core->workers, &number, sizeof(number), worker);
    if (worker != NULL && worker->ready && !worker->closed)
        return worker;
    (void)drover_error_set(error, DROVER_NOT_FOUND, "worker %llu is not ready", (unsigned long long)number);
    return NULL;
}

static struct call *new_question(struct core *core, struct service *service, const char *method, uint64_t deadline_ms)
{
    const struct wire_header header = {.method = {.data = method, .size = strlen(method)}};
    struct call *call = call_new(core);
    if (call == NULL)
        return NULL;
    if (!call_keep_text(call, &header)) {
        call_free(core, call);
        return NULL;
    }
    call->service = service;
    call->deadline_ms = deadline_ms;
    call->deadline_at_ms = core->now_ms + deadline_ms;
    call->hang_ms = (service->hang_ms > deadline_ms ? service->hang_ms : deadline_ms) + CORE_HANG_GRACE_MS;
    timers_set(&core->timers, &call->timer.timer, call->deadline_at_ms);
    return call;
}

static enum drover_status ask(struct core *core, struct worker *worker, struct call *call, struct body *body,
                              enum call_question question, struct drover_error *error)
{
    if (call == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory to ask worker %llu",
                                worker->service->name, (unsigned long long)worker->number);
    call->question = question;
    call->asked = true;
    if (body != NULL)
        call->body = body_take(body);
    lease_start(core, worker, call);
    return DROVER_OK;
}

enum drover_status core_probe(struct core *core, uint64_t now_ms, uint64_t number, const char *method,
                              struct body *body, uint64_t deadline_ms, struct drover_error *error)
{
    core->now_ms = now_ms;
    enum drover_status status = DROVER_NOT_FOUND;
    struct worker *worker = find_ready(core, number, error);
    if (worker != NULL) {
        const char *wanted = method != NULL && method[0] != '\0' ? method : WIRE_NO_METHOD;
        struct call *call = new_question(core, worker->service, wanted, deadline_ms);
        status = ask(core, worker, call, body, QUESTION_SELF_TEST, error);
    }
    release(core, body);
    return status;
}

enum drover_status core_reconfigure(struct core *core, uint64_t now_ms, uint64_t number, struct body *settings,
                                    uint64_t deadline_ms, struct drover_error *error)
{
    core->now_ms = now_ms;
    enum drover_status status = DROVER_NOT_FOUND;
    struct worker *worker = find_ready(core, number, error);
    if (worker != NULL && !worker->reconfigures) {
        status = drover_error_set(error, DROVER_UNIMPLEMENTED, "its driver cannot take new settings as it runs");
    } else if (worker != NULL && !settings->present && !core->settings.bodies->make(settings, "\x80", 1)) {
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for its settings");
    } else if (worker != NULL) {
        struct call *call =
            new_question(core, worker->service, "", deadline_ms > 0 ? deadline_ms : CORE_RECONFIGURE_MS);
        status = ask(core, worker, call, settings, QUESTION_RECONFIGURE, error);
    }
    release(core, settings);
    return status;
}

/* ---- outcomes ---- */

static void tell(struct core *core, struct call *call, enum drover_status status, struct drover_text text)
{
    const bool settings = call->question == QUESTION_RECONFIGURE;
    const uint64_t number = settings ? status == DROVER_OK : (uint64_t)status;
    call->question = QUESTION_NONE;
    effects_asked(&core->effects, settings ? EFFECT_RECONFIGURED : EFFECT_PROBED, call->worker->number, number, text);
}

/* Who is asked for nothing shows with any answer that it takes calls; one that does not know such a call says so. */
static bool is_good(const struct call *call, const struct wire_header *header)
{
    const bool any = call->question == QUESTION_SELF_TEST && drover_text_equals(call_method(call), WIRE_NO_METHOD);
    return header->command == WIRE_REPLY || (any && header->origin != DROVER_ORIGIN_BROKER);
}

void ask_ended(struct core *core, struct call *call, const struct wire_header *header)
{
    const struct drover_text nothing = {.data = "", .size = 0};
    const bool good = is_good(call, header);
    release(core, &call->body);
    tell(core, call, good ? DROVER_OK : header->status, good ? nothing : header->text);
}

void ask_dropped(struct core *core, struct call *call)
{
    static const char text[] = "the worker has left, or was told to";
    if (call->question != QUESTION_NONE)
        tell(core, call, DROVER_UNAVAILABLE, (struct drover_text){.data = text, .size = sizeof(text) - 1});
}
