/* self_test.h - what the maps `self_test` of a service and of a driver.yaml have in common */
#ifndef DROVER_CONFIG_SELF_TEST_H
#define DROVER_CONFIG_SELF_TEST_H

#include "common/config/node.h"

/* Read `request`, any value, as msgpack into new memory for the caller to free(). One that is left out behind its key,
 * or was read before, is none: then nothing is set. */
void self_test_read_request(const struct node *request, struct report *report, void **data, size_t *size);

/* Report what is missing in `test`, which is what stands behind the key `self_test`; NULL: there is no such key. */
void self_test_check(const struct node *test, struct report *report);

#endif
