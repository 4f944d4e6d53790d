/* greeting.c - HELLO and WELCOME as msgpack maps (docs/rfc/1.md, "HELLO", "WELCOME") */
#include <string.h>

#include "common/wire/greeting.h"

/* ---- writing ---- */

static void put_text(struct drover_writer *writer, const char *key, struct drover_text text)
{
    drover_write_string(writer, key);
    drover_write_text(writer, text.data != NULL ? text.data : "", text.size);
}

static void put_number(struct drover_writer *writer, const char *key, uint64_t number)
{
    drover_write_string(writer, key);
    drover_write_uint64(writer, number);
}

static void put_methods(struct drover_writer *writer, const struct wire_method *methods, size_t count)
{
    drover_write_string(writer, "methods");
    drover_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        drover_write_map(writer, 2);
        drover_write_string(writer, "name");
        drover_write_string(writer, methods[i].name);
        drover_write_string(writer, "idempotent");
        drover_write_bool(writer, methods[i].idempotent);
    }
}

void wire_hello_encode(const struct wire_hello *hello, const struct wire_method *methods, size_t method_count,
                       struct drover_writer *writer)
{
    const bool worker = hello->role == WIRE_ROLE_WORKER;
    const bool reconfigures = worker && hello->reconfigures;
    drover_write_map(writer, 6u + (worker ? 6u : 0u) + (reconfigures ? 1u : 0u) + (hello->has_token ? 1u : 0u));
    drover_write_string(writer, "role");
    drover_write_string(writer, wire_role_name(hello->role));
    put_number(writer, "version_min", hello->version_min);
    put_number(writer, "version_max", hello->version_max);
    put_text(writer, "software", hello->software);
    put_text(writer, "name", hello->name);
    put_number(writer, "instance", hello->instance);
    if (worker) {
        put_text(writer, "interface", hello->interface);
        put_text(writer, "interface_version", hello->interface_version);
        put_text(writer, "driver", hello->driver);
        put_text(writer, "driver_version", hello->driver_version);
        put_number(writer, "concurrency", hello->concurrency);
        put_methods(writer, methods, method_count);
    }
    if (reconfigures) {
        drover_write_string(writer, "reconfigure");
        drover_write_bool(writer, true);
    }
    if (hello->has_token) {
        drover_write_string(writer, "token");
        drover_write_bytes(writer, hello->token, sizeof(hello->token));
    }
}

void wire_welcome_encode(const struct wire_welcome *welcome, struct drover_writer *writer)
{
    const bool worker = welcome->service.size > 0;
    drover_write_map(writer, 7u + (worker ? 4u : 0u));
    put_number(writer, "version", welcome->version);
    put_number(writer, "session", welcome->session);
    put_text(writer, "software", welcome->software);
    put_number(writer, "incarnation", welcome->incarnation);
    put_number(writer, "max_body", welcome->max_body);
    put_number(writer, "open_max", welcome->open_max);
    put_number(writer, "ping_ms", welcome->ping_ms);
    if (worker) {
        put_text(writer, "service", welcome->service);
        put_number(writer, "generation", welcome->generation);
        put_text(writer, "artefact", welcome->artefact);
        drover_write_string(writer, "settings");
        if (welcome->settings_raw.size > 0)
            drover_write_raw(writer, welcome->settings_raw.data, welcome->settings_raw.size);
        else
            drover_write_map(writer, 0);
    }
}

/* ---- reading ---- */

/* Absent is fine and leaves `*ret` as it is; another type is not. */
static bool take_number(const struct drover_value *map, const char *key, uint64_t *ret, struct drover_error *error)
{
    const struct drover_value *value = drover_value_get(map, key);
    if (value == NULL || drover_value_uint64(value, ret))
        return true;
    (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key '%s' must be an unsigned number, got: %s", key,
                           drover_type_name(drover_value_type(value)));
    return false;
}

static bool take_text(const struct drover_value *map, const char *key, struct drover_text *ret,
                      struct drover_error *error)
{
    const struct drover_value *value = drover_value_get(map, key);
    if (value == NULL || (drover_value_text(value, ret) && ret->size <= WIRE_NAME_MAX))
        return true;
    (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key '%s' is no string of at most %d bytes", key,
                           WIRE_NAME_MAX);
    return false;
}

static bool take_role(const struct drover_value *map, enum wire_role *ret, struct drover_error *error)
{
    static const enum wire_role roles[] = {WIRE_ROLE_CLIENT, WIRE_ROLE_WORKER, WIRE_ROLE_ADMIN};
    const struct drover_text name = drover_value_get_text(map, "role", "");
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (drover_text_equals(name, wire_role_name(roles[i]))) {
            *ret = roles[i];
            return true;
        }
    }
    (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key 'role' is none of client, worker, admin");
    return false;
}

static bool take_token(const struct drover_value *map, struct wire_hello *hello, struct drover_error *error)
{
    const struct drover_value *value = drover_value_get(map, "token");
    struct drover_text token = {0};
    if (value == NULL)
        return true;
    if (!drover_value_bytes(value, &token) || token.size != sizeof(hello->token)) {
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key 'token' is not %d bytes", WIRE_TOKEN_SIZE);
        return false;
    }
    memcpy(hello->token, token.data, sizeof(hello->token));
    hello->has_token = true;
    return true;
}

static bool take_methods(const struct drover_value *map, const struct drover_value **ret, struct drover_error *error)
{
    const struct drover_value *methods = drover_value_get(map, "methods");
    if (methods == NULL)
        return true;
    if (drover_value_type(methods) != DROVER_TYPE_ARRAY || drover_value_count(methods) > WIRE_METHODS_MAX) {
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key 'methods' is no list of at most %d methods",
                               WIRE_METHODS_MAX);
        return false;
    }
    for (size_t i = 0; i < drover_value_count(methods); i++) {
        const struct drover_text name = drover_value_get_text(drover_value_at(methods, i), "name", "");
        if (name.size == 0 || name.size > WIRE_NAME_MAX) {
            (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key 'methods': entry %zu has no name", i);
            return false;
        }
    }
    *ret = methods;
    return true;
}

static bool take_flag(const struct drover_value *map, const char *key, bool *ret, struct drover_error *error)
{
    const struct drover_value *value = drover_value_get(map, key);
    if (value == NULL || drover_value_bool(value, ret))
        return true;
    (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key '%s' must be true or false, got: %s", key,
                           drover_type_name(drover_value_type(value)));
    return false;
}

static bool take_concurrency(const struct drover_value *map, uint64_t *ret, struct drover_error *error)
{
    if (!take_number(map, "concurrency", ret, error))
        return false;
    if (*ret >= 1 && *ret <= WIRE_CONCURRENCY_MAX)
        return true;
    (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key 'concurrency' is not in 1 to %d", WIRE_CONCURRENCY_MAX);
    return false;
}

static bool take_settings(const struct drover_value *map, const struct drover_value **ret, struct drover_error *error)
{
    const struct drover_value *value = drover_value_get(map, "settings");
    if (value == NULL || drover_value_type(value) == DROVER_TYPE_MAP) {
        *ret = value;
        return true;
    }
    (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "key 'settings' must be a map, got: %s",
                           drover_type_name(drover_value_type(value)));
    return false;
}

static enum drover_status refuse_other_than_map(const struct drover_value *map, struct drover_error *error)
{
    if (drover_value_type(map) == DROVER_TYPE_MAP)
        return DROVER_OK;
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "the body must be a map, got: %s",
                            drover_type_name(drover_value_type(map)));
}

enum drover_status wire_hello_decode(const struct drover_document *document, struct wire_hello *ret_hello,
                                     struct drover_error *error)
{
    const struct drover_value *map = drover_document_root(document);
    struct wire_hello hello = {.version_min = 1, .version_max = 1, .concurrency = 1};
    if (refuse_other_than_map(map, error) != DROVER_OK)
        return DROVER_INVALID_ARGUMENT;
    const bool good =
        take_role(map, &hello.role, error) && take_number(map, "version_min", &hello.version_min, error) &&
        take_number(map, "version_max", &hello.version_max, error) &&
        take_text(map, "software", &hello.software, error) && take_text(map, "name", &hello.name, error) &&
        take_number(map, "instance", &hello.instance, error) && take_text(map, "interface", &hello.interface, error) &&
        take_text(map, "interface_version", &hello.interface_version, error) &&
        take_text(map, "driver", &hello.driver, error) &&
        take_text(map, "driver_version", &hello.driver_version, error) &&
        take_concurrency(map, &hello.concurrency, error) && take_methods(map, &hello.methods, error) &&
        take_flag(map, "reconfigure", &hello.reconfigures, error) && take_token(map, &hello, error);
    if (!good)
        return DROVER_INVALID_ARGUMENT;
    *ret_hello = hello;
    return DROVER_OK;
}

enum drover_status wire_welcome_decode(const struct drover_document *document, struct wire_welcome *ret_welcome,
                                       struct drover_error *error)
{
    const struct drover_value *map = drover_document_root(document);
    struct wire_welcome welcome = {0};
    if (refuse_other_than_map(map, error) != DROVER_OK)
        return DROVER_INVALID_ARGUMENT;
    const bool good =
        take_number(map, "version", &welcome.version, error) && take_number(map, "session", &welcome.session, error) &&
        take_text(map, "software", &welcome.software, error) &&
        take_number(map, "incarnation", &welcome.incarnation, error) &&
        take_number(map, "max_body", &welcome.max_body, error) &&
        take_number(map, "open_max", &welcome.open_max, error) &&
        take_number(map, "ping_ms", &welcome.ping_ms, error) && take_text(map, "service", &welcome.service, error) &&
        take_number(map, "generation", &welcome.generation, error) &&
        take_text(map, "artefact", &welcome.artefact, error) && take_settings(map, &welcome.settings, error);
    if (!good)
        return DROVER_INVALID_ARGUMENT;
    if (welcome.version != WIRE_VERSION || welcome.session == 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "it chooses version %llu and session %llx",
                                (unsigned long long)welcome.version, (unsigned long long)welcome.session);
    *ret_welcome = welcome;
    return DROVER_OK;
}
