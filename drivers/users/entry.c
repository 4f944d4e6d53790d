/* entry.c - a table of the keys, and one function for each type of value */
#include "drivers/users/entry.h"

#include <stdalign.h>
#include <stddef.h>

struct field;

/* The object that is being read. */
struct entry {
    struct user *user;
    struct arena *arena;
    struct secret_kinds *secrets; /* NULL: not wanted */
    struct drover_error *error;
};

/* One key: where its value goes in struct user, of which type it is, and how it is read. */
struct field {
    const char *key;
    json_type type;
    enum drover_status (*read)(const struct entry *entry, const struct field *field, const json_t *value);
    size_t offset;
};

static void *at(const struct entry *entry, const struct field *field)
{
    return (char *)entry->user + field->offset;
}

static const char *type_name(json_type type)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",
        [JSON_ARRAY] = "an array",
        [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer",
        [JSON_REAL] = "a number with a fraction",
        [JSON_TRUE] = "a boolean",
        [JSON_FALSE] = "a boolean",
        [JSON_NULL] = "null",
    };

    return names[type];
}

static enum drover_status expect(const struct entry *entry, const char *key, json_type type, const json_t *value)
{
    if (json_typeof(value) == type)
        return DROVER_OK;
    return drover_error_set(entry->error, DROVER_INVALID_ARGUMENT, "'%s' must be %s, not %s", key, type_name(type),
                            type_name(json_typeof(value)));
}

/* A string of the file as a string of the directory. */
static enum drover_status keep_text(const struct entry *entry, const json_t *value, const char **ret_text)
{
    const char *copy = arena_copy(entry->arena, json_string_value(value), json_string_length(value));

    if (!copy)
        return DROVER_RESOURCE_EXHAUSTED;
    *ret_text = copy;
    return DROVER_OK;
}

static enum drover_status read_text(const struct entry *entry, const struct field *field, const json_t *value)
{
    return keep_text(entry, value, at(entry, field));
}

static enum drover_status read_integer(const struct entry *entry, const struct field *field, const json_t *value)
{
    int64_t *integer = at(entry, field);

    *integer = json_integer_value(value);
    return DROVER_OK;
}

static enum drover_status read_boolean(const struct entry *entry, const struct field *field, const json_t *value)
{
    bool *truth = at(entry, field);

    *truth = json_is_true(value);
    return DROVER_OK;
}

static enum drover_status read_secret(const struct entry *entry, const struct field *field, const json_t *value)
{
    enum drover_status status = keep_text(entry, value, &entry->user->secret);
    const char *wrong = status == DROVER_OK ? secret_kinds_add(entry->secrets, entry->user->secret) : NULL;

    if (wrong)
        return drover_error_set(entry->error, DROVER_INVALID_ARGUMENT, "'%s' %s", field->key, wrong);
    return status;
}

static enum drover_status read_groups(const struct entry *entry, const struct field *field, const json_t *value)
{
    size_t count = json_array_size(value);
    const char **names = arena_alloc(entry->arena, count * sizeof(*names), alignof(const char *));
    enum drover_status status = names ? DROVER_OK : DROVER_RESOURCE_EXHAUSTED;

    (void)field;
    for (size_t i = 0; status == DROVER_OK && i < count; i++) {
        const json_t *name = json_array_get(value, i);
        status = expect(entry, "groups[]", JSON_STRING, name);
        if (status == DROVER_OK)
            status = keep_text(entry, name, &names[i]);
    }
    if (status != DROVER_OK)
        return status;
    entry->user->groups = names;
    entry->user->group_count = count;
    return DROVER_OK;
}

static bool pack_value(struct drover_writer *writer, const json_t *value, unsigned depth);

static bool pack_array(struct drover_writer *writer, const json_t *array, unsigned depth)
{
    drover_write_array(writer, json_array_size(array));
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!pack_value(writer, json_array_get(array, i), depth))
            return false;
    return true;
}

static bool pack_object(struct drover_writer *writer, const json_t *object, unsigned depth)
{
    json_t *members = (json_t *)object; /* iterating wants it writable, and changes nothing */

    drover_write_map(writer, json_object_size(object));
    for (void *i = json_object_iter(members); i; i = json_object_iter_next(members, i)) {
        drover_write_string(writer, json_object_iter_key(i));
        if (!pack_value(writer, json_object_iter_value(i), depth))
            return false;
    }
    return true;
}

/* False when the value nests deeper than `depth` levels. */
static bool pack_value(struct drover_writer *writer, const json_t *value, unsigned depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return depth > 0 && pack_object(writer, value, depth - 1);
    case JSON_ARRAY:
        return depth > 0 && pack_array(writer, value, depth - 1);
    case JSON_STRING:
        drover_write_text(writer, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        drover_write_int64(writer, json_integer_value(value));
        break;
    case JSON_REAL:
        drover_write_double(writer, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        drover_write_bool(writer, json_is_true(value));
        break;
    case JSON_NULL:
        drover_write_nil(writer);
        break;
    }
    return true;
}

static enum drover_status keep_opaque(const struct entry *entry, const struct drover_writer *writer)
{
    size_t size = drover_writer_size(writer);
    const void *copy = drover_writer_ok(writer) ? arena_copy(entry->arena, drover_writer_data(writer), size) : NULL;

    if (!copy)
        return DROVER_RESOURCE_EXHAUSTED;
    entry->user->opaque = copy;
    entry->user->opaque_size = size;
    return DROVER_OK;
}

/* `opaque` is not ours to understand: it is turned into msgpack once, here, and goes into replies as it is. */
static enum drover_status read_opaque(const struct entry *entry, const struct field *field, const json_t *value)
{
    struct drover_writer *writer = drover_writer_new();
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;

    if (writer && pack_value(writer, value, ENTRY_OPAQUE_DEPTH_MAX))
        status = keep_opaque(entry, writer);
    else if (writer)
        status = drover_error_set(entry->error, DROVER_INVALID_ARGUMENT, "'%s' must not nest deeper than %d levels",
                                  field->key, ENTRY_OPAQUE_DEPTH_MAX);
    drover_writer_free(writer);
    return status;
}

static enum drover_status read_fields(const struct entry *entry, const struct field *fields, const json_t *object)
{
    enum drover_status status = DROVER_OK;

    for (const struct field *field = fields; status == DROVER_OK && field->key; field++) {
        const json_t *value = json_object_get(object, field->key);
        bool ignored = !value || json_is_null(value) || (field->read == read_secret && !entry->secrets);

        if (!ignored && !(field->type == JSON_TRUE && json_is_false(value)))
            status = expect(entry, field->key, field->type, value);
        if (!ignored && status == DROVER_OK)
            status = field->read(entry, field, value);
    }
    return status;
}

static enum drover_status read_id(const struct entry *entry, const struct field *field, const json_t *value)
{
    static const struct field fields[] = {
        {"opaque_id", JSON_STRING, read_text, offsetof(struct user, opaque_id)},
        {"idp", JSON_STRING, read_text, offsetof(struct user, idp)},
        {"type", JSON_INTEGER, read_integer, offsetof(struct user, type)},
        {0},
    };

    (void)field;
    return read_fields(entry, fields, value);
}

enum drover_status entry_read(const json_t *object, struct secret_kinds *secrets, struct arena *arena,
                              struct user *ret_user, struct drover_error *error)
{
    static const struct field fields[] = {
        {"id", JSON_OBJECT, read_id, 0},
        {"username", JSON_STRING, read_text, offsetof(struct user, username)},
        {"secret", JSON_STRING, read_secret, 0},
        {"mail", JSON_STRING, read_text, offsetof(struct user, mail)},
        {"mail_verified", JSON_TRUE, read_boolean, offsetof(struct user, mail_verified)},
        {"display_name", JSON_STRING, read_text, offsetof(struct user, display_name)},
        {"groups", JSON_ARRAY, read_groups, 0},
        {"uid_number", JSON_INTEGER, read_integer, offsetof(struct user, uid_number)},
        {"gid_number", JSON_INTEGER, read_integer, offsetof(struct user, gid_number)},
        {"opaque", JSON_OBJECT, read_opaque, 0},
        {0},
    };
    struct user user = {.opaque_id = "", .idp = "", .username = "", .mail = "", .display_name = "", .secret = ""};
    const struct entry entry = {.user = &user, .arena = arena, .secrets = secrets, .error = error};
    enum drover_status status = read_fields(&entry, fields, object);

    if (status == DROVER_OK)
        *ret_user = user;
    return status;
}
