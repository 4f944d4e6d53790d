/* worker_rig_test.h - what the tests of the worker library share: one rig a test, and the programs under test */
#ifndef DROVER_TESTS_WORKER_RIG_TEST_H
#define DROVER_TESTS_WORKER_RIG_TEST_H

#include <criterion/criterion.h>

#include "tests/support/worker_rig.h"

#define RIG_DRIVER DROVER_BINARY_DIR "/tests/worker_rig_driver_1"
#define RIG_DRIVER_4 DROVER_BINARY_DIR "/tests/worker_rig_driver_4"
#define RIG_DRIVER_OLD DROVER_BINARY_DIR "/tests/worker_rig_driver_old"
#define HELLO_DRIVER DROVER_BINARY_DIR "/tests/worker_rig_hello"
#define ECHO_DRIVER DROVER_BINARY_DIR "/drivers/echo/echo"
#define DROVER_WORKER DROVER_BINARY_DIR "/bin/drover-worker"

static struct worker_rig rig;

static void set_up(void)
{
    worker_rig_init(&rig);
}

static void tear_down(void)
{
    worker_rig_done(&rig);
}

#define cr_expect_text(text, expected)                                                                    \
    do {                                                                                                  \
        struct drover_text seen_text = (text);                                                            \
        cr_expect(drover_text_equals(seen_text, expected), "'%.*s' instead of '%s'", (int)seen_text.size, \
                  seen_text.data, expected);                                                              \
    } while (0)

/* The last message is an error of this kind. */
#define cr_expect_error(wanted_status, wanted_outcome, wanted_origin)                                              \
    do {                                                                                                           \
        const struct wire_header *seen_header = &rig.message.header;                                               \
        cr_expect_eq(seen_header->status, wanted_status, "status is %s", drover_status_name(seen_header->status)); \
        cr_expect_eq(seen_header->outcome, wanted_outcome, "outcome is %s",                                        \
                     drover_outcome_name(seen_header->outcome));                                                   \
        cr_expect_eq(seen_header->origin, wanted_origin, "origin is %s", drover_origin_name(seen_header->origin)); \
    } while (0)

#endif
