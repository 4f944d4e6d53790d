/* request.c - the way from the request to one of its fields */
#include "drivers/users/request.h"

#include <stdio.h>
#include <string.h>

/* Longest name of a part of a field, with its NUL. */
#define PART_SIZE 32

static enum drover_status wrong_type(const char *what, const char *expected, const struct drover_value *value,
                                     struct drover_error *error)
{
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s must be a %s, not %s", what, expected,
                            drover_type_name(drover_value_type(value)));
}

/* Go to the map that holds the last part of `field`. An absent one is NULL: nothing is found in it. */
static enum drover_status enter(const struct drover_value *request, const char *field,
                                const struct drover_value **ret_map, const char **ret_last, struct drover_error *error)
{
    const char *dot = strchr(field, '.');
    char part[PART_SIZE], what[PART_SIZE + 8];

    if (drover_value_type(request) != DROVER_TYPE_MAP)
        return wrong_type("the request", "map", request, error);
    *ret_map = request;
    *ret_last = field;
    if (!dot)
        return DROVER_OK;
    (void)snprintf(part, sizeof(part), "%.*s", (int)(dot - field), field);
    (void)snprintf(what, sizeof(what), "field '%s'", part);
    *ret_map = drover_value_get(request, part);
    *ret_last = dot + 1;
    if (drover_value_type(*ret_map) != DROVER_TYPE_MAP && drover_value_type(*ret_map) != DROVER_TYPE_NIL)
        return wrong_type(what, "map", *ret_map, error);
    return DROVER_OK;
}

enum drover_status request_optional_text(const struct drover_value *request, const char *field,
                                         struct drover_text *ret_text, struct drover_error *error)
{
    const struct drover_value *map = NULL;
    const char *last = NULL;
    char what[2 * PART_SIZE];
    enum drover_status status = enter(request, field, &map, &last, error);

    if (status != DROVER_OK)
        return status;
    const struct drover_value *value = drover_value_get(map, last);
    if (drover_value_type(value) == DROVER_TYPE_NIL) {
        *ret_text = (struct drover_text){.data = "", .size = 0};
        return DROVER_OK;
    }
    (void)snprintf(what, sizeof(what), "field '%s'", field);
    return drover_value_text(value, ret_text) ? DROVER_OK : wrong_type(what, "string", value, error);
}

enum drover_status request_text(const struct drover_value *request, const char *field, struct drover_text *ret_text,
                                struct drover_error *error)
{
    const struct drover_value *map = NULL;
    const char *last = NULL;
    enum drover_status status = enter(request, field, &map, &last, error);

    if (status == DROVER_OK && drover_value_type(drover_value_get(map, last)) == DROVER_TYPE_NIL)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "field '%s' is missing", field);
    return status == DROVER_OK ? request_optional_text(request, field, ret_text, error) : status;
}
