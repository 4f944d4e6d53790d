/* fuzz_binary.c - any bytes as a file that may be a program: no fault, no endless look, and the same answer twice */
#include <string.h>

#include "common/sys/binary.h"
#include "tests/fuzz/fuzz.h"

#define READS_MAX 65536 /* dynamic section, one chain with a symbol and its name each */

struct bytes {
    const uint8_t *data;
    size_t size;
    unsigned reads;
};

static bool read_bytes(void *context, uint64_t at, void *data, size_t size)
{
    struct bytes *bytes = context;
    FUZZ_CHECK(++bytes->reads < READS_MAX);
    if (at > bytes->size || size > bytes->size - at)
        return false;
    memcpy(data, bytes->data + at, size);
    return true;
}

static enum binary_kind examine(const uint8_t *data, size_t size)
{
    struct bytes bytes = {.data = data, .size = size};
    return binary_examine(&(struct binary_source){.read = read_bytes, .context = &bytes});
}

/* A module bears the name of its descriptor. */
static bool has_name(const uint8_t *data, size_t size)
{
    return memmem(data, size, BINARY_DESCRIPTOR, sizeof(BINARY_DESCRIPTOR)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const enum binary_kind kind = examine(data, size);
    FUZZ_CHECK((unsigned)kind < BINARY_KIND_END && kind != BINARY_UNREADABLE);
    FUZZ_CHECK(examine(data, size) == kind);
    FUZZ_CHECK((kind == BINARY_EMPTY) == (size == 0));
    FUZZ_CHECK(kind != BINARY_MODULE || has_name(data, size));
    FUZZ_CHECK(strlen(binary_kind_text(kind)) > 0);
    return 0;
}
