/* command.h - what commands.def says of a command, as a table */
#ifndef DROVER_WIRE_COMMAND_H
#define DROVER_WIRE_COMMAND_H

#include <stdint.h>

#include "common/wire/header.h"

enum wire_role {
    WIRE_ROLE_CLIENT = 1,
    WIRE_ROLE_WORKER = 2,
    WIRE_ROLE_ADMIN = 4,
    WIRE_ROLE_BROKER = 8,
};

enum wire_state {
    WIRE_STATE_NONE = 0,
    WIRE_STATE_NEW = 1,
    WIRE_STATE_OPEN = 2,
    WIRE_STATE_READY = 4,
    WIRE_STATE_DRAINING = 8,
};

enum wire_body_rule {
    WIRE_NO_BODY,
    WIRE_BODY,
    WIRE_ANY_BODY,
};

struct wire_command_info {
    const char *name; /* "HELLO"; NULL for a number without a command */
    const char *summary;
    uint32_t required; /* FIELD_... that must be there */
    uint32_t allowed;  /* FIELD_... that may be there, the required ones included */
    uint8_t senders;   /* enum wire_role, or-ed */
    uint8_t states;    /* enum wire_state, or-ed */
    enum wire_body_rule body;
};

/* The row of a command. Never NULL; `name` is NULL for a number without a command. */
const struct wire_command_info *wire_command_info(unsigned command);

/* "client", "worker", "admin", "broker"; "new", "open", "ready", "draining". Never NULL. */
const char *wire_role_name(enum wire_role role);
const char *wire_state_name(enum wire_state state);

#endif
