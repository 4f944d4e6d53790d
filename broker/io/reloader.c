/* reloader.c - see reloader.h */
#include <string.h>

#include "broker/io/log.h"
#include "broker/io/reloader.h"

void reloader_init(struct reloader *reloader, struct roster *roster, struct lockkeeper *keeper, struct history *history,
                   struct change *change)
{
    *reloader = (struct reloader){.roster = roster, .keeper = keeper, .history = history, .change = change};
    memcpy(reloader->seen, roster->file_hash, sizeof(reloader->seen));
    memcpy(reloader->told, roster->file_hash, sizeof(reloader->told));
}

bool reloader_file_has_changed(const struct reloader *reloader)
{
    return strcmp(reloader->seen, reloader->roster->file_hash) != 0;
}

enum drover_status reloader_read(struct reloader *reloader, uint64_t now_ms, struct plan *ret_plan,
                                 uint64_t *ret_number, struct drover_error *error)
{
    *ret_number = 0;
    roster_hash_file(reloader->roster->config->path, reloader->seen);
    if (plan_make(ret_plan, NULL, reloader->roster, reloader->keeper, error) != DROVER_OK)
        return error->status;
    if (ret_plan->mistakes.count > 0)
        return DROVER_OK;
    return change_begin(reloader->change, ret_plan, now_ms, ret_number, error);
}

static void tell_refused(const struct reloader *reloader, const char *why)
{
    log_line(LOG_LEVEL_ERROR, "the configuration file is not taken: %s", why);
    history_add(reloader->history, NULL, 0, "configuration-refused", why);
}

void reloader_run(struct reloader *reloader, uint64_t now_ms)
{
    struct drover_error error = {0};
    struct plan plan;
    uint64_t number = 0;
    if (change_is_under_way(reloader->change)) {
        log_line(LOG_LEVEL_INFO, "the configuration file is read when the change that is under way has ended");
        reloader->again = true;
        return;
    }
    reloader->again = false;
    if (reloader_read(reloader, now_ms, &plan, &number, &error) != DROVER_OK)
        tell_refused(reloader, error.text);
    for (size_t i = 0; i < plan.mistakes.count; i++)
        tell_refused(reloader, plan.mistakes.lines[i]);
    plan_done(&plan);
}

void reloader_touched(struct reloader *reloader, uint64_t now_ms)
{
    roster_hash_file(reloader->roster->config->path, reloader->seen);
    if (strcmp(reloader->seen, reloader->told) == 0)
        return;
    memcpy(reloader->told, reloader->seen, sizeof(reloader->told));
    if (!reloader_file_has_changed(reloader))
        return;
    log_line(LOG_LEVEL_INFO, "the configuration file '%s' has changed%s", reloader->roster->config->path,
             reloader->roster->config->reload_config_auto ? "" : " ('drover reload' puts it into force)");
    history_add(reloader->history, NULL, 0, "configuration-changed", reloader->roster->config->path);
    if (reloader->roster->config->reload_config_auto)
        reloader_run(reloader, now_ms);
}

void reloader_turn(struct reloader *reloader, uint64_t now_ms)
{
    if (reloader->again && !change_is_under_way(reloader->change))
        reloader_run(reloader, now_ms);
}
