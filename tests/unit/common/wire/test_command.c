/* test_command.c - the table of commands holds together */
#include <criterion/criterion.h>
#include <limits.h>

#include "common/wire/command.h"

Test(command, numbers_without_a_command_have_no_name)
{
    cr_expect_null(wire_command_info(0)->name);
    cr_expect_null(wire_command_info(WIRE_COMMAND_END)->name);
    cr_expect_null(wire_command_info(255)->name);
    cr_expect_null(wire_command_info(UINT_MAX)->name);
}

Test(command, every_number_up_to_the_last_has_a_row)
{
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        cr_expect_not_null(info->name, "command %u", command);
        cr_expect_neq(info->senders, 0, "command %u: nobody may send it", command);
        cr_expect(info->summary != NULL && info->summary[0] != '\0', "command %u", command);
    }
}

Test(command, names_are_those_of_the_enum)
{
    cr_expect_str_eq(wire_command_info(WIRE_HELLO)->name, "HELLO");
    cr_expect_str_eq(wire_command_info(WIRE_READY)->name, "READY");
    cr_expect_str_eq(wire_command_info(WIRE_ADMIN)->name, "ADMIN");
    cr_expect_str_eq(wire_command_info(WIRE_BYE)->name, "BYE");
}

Test(command, allowed_fields_include_the_required_ones)
{
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        cr_expect_eq(info->required & ~info->allowed, 0, "%s", info->name);
    }
    const struct wire_command_info *call = wire_command_info(WIRE_CALL);
    cr_expect_eq(call->required, FIELD_TARGET);
    cr_expect_eq(call->allowed, FIELD_TARGET | FIELD_DEADLINE | FIELD_SEQUENCE | FIELD_READ | FIELD_METADATA);
}

Test(command, what_a_peer_may_send_is_accepted_in_some_state_and_what_it_may_not_in_none)
{
    const unsigned peers = WIRE_ROLE_CLIENT | WIRE_ROLE_WORKER | WIRE_ROLE_ADMIN;
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        cr_expect_eq((info->senders & peers) != 0, info->states != WIRE_STATE_NONE, "%s", info->name);
    }
}

Test(command, an_admin_may_send_what_a_client_may)
{
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        cr_expect(!(info->senders & WIRE_ROLE_CLIENT) || (info->senders & WIRE_ROLE_ADMIN), "%s", info->name);
    }
}

Test(command, only_hello_is_accepted_before_a_session)
{
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        cr_expect_eq((info->states & WIRE_STATE_NEW) != 0, command == WIRE_HELLO, "%s", info->name);
    }
}

Test(command, only_greetings_and_settings_must_have_a_body_and_only_calls_and_outcomes_may)
{
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        const bool needs = command == WIRE_HELLO || command == WIRE_WELCOME || command == WIRE_RECONFIGURE;
        const bool carrier =
            command == WIRE_CALL || command == WIRE_REPLY || command == WIRE_ERROR || command == WIRE_ADMIN;
        cr_expect_eq(info->body, needs ? WIRE_BODY : carrier ? WIRE_ANY_BODY : WIRE_NO_BODY, "%s", info->name);
    }
}

Test(command, roles_and_states_have_names)
{
    cr_expect_str_eq(wire_role_name(WIRE_ROLE_CLIENT), "client");
    cr_expect_str_eq(wire_role_name(WIRE_ROLE_WORKER), "worker");
    cr_expect_str_eq(wire_role_name(WIRE_ROLE_ADMIN), "admin");
    cr_expect_str_eq(wire_role_name(WIRE_ROLE_BROKER), "broker");
    cr_expect_str_eq(wire_role_name((enum wire_role)0), "nobody");
    cr_expect_str_eq(wire_state_name(WIRE_STATE_NONE), "none");
    cr_expect_str_eq(wire_state_name(WIRE_STATE_NEW), "new");
    cr_expect_str_eq(wire_state_name(WIRE_STATE_OPEN), "open");
    cr_expect_str_eq(wire_state_name(WIRE_STATE_READY), "ready");
    cr_expect_str_eq(wire_state_name(WIRE_STATE_DRAINING), "draining");
}
