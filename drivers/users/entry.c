/* entry.c - a table of the keys, and one function for each type of value */
#include "drivers/users/entry.h"

#include <stdalign.h>
#include <stddef.h>

struct field;

/* The object that is being read. */
struct entry {
    const struct field *fields; /* its keys; the last row has none */
    struct user *user;
    struct arena *arena;
    struct secret_kinds *secrets; /* NULL: not wanted */
};

/* One key: where its value goes in struct user, and how it is read. */
struct field {
    const char *key;
    enum drover_status (*read)(const struct entry *entry, const struct field *field, struct reader *reader);
    size_t offset;
};

static void *at(const struct entry *entry, const struct field *field)
{
    return (char *)entry->user + field->offset;
}

static enum drover_status expect(const struct field *field, struct reader *reader, enum reader_kind kind)
{
    enum reader_kind got = reader_kind(reader);

    if (got == kind)
        return DROVER_OK;
    return reader_refuse(reader, reader->at, "'%s' must be %s, not %s", field->key, reader_kind_name(kind),
                         reader_kind_name(got));
}

/* A string of the file as a string of the directory. */
static enum drover_status keep_text(const struct entry *entry, struct reader *reader, const char **ret_text)
{
    struct drover_text text = {0};
    enum drover_status status = reader_string(reader, &text);

    if (status != DROVER_OK)
        return status;
    const char *copy = arena_copy(entry->arena, text.data, text.size);
    if (!copy)
        return reader_no_memory(reader);
    *ret_text = copy;
    return DROVER_OK;
}

static enum drover_status read_text(const struct entry *entry, const struct field *field, struct reader *reader)
{
    enum drover_status status = expect(field, reader, READER_STRING);

    return status == DROVER_OK ? keep_text(entry, reader, at(entry, field)) : status;
}

static enum drover_status read_integer(const struct entry *entry, const struct field *field, struct reader *reader)
{
    int64_t *integer = at(entry, field);
    struct reader_number number = {0};
    enum drover_status status = expect(field, reader, READER_NUMBER);
    size_t start = reader->at;

    if (status == DROVER_OK)
        status = reader_number(reader, &number);
    if (status != DROVER_OK)
        return status;
    if (!number.is_integer)
        return reader_refuse(reader, start, "'%s' must be an integer", field->key);
    *integer = number.integer;
    return DROVER_OK;
}

static enum drover_status read_boolean(const struct entry *entry, const struct field *field, struct reader *reader)
{
    bool *truth = at(entry, field);
    enum reader_kind kind = reader_kind(reader);

    if (kind != READER_TRUE && kind != READER_FALSE)
        return expect(field, reader, READER_TRUE);
    *truth = kind == READER_TRUE;
    return reader_skip(reader);
}

static enum drover_status read_secret(const struct entry *entry, const struct field *field, struct reader *reader)
{
    if (!entry->secrets)
        return reader_skip(reader);

    enum drover_status status = read_text(entry, field, reader);
    if (status != DROVER_OK)
        return status;
    const char *wrong = secret_kinds_add(entry->secrets, entry->user->secret);
    return wrong ? reader_refuse(reader, reader->at, "'%s' %s", field->key, wrong) : DROVER_OK;
}

/* The names of the groups while they are read. */
struct groups {
    const struct entry *entry;
    const char **names;
    size_t count;
};

static enum drover_status read_group(void *context, struct reader *reader)
{
    static const struct field field = {.key = "groups[]"};
    struct groups *groups = context;
    enum drover_status status = expect(&field, reader, READER_STRING);

    return status == DROVER_OK ? keep_text(groups->entry, reader, &groups->names[groups->count++]) : status;
}

static enum drover_status read_groups(const struct entry *entry, const struct field *field, struct reader *reader)
{
    struct groups groups = {.entry = entry};
    size_t count = 0;
    enum drover_status status = expect(field, reader, READER_ARRAY);

    if (status == DROVER_OK)
        status = reader_count(reader, &count);
    if (status != DROVER_OK)
        return status;
    groups.names = arena_alloc(entry->arena, count * sizeof(const char *), alignof(const char *));
    if (!groups.names)
        return reader_no_memory(reader);
    status = reader_array(reader, read_group, &groups);
    if (status != DROVER_OK)
        return status;
    entry->user->groups = groups.names;
    entry->user->group_count = count;
    return DROVER_OK;
}

/* `opaque` on its way to msgpack. */
struct pack {
    struct drover_writer *writer;
    unsigned depth; /* levels left */
};

static enum drover_status pack_value(struct pack *pack, struct reader *reader);

static enum drover_status pack_item(void *context, struct reader *reader)
{
    struct pack *pack = context;
    struct pack inner = {.writer = pack->writer, .depth = pack->depth - 1};

    if (pack->depth == 0)
        return reader_refuse(reader, reader->at, "'opaque' must not nest deeper than %d levels",
                             ENTRY_OPAQUE_DEPTH_MAX);
    return pack_value(&inner, reader);
}

static enum drover_status pack_member(void *context, struct reader *reader, struct drover_text key)
{
    struct pack *pack = context;

    drover_write_text(pack->writer, key.data, key.size);
    return pack_item(context, reader);
}

static enum drover_status pack_number(struct pack *pack, struct reader *reader)
{
    struct reader_number number = {0};
    enum drover_status status = reader_number(reader, &number);

    if (status != DROVER_OK)
        return status;
    if (number.is_integer)
        drover_write_int64(pack->writer, number.integer);
    else
        drover_write_double(pack->writer, number.real);
    return DROVER_OK;
}

static enum drover_status pack_string(struct pack *pack, struct reader *reader)
{
    struct drover_text text = {0};
    enum drover_status status = reader_string(reader, &text);

    if (status == DROVER_OK)
        drover_write_text(pack->writer, text.data, text.size);
    return status;
}

/* msgpack says first how many there are; counting reads every level once for each level above it, which is bounded. */
static enum drover_status pack_list(struct pack *pack, struct reader *reader, bool object)
{
    size_t count = 0;
    enum drover_status status = reader_count(reader, &count);

    if (status != DROVER_OK)
        return status;
    if (object) {
        drover_write_map(pack->writer, count);
        return reader_object(reader, pack_member, pack);
    }
    drover_write_array(pack->writer, count);
    return reader_array(reader, pack_item, pack);
}

static enum drover_status pack_value(struct pack *pack, struct reader *reader)
{
    enum reader_kind kind = reader_kind(reader);

    switch (kind) {
    case READER_OBJECT:
    case READER_ARRAY:
        return pack_list(pack, reader, kind == READER_OBJECT);
    case READER_STRING:
        return pack_string(pack, reader);
    case READER_NUMBER:
        return pack_number(pack, reader);
    case READER_TRUE:
    case READER_FALSE:
        drover_write_bool(pack->writer, kind == READER_TRUE);
        break;
    case READER_NULL:
    case READER_NOTHING:
        drover_write_nil(pack->writer);
        break;
    }
    return reader_skip(reader);
}

/* `opaque` is not ours to understand: it is turned into msgpack once, here, and goes into replies as it is. */
static enum drover_status read_opaque(const struct entry *entry, const struct field *field, struct reader *reader)
{
    enum drover_status status = expect(field, reader, READER_OBJECT);

    if (status != DROVER_OK)
        return status;
    struct pack pack = {.writer = drover_writer_new(), .depth = ENTRY_OPAQUE_DEPTH_MAX};
    if (!pack.writer)
        return reader_no_memory(reader);
    status = pack_value(&pack, reader);
    if (status == DROVER_OK) {
        size_t size = drover_writer_size(pack.writer);
        bool good = drover_writer_ok(pack.writer);
        entry->user->opaque = good ? arena_copy(entry->arena, drover_writer_data(pack.writer), size) : NULL;
        entry->user->opaque_size = size;
        status = entry->user->opaque ? DROVER_OK : reader_no_memory(reader);
    }
    drover_writer_free(pack.writer);
    return status;
}

static enum drover_status read_member(void *context, struct reader *reader, struct drover_text key)
{
    const struct entry *entry = context;

    for (const struct field *field = entry->fields; field->key; field++)
        if (drover_text_equals(key, field->key))
            return reader_kind(reader) == READER_NULL ? reader_skip(reader) : field->read(entry, field, reader);
    return reader_skip(reader);
}

static enum drover_status read_id(const struct entry *entry, const struct field *field, struct reader *reader)
{
    static const struct field fields[] = {
        {"opaque_id", read_text, offsetof(struct user, opaque_id)},
        {"idp", read_text, offsetof(struct user, idp)},
        {"type", read_integer, offsetof(struct user, type)},
        {NULL, NULL, 0},
    };
    struct entry id = *entry;
    enum drover_status status = expect(field, reader, READER_OBJECT);

    id.fields = fields;
    return status == DROVER_OK ? reader_object(reader, read_member, &id) : status;
}

static const struct field user_fields[] = {
    {"id", read_id, 0},
    {"username", read_text, offsetof(struct user, username)},
    {"secret", read_secret, offsetof(struct user, secret)},
    {"mail", read_text, offsetof(struct user, mail)},
    {"mail_verified", read_boolean, offsetof(struct user, mail_verified)},
    {"display_name", read_text, offsetof(struct user, display_name)},
    {"groups", read_groups, 0},
    {"uid_number", read_integer, offsetof(struct user, uid_number)},
    {"gid_number", read_integer, offsetof(struct user, gid_number)},
    {"opaque", read_opaque, 0},
    {NULL, NULL, 0},
};

enum drover_status entry_read(struct reader *reader, struct secret_kinds *secrets, struct arena *arena,
                              struct user *ret_user)
{
    struct user user = {.opaque_id = "", .idp = "", .username = "", .mail = "", .display_name = "", .secret = ""};
    struct entry entry = {.fields = user_fields, .user = &user, .arena = arena, .secrets = secrets};

    if (reader_kind(reader) != READER_OBJECT)
        return reader_refuse(reader, reader->at, "a user must be an object ('{' expected)");
    enum drover_status status = reader_object(reader, read_member, &entry);
    if (status == DROVER_OK)
        *ret_user = user;
    return status;
}
