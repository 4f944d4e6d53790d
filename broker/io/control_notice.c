/* control_notice.c - what the data thread has noticed, told to the host; see control.h */
#include "broker/io/control_parts.h"
#include "broker/io/log.h"
#include "common/sys/sys.h"

static void log_ready(const struct control *control, uint64_t worker)
{
    const struct launch *launch = &control->launches[worker % CONTROL_LAUNCHES];
    if (launch->worker == worker)
        log_line(LOG_LEVEL_INFO, "worker %llu is ready after %.1f ms", (unsigned long long)worker,
                 (double)(sys_now_us() - launch->at_us) / 1000);
}

static void take_probed(const struct control *control, const struct notice *notice, uint64_t now_ms)
{
    const enum drover_status status = (enum drover_status)notice->call;
    log_line(LOG_LEVEL_DEBUG, "worker %llu answered its self-test: %s %s", (unsigned long long)notice->worker,
             drover_status_name(status), notice->text);
    host_worker_probed(control->options->host, notice->worker, status, notice->text, now_ms);
}

static void take_counted(const struct control *control, const struct notice *notice, uint64_t now_ms)
{
    const struct host_tally previous = {.calls = notice->previous.calls, .lost = notice->previous.lost};
    const struct host_tally fresh = {.calls = notice->fresh.calls, .lost = notice->fresh.lost};
    host_generation_counted(control->options->host, notice->service, notice->generation, &previous, &fresh, now_ms);
}

static void answer(struct control *control, const struct notice *notice, uint64_t now_ms)
{
    control->admin.configuration = control->options->roster->config->path;
    control->admin.configuration_changed = reloader_file_has_changed(&control->reloader);
    order_send(control->pair, admin_answer(&control->admin, notice, now_ms));
}

static void take_notice(struct control *control, const struct notice *notice)
{
    struct host *host = control->options->host;
    const uint64_t now_ms = sys_now_ms();
    switch (notice->kind) {
    case NOTICE_WORKER_READY:
        log_ready(control, notice->worker);
        host_worker_ready(host, notice->worker, now_ms);
        break;
    case NOTICE_WORKER_CONFIG_ERROR:
        host_worker_config_error(host, notice->worker, notice->text, now_ms);
        break;
    case NOTICE_WORKER_HUNG:
        log_line(LOG_LEVEL_WARNING, "worker %llu is replaced: %s", (unsigned long long)notice->worker, notice->text);
        host_worker_hung(host, notice->worker, now_ms);
        break;
    case NOTICE_WORKER_DRAINED:
        host_worker_drained(host, notice->worker, now_ms);
        break;
    case NOTICE_PROBED:
        take_probed(control, notice, now_ms);
        break;
    case NOTICE_RECONFIGURED:
        host_worker_reconfigured(host, notice->worker, notice->call != 0, notice->text, now_ms);
        break;
    case NOTICE_COUNTED:
        take_counted(control, notice, now_ms);
        break;
    case NOTICE_ADMIN:
        answer(control, notice, now_ms);
        break;
    case NOTICE_FAILED:
        control->failed = true;
        break;
    }
}

void control_take_notices(struct control *control)
{
    struct notice *notice = NULL;
    while ((notice = notice_receive(control->pair)) != NULL) {
        take_notice(control, notice);
        notice_free(notice);
    }
}
