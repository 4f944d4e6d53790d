/* fuzz_lock.c - any bytes as a lock file: a lock that is written and read back as it is, or messages with a place */
#include <stdlib.h>
#include <string.h>

#include "common/config/lock.h"
#include "tests/fuzz/fuzz.h"

static void check_messages(const struct config_messages *messages)
{
    FUZZ_CHECK(messages->count > 0);
    for (size_t i = 0; i < messages->count; i++) {
        FUZZ_CHECK(strncmp(messages->lines[i], "fuzz.lock:", strlen("fuzz.lock:")) == 0);
        FUZZ_CHECK(strchr(messages->lines[i], '\n') == NULL);
    }
}

static void check_lock(const struct lock *lock)
{
    struct lock *again = NULL;
    struct config_messages messages;
    char *text = lock_write(lock);
    FUZZ_CHECK(text != NULL);
    FUZZ_CHECK(lock_parse(text, strlen(text), "fuzz.lock", &again, &messages) == DROVER_OK);
    FUZZ_CHECK(again->count == lock->count && messages.count == 0);
    char *second = lock_write(again);
    FUZZ_CHECK(second != NULL && strcmp(text, second) == 0);
    for (size_t i = 0; i < lock->count; i++) {
        const struct lock_entry *entry = &lock->entries[i];
        FUZZ_CHECK(lock_find(lock, entry->url, entry->requested, entry->subdir) == entry);
    }
    free(second);
    free(text);
    lock_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    const enum drover_status status = lock_parse((const char *)data, size, "fuzz.lock", &lock, &messages);
    if (status == DROVER_OK) {
        FUZZ_CHECK(messages.count == 0);
        check_lock(lock);
    } else {
        FUZZ_CHECK(status == DROVER_INVALID_ARGUMENT && lock == NULL);
        check_messages(&messages);
    }
    config_messages_done(&messages);
    lock_free(lock);
    return 0;
}
