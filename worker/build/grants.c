/* grants.c - what a manifest asks for against what a service grants (manifest_exceeds()) */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "worker/build/manifest.h"

#define LISTED_SIZE 200

/* Is `path` the folder `above`, or below it? Doubled slashes and "." are no difference. */
static bool is_below(const char *path, const char *above)
{
    for (;;) {
        above += strspn(above, "/");
        path += strspn(path, "/");
        const size_t wanted = strcspn(above, "/"), size = strcspn(path, "/");
        if (wanted == 1 && *above == '.') {
            above++;
        } else if (size == 1 && *path == '.') {
            path++;
        } else if (wanted == 0) {
            return true;
        } else if (wanted != size || memcmp(above, path, size) != 0) {
            return false;
        } else {
            above += wanted;
            path += size;
        }
    }
}

static bool is_granted(const char *path, const struct words *granted)
{
    for (size_t i = 0; i < granted->count; i++) {
        if (is_below(path, granted->items[i]))
            return true;
    }
    return false;
}

/* The list for a message: "[/a, /b]", cut when it is long. */
static const char *list(const struct words *words, char buffer[LISTED_SIZE])
{
    size_t used = 1;
    buffer[0] = '[';
    for (size_t i = 0; i < words->count && used < LISTED_SIZE - 2; i++) {
        const int size = snprintf(buffer + used, LISTED_SIZE - 1 - used, "%s%s", i > 0 ? ", " : "", words->items[i]);
        used += size < 0 ? 0 : (size_t)size;
        if (used > LISTED_SIZE - 2)
            used = LISTED_SIZE - 2;
    }
    buffer[used] = ']';
    buffer[used + 1] = '\0';
    return buffer;
}

static enum drover_status check_paths(const struct words *asked, const char *key, const struct words *granted,
                                      const struct words *also, struct drover_error *error)
{
    char granted_text[LISTED_SIZE];
    for (size_t i = 0; i < asked->count; i++) {
        const char *path = asked->items[i];
        if (is_granted(path, granted) || (also && is_granted(path, also)))
            continue;
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                MANIFEST_FILE
                                ": asks to %s '%.160s', but granted is %s: add it to 'grants: {%s: [...]}'"
                                " if the driver is trusted",
                                key, path, list(granted, granted_text), key);
    }
    return DROVER_OK;
}

static enum drover_status check_amount(const char *key, uint64_t asked, uint64_t granted, const char *unit,
                                       struct drover_error *error)
{
    if (granted == 0 || asked <= granted)
        return DROVER_OK;
    return drover_error_set(error, DROVER_PERMISSION_DENIED,
                            MANIFEST_FILE ": asks for %s %" PRIu64 " %s, but granted is %" PRIu64
                                          " %s: raise 'grants: {%s: ...}' if the driver is trusted",
                            key, asked, unit, granted, unit, key);
}

enum drover_status manifest_exceeds(const struct manifest *manifest, const struct permissions *grants,
                                    struct drover_error *error)
{
    const struct permissions *asked = &manifest->sandbox;
    enum drover_status status = DROVER_OK;
    if (asked->network > grants->network)
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                MANIFEST_FILE ": asks for network '%s', but granted is '%s': say 'grants: {network: "
                                              "%s}' if the driver is trusted",
                                network_access_name(asked->network), network_access_name(grants->network),
                                network_access_name(asked->network));
    status = check_paths(&asked->read, "read", &grants->read, &grants->write, error);
    if (status == DROVER_OK)
        status = check_paths(&asked->write, "write", &grants->write, NULL, error);
    if (status == DROVER_OK)
        status = check_amount("memory", asked->memory_bytes, grants->memory_bytes, "bytes", error);
    if (status == DROVER_OK)
        status = check_amount("cpu", asked->cpu_milli, grants->cpu_milli, "thousandths", error);
    return status;
}
