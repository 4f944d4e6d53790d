/* await.c - see await.h */
#include "client/cli/await.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/json.h"
#include "common/sys/sys.h"

/* ---- the time ---- */

void await_clock_start(struct await_clock *clock, const struct cli_globals *globals)
{
    clock->until_ms = sys_now_ms() + (globals->timeout_ms > 0 ? globals->timeout_ms : AWAIT_MS);
    progress_init(&clock->progress, stderr, globals->json, isatty(STDERR_FILENO));
}

static uint64_t left_ms(const struct await_clock *clock)
{
    const uint64_t now_ms = sys_now_ms();

    return now_ms < clock->until_ms ? clock->until_ms - now_ms : 0;
}

uint32_t await_clock_answer_ms(const struct await_clock *clock)
{
    const uint64_t left = left_ms(clock);

    return left < CLI_TIMEOUT_MS ? (uint32_t)left : CLI_TIMEOUT_MS;
}

void await_clock_pause(const struct await_clock *clock)
{
    const uint64_t left = left_ms(clock);

    cli_pause(left < AWAIT_STEP_MS ? left : AWAIT_STEP_MS);
}

/* ---- one service ---- */

/* One look at it. */
static enum drover_status look(struct await *await, uint32_t answer_ms, struct drover_error *error)
{
    enum drover_status status;

    inquiry_about(&await->inquiry, await->service);
    status = inquiry_ask(&await->inquiry, "status", answer_ms, error);
    if (status == DROVER_OK)
        stand_read(inquiry_answer(&await->inquiry), &await->now);
    return status;
}

int await_open(struct await *await, const struct cli_globals *globals, const char *service)
{
    struct drover_error error = {0};
    int result;

    *await = (struct await){.globals = globals, .service = service};
    await_clock_start(&await->clock, globals);
    result = inquiry_open(&await->inquiry, globals);
    if (result != EXIT_DONE)
        return result;
    if (look(await, cli_admin_ms(globals), &error) != DROVER_OK)
        return cli_fail(globals, &error);
    await->before = await->now;
    return EXIT_DONE;
}

void await_close(struct await *await)
{
    inquiry_close(&await->inquiry);
}

static void show(struct await *await)
{
    char text[PROGRESS_LINE_SIZE];

    (void)snprintf(text, sizeof(text), "service '%.60s': %s", await->service,
                   await->now.progress[0] != '\0' ? await->now.progress : await->now.state);
    progress_now(&await->clock.progress, text);
}

/* What another broker says does not tell what has become of a change that was under way in the one before it. */
static enum drover_status check_broker(const struct await *await, struct drover_error *error)
{
    if (strcmp(await->now.incarnation, await->before.incarnation) == 0)
        return DROVER_OK;
    *error = (struct drover_error){.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_UNKNOWN};
    return drover_error_set(error, DROVER_UNAVAILABLE,
                            "service '%.100s': the broker was restarted meanwhile ('drover status' shows what serves)",
                            await->service);
}

/* Until it is at rest, or the time is over: then `*ret_over`. A look that took too long is taken again. */
static enum drover_status watch(struct await *await, bool *ret_over, struct drover_error *error)
{
    uint32_t answer_ms;

    while ((answer_ms = await_clock_answer_ms(&await->clock)) > 0) {
        enum drover_status status = look(await, answer_ms, error);
        if (status == DROVER_OK)
            status = check_broker(await, error);
        if (status == DROVER_OK && stand_is_resting(await->now.state)) {
            *ret_over = false;
            return DROVER_OK;
        }
        if (status != DROVER_OK && status != DROVER_DEADLINE_EXCEEDED)
            return status;
        show(await);
        await_clock_pause(&await->clock);
    }
    *ret_over = true;
    return DROVER_OK;
}

static void print_json(const struct await *await, const char *outcome, const char *reason)
{
    fputs("{\"service\": ", stdout);
    json_write_string(stdout, await->service);
    printf(", \"outcome\": \"%s\", \"generation\": %" PRIu64 ", \"artefact\": ", outcome, await->now.active);
    json_write_string(stdout, await->now.artefact);
    fputs(", \"state\": ", stdout);
    json_write_string(stdout, await->now.state);
    fputs(", \"reason\": ", stdout);
    if (reason[0] != '\0')
        json_write_string(stdout, reason);
    else
        fputs("null", stdout);
    puts("}");
}

static int say_over(const struct await *await)
{
    char reason[STAND_REASON_SIZE];

    (void)snprintf(reason, sizeof(reason), "still under way (%s): 'drover status %.100s' shows it", await->now.state,
                   await->service);
    if (await->globals->json)
        print_json(await, "under way", reason);
    else
        fprintf(stderr, "service '%s': %s\n", await->service, reason);
    return EX_TEMPFAIL;
}

static int say_given_up(const struct await *await, const char *reason)
{
    if (await->globals->json) {
        print_json(await, "given up", reason);
    } else {
        fprintf(stderr, "service '%s': given up: %s", await->service, reason);
        if (await->now.active > 0)
            fprintf(stderr, "; generation %" PRIu64 " serves", await->now.active);
        fputc('\n', stderr);
    }
    return EXIT_ANSWERED;
}

static int say_done(const struct await *await, const char *outcome)
{
    const bool on_probation = strcmp(await->now.state, "probation") == 0;

    if (await->globals->json)
        print_json(await, outcome, "");
    else
        printf("service '%s': %s, generation %" PRIu64 " serves, artefact %.12s%s\n", await->service, outcome,
               await->now.active, await->now.artefact, on_probation ? ", on probation" : "");
    return EXIT_DONE;
}

/* What happened since it was asked. */
static enum drover_status judge(struct await *await, enum stand_wish wish, enum verdict *ret, char *ret_reason,
                                struct drover_error *error)
{
    struct drover_writer *writer = inquiry_begin(&await->inquiry);
    enum drover_status status;

    drover_write_map(writer, 2);
    drover_write_string(writer, "service");
    drover_write_string(writer, await->service);
    drover_write_string(writer, "after");
    drover_write_uint64(writer, await->before.events);
    status = inquiry_ask(&await->inquiry, "events", CLI_TIMEOUT_MS, error);
    if (status == DROVER_OK)
        *ret = stand_judge(wish, &await->before, &await->now, inquiry_answer(&await->inquiry), ret_reason);
    return status;
}

int await_end(struct await *await, const char *verb, const struct await_words *words)
{
    struct drover_error error = {0};
    enum verdict verdict = VERDICT_UNCHANGED;
    char reason[STAND_REASON_SIZE] = "";
    bool over = false;

    enum drover_status status = inquiry_ask(&await->inquiry, verb, cli_admin_ms(await->globals), &error);
    if (status == DROVER_OK)
        status = watch(await, &over, &error);
    progress_done(&await->clock.progress);
    if (status == DROVER_OK && over)
        return say_over(await);
    if (status == DROVER_OK)
        status = judge(await, words->wish, &verdict, reason, &error);
    if (status != DROVER_OK)
        return cli_fail(await->globals, &error);
    if (verdict == VERDICT_GIVEN_UP)
        return say_given_up(await, reason);
    return say_done(await, verdict == VERDICT_SWITCHED ? "switched" : words->unchanged);
}
