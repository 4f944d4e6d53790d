/* lookup.c - one function a method: read the request, ask the directory, write the reply */
#include "drivers/users/lookup.h"

#include <stdlib.h>

#include "drivers/users/request.h"
#include "drivers/users/users.h"

static enum drover_status fail(struct drover_call *call, const struct drover_error *error)
{
    return drover_call_fail(call, error->status, "%s", error->text);
}

static enum drover_status not_found(struct drover_call *call, struct drover_text name)
{
    return drover_call_fail(call, DROVER_NOT_FOUND, "user '%.*s' not found", (int)name.size, name.data);
}

/* The user that the field `id` names. On failure the call has its error. */
static enum drover_status user_of_id(struct drover_call *call, const struct user **ret_user)
{
    const struct drover_value *request = drover_call_request(call);
    struct drover_text idp = {0}, opaque_id = {0};
    struct drover_error error = {0};

    if (request_text(request, "id.opaque_id", &opaque_id, &error) != DROVER_OK ||
        request_optional_text(request, "id.idp", &idp, &error) != DROVER_OK)
        return fail(call, &error);
    *ret_user = users_get(drover_call_state(call), idp, opaque_id);
    return *ret_user ? DROVER_OK : not_found(call, opaque_id);
}

static enum drover_status answer_user(struct drover_call *call, const struct user *user)
{
    struct drover_writer *reply = drover_call_reply(call);

    drover_write_map(reply, 1);
    drover_write_string(reply, "user");
    user_write(reply, user);
    return DROVER_OK;
}

static enum drover_status get_user(struct drover_call *call)
{
    const struct user *user = NULL;
    enum drover_status status = user_of_id(call, &user);

    return status == DROVER_OK ? answer_user(call, user) : status;
}

static enum drover_status get_user_by_claim(struct drover_call *call)
{
    const struct drover_value *request = drover_call_request(call);
    struct drover_text claim = {0}, value = {0};
    struct drover_error error = {0};

    if (request_text(request, "claim", &claim, &error) != DROVER_OK ||
        request_text(request, "value", &value, &error) != DROVER_OK)
        return fail(call, &error);

    const struct user *user = users_by_claim(drover_call_state(call), claim, value);
    return user ? answer_user(call, user) : not_found(call, value);
}

static enum drover_status get_user_groups(struct drover_call *call)
{
    struct drover_writer *reply = drover_call_reply(call);
    const struct user *user = NULL;
    enum drover_status status = user_of_id(call, &user);

    if (status != DROVER_OK)
        return status;
    drover_write_map(reply, 1);
    drover_write_string(reply, "groups");
    user_write_groups(reply, user);
    return DROVER_OK;
}

static enum drover_status find_users(struct drover_call *call)
{
    struct drover_writer *reply = drover_call_reply(call);
    const struct user **found = NULL;
    size_t count = 0;
    struct drover_text query = {0};
    struct drover_error error = {0};

    if (request_optional_text(drover_call_request(call), "query", &query, &error) != DROVER_OK ||
        users_find(drover_call_state(call), query, &found, &count, &error) != DROVER_OK)
        return fail(call, &error);
    drover_write_map(reply, 1);
    drover_write_string(reply, "users");
    drover_write_array(reply, count);
    for (size_t i = 0; i < count; i++)
        user_write(reply, found[i]);
    free(found);
    return DROVER_OK;
}

const struct drover_method lookup_methods[LOOKUP_METHOD_COUNT] = {
    {.name = "get_user", .run = get_user, .idempotent = true},
    {.name = "get_user_by_claim", .run = get_user_by_claim, .idempotent = true},
    {.name = "get_user_groups", .run = get_user_groups, .idempotent = true},
    {.name = "find_users", .run = find_users, .idempotent = true},
};
