/* tell.h - what the control thread has to tell the data thread, as one order each
 *
 * `pair` is the control thread's end (data_pair()). Everything is copied.
 */
#ifndef DROVER_IO_TELL_H
#define DROVER_IO_TELL_H

#include "broker/io/orders.h"
#include "common/config/config.h"
#include "worker/host/host.h"

/* Take calls to this service, with these limits, or change the limits of one that is there. */
void tell_service(void *pair, const struct config_service *service);

/* The same limits as before, but workers that come are to have another interface. */
void tell_interface(void *pair, const struct config_service *service, const char *interface);

/* There is no such service any more: new calls find none, what waits ends, what runs goes on. */
void tell_removal(void *pair, const char *service);

/* Refuse calls to it at once, or (`reason` NULL) no longer. */
void tell_refusal(void *pair, const char *service, const char *reason);

/* Events of the host that the core must know of: HOST_EXPECT, HOST_SWITCH, HOST_PROBE, HOST_RECONFIGURE, HOST_COUNT,
 * HOST_CLOSED and HOST_LOST. */
void tell_expected(void *pair, const struct host_event *event);
void tell_switch(void *pair, const struct host_event *event);
void tell_probe(void *pair, const struct host_event *event);
void tell_settings(void *pair, const struct host_event *event);
void tell_count(void *pair, const struct host_event *event);
void tell_closed(void *pair, const struct host_event *event);
void tell_lost(void *pair, const struct host_event *event);

#endif
