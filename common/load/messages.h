/* messages.h - one message that is not about a place in a file */
#ifndef DROVER_LOAD_MESSAGES_H
#define DROVER_LOAD_MESSAGES_H

#include "common/config/config.h"

/* Make `line`, which is taken and may be NULL for want of memory, the only message. Returns `status`, or
 * RESOURCE_EXHAUSTED, and then there is none. */
enum drover_status messages_one(struct config_messages *ret_messages, enum drover_status status, char *line);

#endif
