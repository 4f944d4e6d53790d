/* control.h - the control loop: the host's children, signals, and requests to the broker itself
 *
 * Runs on the main thread, since only that may fork (host.h). START: control_run() with everything set up. OPERATION:
 * events of the host become orders to the data thread, notices of the data thread go to the host; SIGHUP: read the
 * configuration again. END: SIGTERM or SIGINT: refuse what waits, run the host's stop ladder, quit the data thread.
 */
#ifndef DROVER_IO_CONTROL_H
#define DROVER_IO_CONTROL_H

#include "broker/io/data.h"
#include "broker/io/roster.h"
#include "worker/host/host.h"

struct control_options {
    struct data *data;
    struct host *host;
    struct roster *roster;
    struct lockkeeper *keeper;
    int signals; /* a signalfd of SIGTERM, SIGINT and SIGHUP */
};

/* Run until the broker is told to stop. Returns DROVER_OK, or INTERNAL after a fault. */
DROVER_MUST_CHECK enum drover_status control_run(const struct control_options *options, struct drover_error *error);

#endif
