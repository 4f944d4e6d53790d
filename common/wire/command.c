/* command.c - the table of commands, built from commands.def */
#include <stddef.h>

#include "common/wire/command.h"

#define CLIENT WIRE_ROLE_CLIENT
#define WORKER WIRE_ROLE_WORKER
#define ADMIN WIRE_ROLE_ADMIN
#define BROKER WIRE_ROLE_BROKER
#define NONE WIRE_STATE_NONE
#define NEW WIRE_STATE_NEW
#define OPEN WIRE_STATE_OPEN
#define READY WIRE_STATE_READY
#define DRAINING WIRE_STATE_DRAINING
#define NO_BODY WIRE_NO_BODY
#define BODY WIRE_BODY
#define ANY_BODY WIRE_ANY_BODY

/* NAME is pasted, never expanded: ADMIN, READY and others are also the names of roles and states here. */
static const struct wire_command_info commands[WIRE_COMMAND_END] = {
#define COMMAND(NAME, number, sender_roles, sender_states, required_fields, allowed_fields, body_rule, text) \
    [number] = {.name = #NAME,                                                                               \
                .summary = (text),                                                                           \
                .required = (required_fields),                                                               \
                .allowed = (uint32_t)(required_fields) | (uint32_t)(allowed_fields),                         \
                .senders = (sender_roles),                                                                   \
                .states = (sender_states),                                                                   \
                .body = (body_rule)},
#include "common/wire/commands.def"
#undef COMMAND
};

const struct wire_command_info *wire_command_info(unsigned command)
{
    return &commands[command < WIRE_COMMAND_END ? command : WIRE_NO_COMMAND];
}

const char *wire_role_name(enum wire_role role)
{
    switch (role) {
    case WIRE_ROLE_CLIENT:
        return "client";
    case WIRE_ROLE_WORKER:
        return "worker";
    case WIRE_ROLE_ADMIN:
        return "admin";
    case WIRE_ROLE_BROKER:
        return "broker";
    }
    return "nobody";
}

const char *wire_state_name(enum wire_state state)
{
    switch (state) {
    case WIRE_STATE_NONE:
        return "none";
    case WIRE_STATE_NEW:
        return "new";
    case WIRE_STATE_OPEN:
        return "open";
    case WIRE_STATE_READY:
        return "ready";
    case WIRE_STATE_DRAINING:
        return "draining";
    }
    return "none";
}
