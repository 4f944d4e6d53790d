/* record.c - meta.json, written and read (record.h) */
#include "worker/build/record.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/sys/sys.h"
#include "worker/build/files.h"
#include "worker/build/trouble.h"

#define SCHEMA 1
#define SIZE_MAX_OF_FILE ((size_t)64 * 1024)

#define TEXT(name)                                                               \
    {                                                                            \
#name, offsetof(struct record, name), sizeof(((struct record *)0)->name) \
    }
static const struct {
    const char *key;
    size_t offset, size;
} texts[] = {TEXT(key), TEXT(source_key), TEXT(source), TEXT(message), TEXT(artefact), TEXT(system), TEXT(sandbox)};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

enum drover_status record_write(const struct record *record, const char *path, struct drover_error *error)
{
    json_t *json = json_pack("{s:i, s:s, s:s, s:I, s:I}", "schema", SCHEMA, "status",
                             drover_status_name(record->status), "form", artefact_form_name(record->form), "made_ms",
                             (json_int_t)record->made_ms, "taken_ms", (json_int_t)record->taken_ms);
    bool complete = json != NULL;
    for (size_t i = 0; i < TEXT_COUNT && complete; i++)
        complete = json_object_set_new(json, texts[i].key, json_string((const char *)record + texts[i].offset)) == 0;
    char *text = complete ? json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    json_decref(json);
    const enum drover_status status = text ? files_write(path, 0644, text, error) : trouble_memory(error);
    free(text);
    return status;
}

static bool get_text(const json_t *json, const char *key, char *target, size_t size)
{
    const char *text = json_string_value(json_object_get(json, key));
    const size_t length = text ? strlen(text) : size;
    if (length >= size)
        return false;
    memcpy(target, text, length + 1);
    return true;
}

static bool get_number(const json_t *json, const char *key, uint64_t *ret)
{
    const json_t *value = json_object_get(json, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_json(const json_t *json, struct record *record)
{
    char status[32], form[16];
    uint64_t schema;
    if (!get_number(json, "schema", &schema) || schema != SCHEMA || !get_number(json, "made_ms", &record->made_ms) ||
        !get_number(json, "taken_ms", &record->taken_ms) || !get_text(json, "status", status, sizeof(status)) ||
        drover_status_parse(status, &record->status) != 0 || !get_text(json, "form", form, sizeof(form)))
        return false;
    record->form = strcmp(form, artefact_form_name(ARTEFACT_MODULE)) == 0 ? ARTEFACT_MODULE : ARTEFACT_EXECUTABLE;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        if (!get_text(json, texts[i].key, (char *)record + texts[i].offset, texts[i].size))
            return false;
    }
    return true;
}

enum drover_status record_read(const char *path, struct record *ret, struct drover_error *error)
{
    struct record record = {0};
    char *text = NULL;
    size_t size = 0;
    const enum drover_status status = sys_read_file(path, SIZE_MAX_OF_FILE, &text, &size, error);
    if (status != DROVER_OK)
        return status;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const bool good = json && read_json(json, &record);
    json_decref(json);
    free(text);
    if (!good)
        return drover_error_set(error, DROVER_DATA_LOSS, "'%s': not what this version of drover writes", path);
    *ret = record;
    return DROVER_OK;
}

bool record_is_fresh_failure(const struct record *record, uint64_t now_ms)
{
    /* A clock that was set back makes it stale, not eternal. */
    return record->status != DROVER_OK && now_ms >= record->made_ms && now_ms - record->made_ms < RECORD_FAILURE_MS;
}
