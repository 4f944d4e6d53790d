/* ending.c - see ending.h */
#include "broker/io/ending.h"
#include "broker/io/log.h"

#define REST_SIZE 1024

void ending_begin(struct ending *ending, uint64_t now_ms)
{
    *ending = (struct ending){.begun = true, .begun_ms = now_ms, .report_ms = now_ms + ENDING_REPORT_MS};
}

uint64_t ending_due_ms(const struct ending *ending)
{
    return ending->begun ? ending->report_ms : UINT64_MAX;
}

bool ending_step(struct ending *ending, const struct host *host, uint64_t now_ms)
{
    char rest[REST_SIZE];
    if (now_ms < ending_due_ms(ending))
        return true;
    const uint64_t waited_ms = now_ms - ending->begun_ms;
    const bool over = waited_ms >= ENDING_LIMIT_MS;
    host_describe_rest(host, rest, sizeof(rest));
    log_line(over ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "stopping since %llu s, %s: %s",
             (unsigned long long)(waited_ms / 1000), over ? "and kills what is left" : "and waits for",
             rest[0] != '\0' ? rest : "processes that were left behind");
    ending->report_ms = now_ms + ENDING_REPORT_MS;
    return !over;
}
