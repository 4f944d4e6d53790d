/* ordered_driver.c - a driver that does what is written into its own bytes, so that a copy of it can be any version
 *
 * The text `orders` is what orders_make() (orders.h) writes into a copy of this program: words, parted by blanks.
 *
 *     version=N           what its notes say of it
 *     start=exit          ends at once, with status 3
 *     start=abort         dies at once
 *     start=hang          never says a word
 *     interface=NAME      implements another interface
 *     probe=wrong         answers the self-test with an error
 *     refuse=yes          refuses its configuration
 *     concurrency=N       runs so many calls at once (1)
 *     crash_after=N       dies in its N-th call
 *     crash_with=N        dies when it is in N calls at once
 *
 * Each process appends "VERSION PID" to the file `starts` of its working directory, each call "VERSION PID METHOD N" to
 * the file `ledger`, before it does anything else. Methods: `note {n}` answers; `hold {n}` answers when it has read an
 * octet from the FIFO `gate`; `probe {}` is for self-tests and is not noted. Every answer is {version, pid}.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <drover/worker.h>

#include "ordered.h"

/* Volatile: what stands here is not known when this is compiled. */
static volatile char orders[ORDERS_SIZE] = ORDERS_MARK;

static atomic_ulong calls, at_once; /* that this process has begun; that it is in */

/* What the orders come to; written before anything else runs. */
static char text[ORDERS_SIZE];
static unsigned long version, crash_after, crash_with;

/* The word behind `key` ("version="), or "". */
static const char *order(const char *key)
{
    static char word[ORDERS_SIZE];
    const char *found = strstr(text, key);

    if (found == NULL)
        return "";
    found += strlen(key);
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(found, " "), found);
    return word;
}

static bool is_ordered(const char *key, const char *value)
{
    return strcmp(order(key), value) == 0;
}

static unsigned long number_ordered(const char *key)
{
    return strtoul(order(key), NULL, 10);
}

static void read_orders(void)
{
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = orders[i];
    version = number_ordered("version=");
    crash_after = number_ordered("crash_after=");
    crash_with = number_ordered("crash_with=");
}

/* One write of a line, so that lines of several processes never mix. */
static bool note(const char *path, const char *line, int size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool good = fd >= 0 && size > 0 && write(fd, line, (size_t)size) == size;

    if (fd >= 0)
        close(fd);
    return good;
}

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        pause();
}

static bool is_last_call(void)
{
    const unsigned long begun = atomic_fetch_add(&calls, 1) + 1, inside = atomic_fetch_add(&at_once, 1) + 1;

    return (crash_after != 0 && begun >= crash_after) || (crash_with != 0 && inside >= crash_with);
}

/* Every call but the self-test begins so. */
static bool begin(struct drover_call *call)
{
    char line[128];
    uint64_t number = 0;

    (void)drover_value_uint64(drover_value_get(drover_call_request(call), "n"), &number);
    const int size = snprintf(line, sizeof(line), "%lu %d %s %" PRIu64 "\n", version, (int)getpid(),
                              drover_call_method(call), number);
    const bool good = note("ledger", line, size);
    if (is_last_call())
        abort();
    return good;
}

static enum drover_status answer(struct drover_call *call, bool good)
{
    struct drover_writer *reply = drover_call_reply(call);

    if (!good)
        return drover_call_fail(call, DROVER_INTERNAL, "no ledger or no gate");
    drover_write_map(reply, 2);
    drover_write_string(reply, "version");
    drover_write_uint64(reply, version);
    drover_write_string(reply, "pid");
    drover_write_int64(reply, getpid());
    return DROVER_OK;
}

static enum drover_status end(struct drover_call *call, bool good)
{
    atomic_fetch_sub(&at_once, 1);
    return answer(call, good);
}

static enum drover_status run_note(struct drover_call *call)
{
    return end(call, begin(call));
}

static enum drover_status run_hold(struct drover_call *call)
{
    char octet;
    const bool begun = begin(call);
    const int gate = open("gate", O_RDONLY | O_CLOEXEC);
    const bool good = begun && gate >= 0 && read(gate, &octet, 1) == 1;

    if (gate >= 0)
        close(gate);
    return end(call, good);
}

static enum drover_status run_probe(struct drover_call *call)
{
    if (is_ordered("probe=", "wrong"))
        return drover_call_fail(call, DROVER_INTERNAL, "the tables are gone");
    return answer(call, true);
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    (void)settings;
    (void)ret_state;
    if (!is_ordered("refuse=", "yes"))
        return DROVER_OK;
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "setting 'tables' is missing");
}

static const struct drover_method methods[] = {
    {.name = "note", .run = run_note},
    {.name = "hold", .run = run_hold},
    {.name = "probe", .run = run_probe, .idempotent = true},
};

int main(int argc, char **argv)
{
    static char other[64];
    struct drover_driver driver = {
        .abi = DROVER_DRIVER_ABI,
        .interface = ORDERS_INTERFACE,
        .interface_version = "1.0.0",
        .name = "ordered",
        .version = "1.0.0",
        .summary = "does what is written into its own bytes",
        .methods = methods,
        .method_count = sizeof(methods) / sizeof(methods[0]),
        .configure = configure,
    };
    char line[64];
    read_orders();
    const int size = snprintf(line, sizeof(line), "%lu %d\n", version, (int)getpid());

    if (!note("starts", line, size))
        return 1;
    if (is_ordered("start=", "exit"))
        return 3;
    if (is_ordered("start=", "abort"))
        abort();
    if (is_ordered("start=", "hang"))
        wait_for_ever();
    driver.concurrency = (unsigned)number_ordered("concurrency=");
    snprintf(other, sizeof(other), "%s", order("interface="));
    if (other[0] != '\0')
        driver.interface = other;
    return drover_worker_main(&driver, argc, argv);
}
