/* orders.c - see orders.h */
#include "orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/family.h"

#define PROGRAM DROVER_BINARY_DIR "/tests/ordered_driver"
#define PROGRAM_MAX ((size_t)256 << 20)
#define LOOK_EVERY_MS 5

/* ---- versions ---- */

/* The copy's orders, in the place of the mark. */
static void write_orders(const struct broker_rig *rig, char *program, size_t size, const char *orders)
{
    char *place = memmem(program, size, ORDERS_MARK, strlen(ORDERS_MARK));

    if (place == NULL || strlen(orders) >= ORDERS_SIZE || (size_t)(program + size - place) < ORDERS_SIZE)
        broker_rig_give_up(rig, "%s: no room for '%s'", PROGRAM, orders);
    memset(place, 0, ORDERS_SIZE);
    memcpy(place, orders, strlen(orders) + 1);
}

static void write_program(const struct broker_rig *rig, const char *name, const char *program, size_t size)
{
    const char *path = broker_rig_path(rig, name);
    char aside[300];

    snprintf(aside, sizeof(aside), "%s/made", rig->folder);
    FILE *file = fopen(aside, "we");
    if (file == NULL || fwrite(program, 1, size, file) != size || fclose(file) != 0 || chmod(aside, 0755) != 0 ||
        rename(aside, path) != 0)
        broker_rig_give_up(rig, "%s: %s", path, strerror(errno));
}

void orders_make(const struct broker_rig *rig, const char *name, const char *orders)
{
    struct drover_error error = {0};
    char *program = NULL;
    size_t size = 0;

    if (sys_read_file(PROGRAM, PROGRAM_MAX, &program, &size, &error) != DROVER_OK)
        broker_rig_give_up(rig, "%s", error.text);
    write_orders(rig, program, size, orders);
    write_program(rig, name, program, size);
    free(program);
}

void orders_init(const struct broker_rig *rig, const char *orders)
{
    if (mkdir(broker_rig_path(rig, "bin"), 0755) != 0)
        broker_rig_give_up(rig, "bin: %s", strerror(errno));
    orders_change(rig, orders);
}

void orders_change(const struct broker_rig *rig, const char *orders)
{
    orders_make(rig, "bin/driver", orders);
}

void orders_replace_by(const struct broker_rig *rig, const char *name)
{
    if (rename(broker_rig_path(rig, name), broker_rig_path(rig, "bin/driver")) != 0)
        broker_rig_give_up(rig, "%s: %s", name, strerror(errno));
}

const char *orders_hash(const struct broker_rig *rig, const char *name)
{
    static char buffers[4][65];
    static unsigned turn;
    char *hex = buffers[turn++ % 4];
    struct drover_error error = {0};

    if (sys_hash_file(broker_rig_path(rig, name), hex, &error) != DROVER_OK)
        broker_rig_give_up(rig, "%s", error.text);
    return hex;
}

/* ---- the books ---- */

/* A file of the folder, or NULL while there is none. */
static FILE *open_book(const struct broker_rig *rig, const char *name)
{
    return fopen(broker_rig_path(rig, name), "re");
}

void orders_read(const struct broker_rig *rig, struct orders_ledger *ret)
{
    struct orders_entry entry;
    int pid;
    size_t capacity = 0;
    FILE *file = open_book(rig, "ledger");

    *ret = (struct orders_ledger){0};
    while (file != NULL && fscanf(file, "%lu %d %15s %lu", &entry.version, &pid, entry.method, &entry.number) == 4) {
        if (ret->count == capacity) {
            capacity = capacity == 0 ? 256 : 2 * capacity;
            ret->entries = realloc(ret->entries, capacity * sizeof(*ret->entries));
            if (ret->entries == NULL)
                broker_rig_give_up(rig, "no memory for %zu entries", capacity);
        }
        entry.pid = pid;
        ret->entries[ret->count++] = entry;
    }
    if (file != NULL)
        fclose(file);
}

void orders_forget(struct orders_ledger *ledger)
{
    free(ledger->entries);
    *ledger = (struct orders_ledger){0};
}

size_t orders_count_call(const struct orders_ledger *ledger, unsigned long number, unsigned long *ret_version)
{
    size_t count = 0;

    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->entries[i].number != number)
            continue;
        count++;
        if (ret_version != NULL)
            *ret_version = ledger->entries[i].version;
    }
    return count;
}

static int compare_numbers(const void *a, const void *b)
{
    const unsigned long one = *(const unsigned long *)a, other = *(const unsigned long *)b;

    return one < other ? -1 : one > other;
}

unsigned long orders_find_repeated(const struct orders_ledger *ledger)
{
    unsigned long *numbers = calloc(ledger->count + 1, sizeof(*numbers)), found = 0;

    if (numbers == NULL)
        abort();
    for (size_t i = 0; i < ledger->count; i++)
        numbers[i] = ledger->entries[i].number;
    qsort(numbers, ledger->count, sizeof(*numbers), compare_numbers);
    for (size_t i = 1; i < ledger->count && found == 0; i++)
        if (numbers[i] == numbers[i - 1])
            found = numbers[i];
    free(numbers);
    return found;
}

size_t orders_count_starts(const struct broker_rig *rig, unsigned long version)
{
    unsigned long seen;
    int pid;
    size_t count = 0;
    FILE *file = open_book(rig, "starts");

    while (file != NULL && fscanf(file, "%lu %d", &seen, &pid) == 2)
        count += version == 0 || seen == version;
    if (file != NULL)
        fclose(file);
    return count;
}

static size_t count_method(const struct broker_rig *rig, const char *method)
{
    struct orders_ledger ledger;
    size_t count = 0;

    orders_read(rig, &ledger);
    for (size_t i = 0; i < ledger.count; i++)
        count += strcmp(ledger.entries[i].method, method) == 0;
    orders_forget(&ledger);
    return count;
}

void orders_await_begun(const struct broker_rig *rig, const char *method, size_t count)
{
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;

    while (count_method(rig, method) < count) {
        if (family_await_pidfd(rig->pidfd, LOOK_EVERY_MS))
            broker_rig_give_up(rig, "the broker has ended");
        if (sys_now_ms() > until_ms)
            broker_rig_give_up(rig, "waited in vain for %zu calls of '%s' to begin", count, method);
    }
}
