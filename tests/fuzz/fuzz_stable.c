/* fuzz_stable.c - any bytes as what a service remembers of its versions: it is written again as it was, or has mistakes
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/rollout/stable.h"

static void check_mistakes(const struct stable_mistakes *mistakes)
{
    FUZZ_CHECK(mistakes->count > 0 && mistakes->count <= STABLE_MISTAKES_MAX);
    FUZZ_CHECK(mistakes->unlisted == 0 || mistakes->count == STABLE_MISTAKES_MAX);
    for (size_t i = 0; i < mistakes->count; i++) {
        FUZZ_CHECK(strncmp(mistakes->lines[i], "fuzz:", strlen("fuzz:")) == 0);
        FUZZ_CHECK(strchr(mistakes->lines[i], '\n') == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rollout_memory memory;
    struct stable_mistakes mistakes;
    const enum drover_status status = stable_parse((const char *)data, size, "fuzz", &memory, &mistakes);
    if (status != DROVER_OK) {
        FUZZ_CHECK(status == DROVER_INVALID_ARGUMENT);
        check_mistakes(&mistakes);
        return 0;
    }
    FUZZ_CHECK(memory.stable_count <= ROLLOUT_STABLE_MAX && memory.quarantine_count <= ROLLOUT_QUARANTINE_MAX);
    char *text = stable_write(&memory);
    struct rollout_memory again;
    FUZZ_CHECK(text != NULL && stable_parse(text, strlen(text), "fuzz", &again, &mistakes) == DROVER_OK);
    char *second = stable_write(&again);
    FUZZ_CHECK(second != NULL && strcmp(second, text) == 0);
    free(second);
    free(text);
    return 0;
}
