/* notices.h - what the data thread tells the control thread of the core
 *
 * Each returns a notice for notice_send(); they abort when there is no memory, as notice_new() does.
 */
#ifndef DROVER_IO_NOTICES_H
#define DROVER_IO_NOTICES_H

#include "broker/io/orders.h"

/* Of an effect that is for the control thread; with the core's figures where that is a request to it. */
struct notice *notice_of_effect(const struct core *core, const struct effects *effects, const struct effect *effect);

/* The answer to ORDER_COUNT. */
struct notice *notice_of_count(const struct core *core, const struct order *order);

#endif
