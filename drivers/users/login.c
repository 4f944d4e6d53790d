/* login.c - authenticate */
#include "drivers/users/login.h"

#include "drivers/users/request.h"
#include "drivers/users/users.h"

/* What the caller may do in the user's name: the scope "user", with a role. */
static void write_scope(struct drover_writer *reply, const struct user *user)
{
    drover_write_map(reply, 1);
    drover_write_string(reply, "user");
    drover_write_map(reply, 1);
    drover_write_string(reply, "role");
    drover_write_string(reply, user->type == USER_TYPE_LIGHTWEIGHT ? "lightweight" : "owner");
}

static enum drover_status authenticate(struct drover_call *call)
{
    const struct drover_value *request = drover_call_request(call);
    struct drover_writer *reply = drover_call_reply(call);
    struct drover_text username = {0}, secret = {0};
    const struct user *user = NULL;
    struct drover_error error = {0};

    if (request_text(request, "client_id", &username, &error) != DROVER_OK ||
        request_text(request, "client_secret", &secret, &error) != DROVER_OK ||
        users_login(drover_call_state(call), username, secret, &user, &error) != DROVER_OK)
        return drover_call_fail(call, error.status, "%s", error.text);
    drover_write_map(reply, 2);
    drover_write_string(reply, "user");
    user_write(reply, user);
    drover_write_string(reply, "scope");
    write_scope(reply, user);
    return DROVER_OK;
}

const struct drover_method login_methods[LOGIN_METHOD_COUNT] = {
    {.name = "authenticate", .run = authenticate, .idempotent = true},
};
