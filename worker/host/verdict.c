/* verdict.c - what a helper's end means for the driver that is wanted */
#include "worker/host/verdict.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <sodium.h>

#include "common/base/text.h"
#include "worker/host/question.h"
#include "worker/host/spawn.h"

#define TEXT_MAX 400 /* octets of a helper's words that are shown */

void finding_done(struct finding *finding)
{
    free(finding->source);
    free(finding->path);
    free(finding->library_folder);
    question_done(&finding->self_test);
    *finding = (struct finding){0};
}

/* --- what was refused ----------------------------------------------------------------------------------------------
 */

static void DROVER_PRINTF(3, 4) decide(struct verdict *verdict, enum obtain_event event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(verdict->reason, sizeof(verdict->reason), format, arguments);
    va_end(arguments);
    verdict->event = event;
}

static const char *stage_program(enum obtain_state stage)
{
    if (stage == OBTAIN_FETCHING)
        return "drover-fetch";
    return stage == OBTAIN_BUILDING ? "drover-build" : "drover-store";
}

/* It said nothing to the point. */
static void judge_silence(enum obtain_state stage, const struct helper_end *end, struct verdict *verdict)
{
    char last[TEXT_MAX];
    const char *program = stage_program(stage), *signal = sigabbrev_np(end->status);
    (void)text_printable(end->last_error, strlen(end->last_error), last, sizeof(last));
    if (end->late)
        decide(verdict, OBTAIN_ON_TROUBLE, "%s was not done in time, and was ended", program);
    else if (end->code == CLD_EXITED && end->status == SPAWN_NOT_EXECUTED)
        decide(verdict, OBTAIN_ON_TROUBLE, "%s could not be executed: is drover installed as a whole?", program);
    else if (end->code == CLD_EXITED)
        decide(verdict, OBTAIN_ON_REFUSED, "%s ended with status %d and no result%s%s", program, end->status,
               last[0] != '\0' ? ": " : "", last);
    else
        decide(verdict, OBTAIN_ON_TROUBLE, "%s was killed by SIG%s%s%s", program, signal != NULL ? signal : "?",
               last[0] != '\0' ? ": " : "", last);
}

/* What another try may mend. A build that takes too long will do so again. */
static bool is_passing(enum obtain_state stage, const char *status)
{
    static const char *const passing[] = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED", "ABORTED"};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        if (strcmp(status, passing[i]) == 0)
            return true;
    return stage != OBTAIN_BUILDING && strcmp(status, "DEADLINE_EXCEEDED") == 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static void judge_error(enum obtain_state stage, const struct helper_end *end, struct verdict *verdict)
{
    char shown[TEXT_MAX];
    const char *status = text_of(end->result, "status"), *message = text_of(end->result, "message");
    const char *first = json_string_value(json_array_get(json_object_get(end->result, "messages"), 0));
    const char *text = first != NULL ? first : message; /* of a manifest's mistakes the first is told */
    decide(verdict, is_passing(stage, status) ? OBTAIN_ON_TROUBLE : OBTAIN_ON_REFUSED, "%s",
           text_printable(text, strlen(text), shown, sizeof(shown)));
}

/* --- what was made -------------------------------------------------------------------------------------------------
 */

/* Copy a text that has to be there; false when it is not, or does not fit. */
static bool take_text(const json_t *result, const char *key, char *buffer, size_t size)
{
    const char *text = text_of(result, key);
    if (text[0] == '\0' || strlen(text) >= size)
        return false;
    memcpy(buffer, text, strlen(text) + 1);
    return true;
}

static bool take_path(const json_t *result, const char *key, char **ret)
{
    char *copy = strdup(text_of(result, key));
    if (copy == NULL || copy[0] != '/') {
        free(copy);
        return false;
    }
    free(*ret);
    *ret = copy;
    return true;
}

static bool take_source(const json_t *result, const struct host_origin *origin, struct finding *finding,
                        struct verdict *verdict)
{
    struct host_obtained *obtained = &finding->obtained;
    if (!take_text(result, "commit", obtained->commit, sizeof(obtained->commit)) ||
        !take_text(result, "tree", obtained->tree, sizeof(obtained->tree)) ||
        !take_text(result, "content", obtained->content, sizeof(obtained->content)) ||
        !take_path(result, "path", &finding->source))
        return false;
    if (origin->content != NULL && strcmp(origin->content, obtained->content) != 0)
        decide(verdict, OBTAIN_ON_REFUSED,
               "commit %s has content %s, but drover.lock holds it to %s ('drover lock update' accepts the new one)",
               obtained->commit, obtained->content, origin->content);
    return true;
}

static void check_pin(const struct host_origin *origin, const struct host_obtained *obtained, struct verdict *verdict)
{
    const char *what = origin->path != NULL ? origin->path : origin->url;
    if (origin->pin == NULL || strcmp(origin->pin, obtained->artefact) == 0)
        return;
    decide(verdict, OBTAIN_ON_REFUSED, "%.12s: '%.160s' has SHA-256 %s, but sha256 pins it to %s: it is not run",
           obtained->artefact, what, obtained->artefact, origin->pin);
    verdict->quarantine = true;
}

/* What the lock file says that a build of this key gave; NULL when it does not say. */
static const char *find_built(const struct host_origin *origin, const char *key)
{
    const size_t size = strlen(key);
    for (size_t i = 0; origin->built != NULL && origin->built[i] != NULL; i++)
        if (size > 0 && strncmp(origin->built[i], key, size) == 0 && origin->built[i][size] == ' ')
            return origin->built[i] + size + 1;
    return NULL;
}

/* The same build of the same source should give the same bytes. */
static void check_lock(const struct host_origin *origin, const struct host_obtained *obtained, struct verdict *verdict)
{
    const char *known = origin->locked ? find_built(origin, obtained->key) : NULL;
    if (known != NULL && strcmp(known, obtained->artefact) != 0)
        decide(verdict, OBTAIN_ON_REFUSED, "%.12s: was built with SHA-256 %s, but drover.lock holds it to %s",
               obtained->artefact, obtained->artefact, known);
}

/* The settings would be given to a driver that they were not written for. */
static void check_name(const struct host_origin *origin, const char *name, struct verdict *verdict)
{
    if (origin->settings_name != NULL && strcmp(origin->settings_name, name) != 0)
        decide(verdict, OBTAIN_ON_REFUSED,
               "the driver calls itself '%.64s', but its settings stand under '%.64s' (rename that section, or call it "
               "'config')",
               name, origin->settings_name);
}

/* The octets of a text in hex; NULL when there is no memory, or it is not that. */
static void *octets_of(const char *hex, size_t *ret_size)
{
    const size_t digits = strlen(hex);
    unsigned char *octets = malloc(digits / 2 + 1);
    if (octets != NULL && sodium_hex2bin(octets, digits / 2, hex, digits, NULL, ret_size, NULL) == 0)
        return octets;
    free(octets);
    return NULL;
}

/* False when it is there, but makes no sense. */
static bool take_self_test(const json_t *result, struct host_self_test *test)
{
    const json_t *told = json_object_get(result, "self_test");
    const char *request = json_string_value(json_object_get(told, "request"));
    question_done(test);
    if (told == NULL || json_is_null(told))
        return true;
    test->request = request != NULL ? octets_of(request, &test->request_size) : NULL;
    test->method = text_of(told, "method")[0] != '\0' ? strdup(text_of(told, "method")) : NULL;
    return test->method != NULL && (request == NULL || test->request != NULL) &&
           drover_status_parse(text_of(told, "expect"), &test->expect) == 0;
}

static bool take_artefact(const json_t *result, const struct host_origin *origin, struct finding *finding,
                          struct verdict *verdict)
{
    struct host_obtained *obtained = &finding->obtained;
    if (!take_text(result, "artefact", obtained->artefact, sizeof(obtained->artefact)) ||
        !take_path(result, "path", &finding->path) || !take_self_test(result, &finding->self_test))
        return false;
    if (!take_text(result, "key", obtained->key, sizeof(obtained->key)))
        obtained->key[0] = '\0';
    (void)take_path(result, "library_folder", &finding->library_folder);
    finding->module = origin->kind == HOST_ORIGIN_MODULE || strcmp(text_of(result, "form"), "module") == 0;
    check_name(origin, text_of(result, "name"), verdict);
    check_lock(origin, obtained, verdict);
    check_pin(origin, obtained, verdict);
    return true;
}

void verdict_judge(enum obtain_state stage, const struct host_origin *origin, const struct helper_end *end,
                   struct finding *finding, struct verdict *ret)
{
    *ret = (struct verdict){.event = OBTAIN_ON_DONE};
    const char *event = text_of(end->result, "event");
    if (strcmp(event, "error") == 0) {
        judge_error(stage, end, ret);
    } else if (strcmp(event, "done") != 0) {
        judge_silence(stage, end, ret);
    } else {
        const bool taken = stage == OBTAIN_FETCHING ? take_source(end->result, origin, finding, ret)
                                                    : take_artefact(end->result, origin, finding, ret);
        if (!taken)
            decide(ret, OBTAIN_ON_REFUSED, "%s told no sound result: is it of the same version as this?",
                   stage_program(stage));
    }
}
