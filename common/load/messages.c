/* messages.c - see messages.h */
#include "common/load/messages.h"

#include <stdlib.h>

enum drover_status messages_one(struct config_messages *ret_messages, enum drover_status status, char *line)
{
    char **lines = line ? calloc(1, sizeof(*lines)) : NULL;
    if (!lines) {
        free(line);
        return DROVER_RESOURCE_EXHAUSTED;
    }
    lines[0] = line;
    *ret_messages = (struct config_messages){.lines = lines, .count = 1};
    return status;
}
