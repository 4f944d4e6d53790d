/* grants.c - what a manifest asks for against what a service grants (manifest_exceeds(), permissions_parse()) */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "worker/build/manifest.h"
#include "worker/build/trouble.h"

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

/* --- grants as text ------------------------------------------------------------------------------------------------
 */

static bool parse_network(const json_t *value, enum network_access *ret)
{
    const char *word = json_string_value(value);
    for (int i = 0; word && i < NETWORK_END; i++) {
        if (strcmp(word, network_access_name((enum network_access)i)) == 0) {
            *ret = (enum network_access)i;
            return true;
        }
    }
    return value == NULL;
}

static bool parse_paths(const json_t *value, struct words *paths)
{
    size_t index;
    const json_t *item;
    json_array_foreach(value, index, item)
    {
        const char *path = json_string_value(item);
        if (!path)
            return false;
        words_add(paths, path);
    }
    return value == NULL || json_is_array(value);
}

static bool parse_amount(const json_t *value, uint64_t factor, uint64_t *ret)
{
    const double amount = json_number_value(value);
    if (value && (!json_is_number(value) || amount < 0 || amount > (double)(UINT64_C(1) << 50)))
        return false;
    *ret = (uint64_t)(amount * (double)factor);
    return true;
}

enum drover_status permissions_parse(const char *text, struct permissions *ret, struct drover_error *error)
{
    json_error_t why;
    *ret = (struct permissions){0};
    json_t *grants = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(grants)) {
        json_decref(grants);
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "grants are no JSON object");
    }
    const bool sound = parse_network(json_object_get(grants, "network"), &ret->network) &&
                       parse_paths(json_object_get(grants, "read"), &ret->read) &&
                       parse_paths(json_object_get(grants, "write"), &ret->write) &&
                       parse_amount(json_object_get(grants, "memory"), 1, &ret->memory_bytes) &&
                       parse_amount(json_object_get(grants, "cpu"), 1000, &ret->cpu_milli);
    json_decref(grants);
    if (!sound)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "grants are not of the form that the manual shows");
    return ret->read.no_memory || ret->write.no_memory ? trouble_memory(error) : DROVER_OK;
}

void permissions_done(struct permissions *permissions)
{
    words_done(&permissions->read);
    words_done(&permissions->write);
    *permissions = (struct permissions){0};
}
