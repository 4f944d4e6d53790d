/* test_users.c - every method of userprovider and authprovider, called as a user would, over the real files
 *
 * What is to be answered is worked out from the file itself, by the plainest means: a walk over its entries. Each file
 * is served by the built-in drivers and by the same drivers as executables that are named by their paths.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/command.h"

#define DATA DROVER_SOURCE_DIR "/../shared/data/"
#define EXECUTABLE DROVER_BINARY_DIR "/drivers/"
#define NOT_FOUND_CALLS 100000
#define NOT_FOUND_CALLS_SANITIZED 5000

static struct broker_rig rig;
static json_t *file; /* the users that are served */

static void start(const char *user_driver, const char *auth_driver, const char *settings)
{
    char services[1024];

    snprintf(services, sizeof(services),
             "  userprovider:\n    driver: %s\n%s  authprovider:\n    driver: %s\n%s"
             "  admins:\n    interface: userprovider\n    driver: demo\n",
             user_driver, settings, auth_driver, settings);
    broker_rig_init(&rig, services);
    broker_rig_start_and_await(&rig);
}

/* The drivers `json` on one of the real files, built in or as executables; a settings section has the driver's name. */
static void start_file(const char *name, bool executable)
{
    char path[512], settings[600];

    snprintf(path, sizeof(path), DATA "%s", name);
    if (access(path, R_OK) != 0)
        cr_skip_test("%s is not there", path);
    file = json_load_file(path, 0, NULL);
    cr_assert(json_is_array(file));
    snprintf(settings, sizeof(settings), "    json: {users: '%s'}\n", path);
    start(executable ? EXECUTABLE "userprovider/json" : "json", executable ? EXECUTABLE "authprovider/json" : "json",
          settings);
}

static void stop(void)
{
    broker_rig_done(&rig);
    json_decref(file);
    file = NULL;
}

/* ---- asking ---- */

/* A string as it stands in JSON, for a request; in one of four buffers that are used in turn. */
static const char *quote(const char *text)
{
    static char buffers[4][512];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];
    json_t *string = json_string(text);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);

    snprintf(buffer, sizeof(buffers[0]), "%s", quoted);
    free(quoted);
    json_decref(string);
    return buffer;
}

/* A call; `request` is free of single quotes. */
static void DROVER_PRINTF(3, 4) call(struct command *command, const char *method, const char *format, ...)
{
    char request[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(request, sizeof(request), format, arguments);
    va_end(arguments);
    command_run(command, &rig, "drover --json call %s '%s'", method, request);
}

/* The error of a driver: exit status 1, and this status. */
static void expect_error(struct command *command, const char *what, const char *status)
{
    cr_expect_eq(command->status, 1, "%s: exit status %d, %s", what, command->status, command->out);
    cr_expect_str_eq(command_text(command, "status"), status, "%s: %s", what, command->out);
    cr_expect_str_eq(command_text(command, "outcome"), "answered", "%s: %s", what, command->out);
    cr_expect_str_eq(command_text(command, "origin"), "driver", "%s: %s", what, command->out);
    command_done(command);
}

/* ---- what the file says ---- */

static const char *text_at(const json_t *entry, const char *path)
{
    const char *text = json_string_value(command_at(entry, path));

    return text != NULL ? text : "";
}

static json_int_t number_at(const json_t *entry, const char *path)
{
    return json_integer_value(command_at(entry, path));
}

/* The answer is this entry: each field as in the file or its type's zero, and nothing that is not a field. */
static void expect_user(const json_t *user, const json_t *entry, const char *what)
{
    static const char *const texts[] = {"id.opaque_id", "id.idp", "username", "mail", "display_name"};
    static const char *const numbers[] = {"id.type", "uid_number", "gid_number"};
    json_t *none = json_array(), *empty = json_object();
    const json_t *groups = command_at(entry, "groups"), *opaque = command_at(entry, "opaque");

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_expect_str_eq(text_at(user, texts[i]), text_at(entry, texts[i]), "%s: %s", what, texts[i]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cr_expect_eq(number_at(user, numbers[i]), number_at(entry, numbers[i]), "%s: %s", what, numbers[i]);
    cr_expect(json_is_boolean(command_at(user, "mail_verified")), "%s: mail_verified", what);
    cr_expect(json_equal(command_at(user, "groups"), groups != NULL ? groups : none), "%s: groups", what);
    cr_expect(json_equal(command_at(user, "opaque"), opaque != NULL ? opaque : empty), "%s: opaque", what);
    cr_expect_eq(json_object_size(user), 9, "%s: %zu fields", what, json_object_size(user));
    json_decref(none);
    json_decref(empty);
}

/* The first entry that get_user would find, by a walk; an empty name is nobody's. */
static const json_t *first_named(const char *idp, const char *name)
{
    for (size_t i = 0; *name != '\0' && i < json_array_size(file); i++) {
        const json_t *entry = json_array_get(file, i);
        const bool named =
            strcmp(text_at(entry, "id.opaque_id"), name) == 0 || strcmp(text_at(entry, "username"), name) == 0;
        if (named && (*idp == '\0' || strcmp(text_at(entry, "id.idp"), idp) == 0))
            return entry;
    }
    return NULL;
}

/* ---- each method ---- */

static void expect_get_user(const char *idp, const char *name)
{
    const json_t *entry = first_named(idp, name);
    struct command command;

    call(&command, "userprovider.get_user", "{\"id\": {\"idp\": %s, \"opaque_id\": %s}}", quote(idp), quote(name));
    if (entry == NULL) {
        expect_error(&command, name, "NOT_FOUND");
        return;
    }
    cr_expect_eq(command.status, 0, "%s: %s", name, command.out);
    cr_expect_eq(json_object_size(command.json), 1);
    expect_user(command_at(command.json, "user"), entry, name);
    command_done(&command);
}

static void expect_claim(const char *claim, const char *value, const json_t *entry)
{
    struct command command;

    call(&command, "userprovider.get_user_by_claim", "{\"claim\": %s, \"value\": %s}", quote(claim), quote(value));
    if (entry == NULL) {
        expect_error(&command, claim, "NOT_FOUND");
        return;
    }
    cr_expect_eq(command.status, 0, "%s %s: %s", claim, value, command.out);
    expect_user(command_at(command.json, "user"), entry, value);
    command_done(&command);
}

static void expect_groups(const char *name, const json_t *entry)
{
    struct command command;
    json_t *none = json_array();
    const json_t *groups = command_at(entry, "groups");

    call(&command, "userprovider.get_user_groups", "{\"id\": {\"opaque_id\": %s}}", quote(name));
    cr_expect_eq(command.status, 0, "%s: %s", name, command.out);
    cr_expect(json_equal(command_at(command.json, "groups"), groups != NULL ? groups : none), "%s: %s", name,
              command.out);
    json_decref(none);
    command_done(&command);
}

/* The users found are `count`, sorted by username. */
static void expect_found(const char *query, size_t count)
{
    struct command command;

    call(&command, "userprovider.find_users", "{\"query\": %s}", quote(query));
    const json_t *users = command_at(command.json, "users");
    cr_expect_eq(command.status, 0, "'%s': %s", query, command.out);
    cr_expect(json_is_array(users) && json_array_size(users) == count, "'%s' found %zu: %s", query,
              json_array_size(users), command.out);
    for (size_t i = 1; i < json_array_size(users); i++)
        cr_expect(strcmp(text_at(json_array_get(users, i - 1), "username"),
                         text_at(json_array_get(users, i), "username")) <= 0,
                  "'%s': not sorted: %s", query, command.out);
    command_done(&command);
}

static void login(struct command *command, const char *name, const char *secret)
{
    call(command, "authprovider.authenticate", "{\"client_id\": %s, \"client_secret\": %s}", quote(name),
         quote(secret));
}

static void expect_login(const json_t *entry)
{
    const char *name = text_at(entry, "username");
    struct command command;

    login(&command, name, text_at(entry, "secret"));
    cr_expect_eq(command.status, 0, "%s: %s", name, command.out);
    expect_user(command_at(command.json, "user"), entry, name);
    cr_expect_str_eq(command_text(&command, "scope.user.role"), "owner", "%s", command.out);
    command_done(&command);
    login(&command, name, "guessed");
    cr_expect_null(strstr(command.out, text_at(entry, "secret")), "%s", command.out);
    expect_error(&command, name, "UNAUTHENTICATED");
    login(&command, name, "");
    expect_error(&command, name, "UNAUTHENTICATED");
}

/* ---- all of it ---- */

static void expect_entry(const json_t *entry)
{
    const char *id = text_at(entry, "id.opaque_id"), *name = text_at(entry, "username"), *mail = text_at(entry, "mail");
    char uid[32];

    snprintf(uid, sizeof(uid), "%lld", number_at(entry, "uid_number"));
    expect_get_user("", id);
    expect_get_user(text_at(entry, "id.idp"), id);
    expect_get_user("https://elsewhere.example", id);
    expect_groups(id, entry);
    expect_claim("mail", mail, entry);
    expect_claim("mail", "MAIL@nowhere", NULL);
    if (number_at(entry, "uid_number") != 0)
        expect_claim("uid", uid, entry);
    if (*name == '\0')
        return;
    expect_get_user("", name);
    expect_get_user(text_at(entry, "id.idp"), name);
    expect_groups(name, entry);
    expect_claim("username", name, entry);
    expect_found(name, 1);
    expect_found(mail, 1);
    expect_login(entry);
}

static void expect_what_is_nobody(void)
{
    struct command command;

    expect_get_user("", "nobody");
    expect_get_user("", "");
    expect_claim("username", "nobody", NULL);
    expect_claim("uid", "0", NULL);
    expect_claim("uid", "none", NULL);
    expect_claim("shoe_size", "44", NULL);
    expect_found("nobody here is called so", 0);
    call(&command, "userprovider.get_user_groups", "{\"id\": {\"opaque_id\": \"nobody\"}}");
    expect_error(&command, "groups of nobody", "NOT_FOUND");
    login(&command, "nobody", "relativity");
    expect_error(&command, "login of nobody", "UNAUTHENTICATED");
    login(&command, "", "");
    expect_error(&command, "login without a name", "UNAUTHENTICATED");
}

static void expect_bad_requests(void)
{
    static const struct {
        char method[40], request[64], status[24];
    } bad[] = {
        {"userprovider.get_user", "{}", "INVALID_ARGUMENT"},
        {"userprovider.get_user", "{\"id\": \"einstein\"}", "INVALID_ARGUMENT"},
        {"userprovider.get_user", "{\"id\": {\"opaque_id\": 7}}", "INVALID_ARGUMENT"},
        {"userprovider.get_user", "[]", "INVALID_ARGUMENT"},
        {"userprovider.get_user_by_claim", "{\"claim\": \"mail\"}", "INVALID_ARGUMENT"},
        {"userprovider.get_user_groups", "{\"id\": {}}", "INVALID_ARGUMENT"},
        {"userprovider.find_users", "{\"query\": 7}", "INVALID_ARGUMENT"},
        {"userprovider.find_user", "{}", "UNIMPLEMENTED"},
        {"authprovider.authenticate", "{\"client_id\": \"einstein\"}", "INVALID_ARGUMENT"},
        {"authprovider.get_user", "{}", "UNIMPLEMENTED"},
    };
    struct command command;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        call(&command, bad[i].method, "%s", bad[i].request);
        cr_expect_eq(command.status, 1, "%s: %s", bad[i].method, command.out);
        cr_expect_str_eq(command_text(&command, "status"), bad[i].status, "%s: %s", bad[i].method, command.out);
        command_done(&command);
    }
}

/* Neither the broker nor a worker has printed a secret. */
static void expect_no_secret_in_the_logs(void)
{
    struct command command;
    char *output = broker_rig_output(&rig);

    command_run(&command, &rig, "drover logs; drover status; drover --json status");
    for (size_t i = 0; i < json_array_size(file); i++) {
        const char *secret = text_at(json_array_get(file, i), "secret");
        if (strlen(secret) < 5) /* such a word is anywhere */
            continue;
        cr_expect_null(strstr(output, secret), "%s", output);
        cr_expect_null(strstr(command.out, secret), "%s", command.out);
    }
    free(output);
    command_done(&command);
}

static void expect_all(const char *name, bool executable)
{
    start_file(name, executable);
    for (size_t i = 0; i < json_array_size(file); i++)
        expect_entry(json_array_get(file, i));
    expect_found("", json_array_size(file));
    expect_what_is_nobody();
    expect_bad_requests();
    expect_no_secret_in_the_logs();
    stop();
}

Test(users_revad, are_served_by_the_built_in_drivers)
{
    expect_all("users-revad.json", false);
}

Test(users_revad, are_served_by_executables)
{
    expect_all("users-revad.json", true);
}

Test(users_ocmd, are_served_by_the_built_in_drivers)
{
    expect_all("users-ocmd.json", false);
}

Test(users_ocmd, are_served_by_executables)
{
    expect_all("users-ocmd.json", true);
}

Test(users_two_server, are_served_by_the_built_in_drivers)
{
    expect_all("users-two-server.json", false);
}

Test(users_two_server, are_served_by_executables)
{
    expect_all("users-two-server.json", true);
}

/* A file of groups: no usernames, no secrets. */
Test(groups_reva_cli, are_served_by_the_built_in_drivers)
{
    expect_all("groups-reva-cli.json", false);
}

Test(groups_reva_cli, are_served_by_executables)
{
    expect_all("groups-reva-cli.json", true);
}

/* ---- demo: what it has is known ---- */

static void expect_demo(bool executable)
{
    static const struct {
        char name[16], mail[32], secret[16], uid[8];
    } users[] = {
        {"einstein", "einstein@example.org", "relativity", "101"},
        {"marie", "marie@example.org", "radioactivity", "102"},
        {"richard", "richard@example.org", "superfluidity", "103"},
    };
    start(executable ? EXECUTABLE "userprovider/demo" : "demo", executable ? EXECUTABLE "authprovider/demo" : "demo",
          "");
    for (size_t i = 0; i < 3; i++) {
        struct command command;
        call(&command, "userprovider.get_user", "{\"id\": {\"opaque_id\": %s}}", quote(users[i].name));
        cr_expect_str_eq(command_text(&command, "user.mail"), users[i].mail, "%s", command.out);
        command_done(&command);
        call(&command, "userprovider.get_user_by_claim", "{\"claim\": \"uid\", \"value\": %s}", quote(users[i].uid));
        cr_expect_str_eq(command_text(&command, "user.username"), users[i].name, "%s", command.out);
        command_done(&command);
        call(&command, "userprovider.get_user_groups", "{\"id\": {\"opaque_id\": %s}}", quote(users[i].name));
        cr_expect_eq(json_array_size(command_at(command.json, "groups")), 3, "%s", command.out);
        command_done(&command);
        login(&command, users[i].name, users[i].secret);
        cr_expect_str_eq(command_text(&command, "user.username"), users[i].name, "%s", command.out);
        cr_expect_str_eq(command_text(&command, "scope.user.role"), "owner", "%s", command.out);
        command_done(&command);
        login(&command, users[i].name, "guessed");
        expect_error(&command, users[i].name, "UNAUTHENTICATED");
        expect_found(users[i].mail, 1);
    }
    expect_found("", 3);
    expect_what_is_nobody();
    expect_bad_requests();
    stop();
}

Test(users_demo, are_served_by_the_built_in_drivers)
{
    expect_demo(false);
}

Test(users_demo, are_served_by_executables)
{
    expect_demo(true);
}

/* ---- errors wear nothing out ---- */

Test(not_found, a_hundred_thousand_times_in_a_row_and_then_a_good_call)
{
    const unsigned count = broker_rig_is_sanitized() ? NOT_FOUND_CALLS_SANITIZED : NOT_FOUND_CALLS;
    struct broker_rig_service before, after;
    struct command command;

    start("demo", "demo", "");
    broker_rig_look(&rig, "userprovider", &before);
    command_run(&command, &rig,
                "drover call userprovider.get_user '{\"id\": {\"opaque_id\": \"nobody\"}}' --repeat %u 2>&1 | sort | "
                "uniq -c",
                count);
    unsigned said = 0;
    char text[128] = "";
    cr_expect_eq(sscanf(command.out, "%u %127[^\n]", &said, text), 2, "%s", command.out);
    cr_expect_eq(said, count, "%s", command.out);
    cr_expect_str_eq(text, "NOT_FOUND: user 'nobody' not found (outcome: answered, origin: driver)");
    cr_expect_eq(strchr(command.out, '\n'), command.out + strlen(command.out) - 1, "%s", command.out);
    command_done(&command);
    call(&command, "userprovider.get_user", "{\"id\": {\"opaque_id\": \"einstein\"}}");
    cr_expect_eq(command.status, 0, "%s", command.out);
    cr_expect_str_eq(command_text(&command, "user.username"), "einstein", "%s", command.out);
    command_done(&command);
    broker_rig_look(&rig, "userprovider", &after);
    cr_expect_eq(after.failed - before.failed, count);
    cr_expect_eq(after.calls - before.calls, count + 1);
    cr_expect_eq(after.workers[0].pid, before.workers[0].pid, "the worker was replaced");
    stop();
}
