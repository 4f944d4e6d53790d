/* orders.h - versions of a driver that are told apart, and the books that they keep
 *
 * A version is a copy of ordered_driver with its orders written into it. What versions note in the rig's folder tells
 * which of them ran which call, and how many processes there were; a call whose worker died is in the ledger if and
 * only if the driver had begun it.
 *
 * A test's configuration names ORDERS_DRIVER as the driver, and grants writing to the folder.
 */
#ifndef DROVER_TESTS_ORDERS_H
#define DROVER_TESTS_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ordered.h"
#include "tests/support/broker_rig.h"

#define ORDERS_DRIVER "@/bin/driver"

/* Words of a service's configuration that nearly all tests want: a driver of one's own, and little patience. */
#define ORDERS_SERVICE                                                                                   \
    "driver: " ORDERS_DRIVER ", interface: " ORDERS_INTERFACE ", grants: {write: [@]}, debounce: 20ms, " \
    "restart: {min: 10ms, max: 100ms}"

/* Make the folder for the driver and the version that serves first. The test starts the broker. */
void orders_init(const struct broker_rig *rig, const char *orders);

/* The bytes of a version, at `name` of the rig's folder; they appear at once and as a whole. */
void orders_make(const struct broker_rig *rig, const char *name, const char *orders);

/* Put a version (or a file of the folder, by rename) in the place of the driver. */
void orders_change(const struct broker_rig *rig, const char *orders);
void orders_replace_by(const struct broker_rig *rig, const char *name);

/* SHA-256 of a file of the folder, in one of four buffers. */
const char *orders_hash(const struct broker_rig *rig, const char *name);

/* One line of the ledger. */
struct orders_entry {
    unsigned long version;
    pid_t pid;
    char method[16];
    unsigned long number;
};

struct orders_ledger {
    size_t count;
    struct orders_entry *entries;
};

/* Read what there is by now; orders_forget() releases it. */
void orders_read(const struct broker_rig *rig, struct orders_ledger *ret);
void orders_forget(struct orders_ledger *ledger);

/* How often call `number` was begun; `*ret_version` (may be NULL) is who did last. */
size_t orders_count_call(const struct orders_ledger *ledger, unsigned long number, unsigned long *ret_version);

/* The number of a call that was begun more than once; 0: none (calls are counted from 1). */
unsigned long orders_find_repeated(const struct orders_ledger *ledger);

/* How many processes of a version have begun to run; 0: of all versions. */
size_t orders_count_starts(const struct broker_rig *rig, unsigned long version);

/* Wait until `count` calls of a method have begun. */
void orders_await_begun(const struct broker_rig *rig, const char *method, size_t count);

#endif
