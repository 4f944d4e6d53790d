/* admin_change.h - what the broker answers to `drover reload`, `drover plan`, and to who waits for a change */
#ifndef DROVER_IO_ADMIN_CHANGE_H
#define DROVER_IO_ADMIN_CHANGE_H

#include "broker/io/request.h"

/* {service, force?}: look for a changed driver of this service now; {}. Without a service: read the configuration again
 * and apply it; {change, mistakes, steps}. Errors: those of host_reload(), of change_begin(). */
DROVER_MUST_CHECK enum drover_status verb_reload(const struct request *request);

/* {change}: how that change of the configuration gets on: {state, service, reason, services}. Errors: INVALID_ARGUMENT
 * (no number), NOT_FOUND (it was never begun, or is long over). */
DROVER_MUST_CHECK enum drover_status verb_change(const struct request *request);

/* {file?}: what a reload of that file would do, {mistakes, obstacles, steps}. Errors: those of change_plan(). */
DROVER_MUST_CHECK enum drover_status verb_plan(const struct request *request);

#endif
