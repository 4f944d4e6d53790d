/* ending.h - a broker on its way out: what it waits for, and for how long
 *
 * The stop ladder (10 s for calls, 5 s after SIGTERM, then SIGKILL) ends by itself. Where it does not, because of a
 * process that the kernel holds fast or a fault of ours, the log says every 5 s what is waited for, and after 30 s the
 * broker ends all the same.
 */
#ifndef DROVER_IO_ENDING_H
#define DROVER_IO_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/host/host.h"

#define ENDING_REPORT_MS UINT64_C(5000)
#define ENDING_LIMIT_MS UINT64_C(30000)

/* `{0}` has not begun. */
struct ending {
    bool begun;
    uint64_t begun_ms, report_ms;
};

void ending_begin(struct ending *ending, uint64_t now_ms);

/* When ending_step() is due; UINT64_MAX when it has not begun. */
uint64_t ending_due_ms(const struct ending *ending);

/* Log what is waited for, if it is time. False when there is no sense in waiting any longer. */
bool ending_step(struct ending *ending, const struct host *host, uint64_t now_ms);

#endif
