/* test_common.c - the exit status of every kind of error */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "client/cli/cli.h"

struct row {
    enum drover_status status;
    int refused; /* exit status when client, broker or host say it */
};

ParameterizedTestParameters(exit_status, tells_who_refused_and_why)
{
    static struct row rows[] = {
        {DROVER_CANCELLED, 1},
        {DROVER_UNKNOWN, 1},
        {DROVER_INVALID_ARGUMENT, 1},
        {DROVER_DEADLINE_EXCEEDED, 75},
        {DROVER_NOT_FOUND, 1},
        {DROVER_ALREADY_EXISTS, 1},
        {DROVER_PERMISSION_DENIED, 77},
        {DROVER_RESOURCE_EXHAUSTED, 75},
        {DROVER_FAILED_PRECONDITION, 78},
        {DROVER_ABORTED, 1},
        {DROVER_OUT_OF_RANGE, 1},
        {DROVER_UNIMPLEMENTED, 1},
        {DROVER_INTERNAL, 70},
        {DROVER_UNAVAILABLE, 69},
        {DROVER_DATA_LOSS, 1},
        {DROVER_UNAUTHENTICATED, 77},
    };
    return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *row, exit_status, tells_who_refused_and_why)
{
    struct drover_error error = {.status = row->status};
    static const enum drover_origin refusing[] = {DROVER_ORIGIN_CLIENT, DROVER_ORIGIN_BROKER, DROVER_ORIGIN_HOST};
    for (size_t i = 0; i < 3; i++) {
        error.origin = refusing[i];
        cr_expect_eq(cli_exit_status(&error), row->refused, "%s from %s", drover_status_name(row->status),
                     drover_origin_name(refusing[i]));
    }
    error.origin = DROVER_ORIGIN_DRIVER;
    cr_expect_eq(cli_exit_status(&error), 1, "%s from the driver", drover_status_name(row->status));
}

Test(exit_status, is_zero_without_an_error)
{
    cr_expect_eq(cli_exit_status(&(struct drover_error){0}), 0);
}
