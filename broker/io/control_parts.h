/* control_parts.h - what the files of the control loop share: control.c has the loop and the signals, control_host.c
 * the events of the host, control_notice.c the notices of the data thread */
#ifndef DROVER_IO_CONTROL_PARTS_H
#define DROVER_IO_CONTROL_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/io/admin.h"
#include "broker/io/change.h"
#include "broker/io/control.h"
#include "broker/io/ending.h"
#include "broker/io/history.h"
#include "broker/io/reloader.h"

enum { CONTROL_LAUNCHES = 64 };

/* When a worker was launched, for the log; kept for the latest ones. */
struct launch {
    uint64_t worker;
    uint64_t at_us;
};

struct control {
    const struct control_options *options;
    void *pair;
    struct admin admin;
    struct history history;
    struct change *change;
    struct reloader reloader;
    int epoll;
    struct launch launches[CONTROL_LAUNCHES]; /* by worker number */
    struct ending ending;
    bool stopping, failed, gave_up;
};

/* Carry out all events that the host has. */
void control_take_events(struct control *control);

/* Take all notices of the data thread. */
void control_take_notices(struct control *control);

#endif
