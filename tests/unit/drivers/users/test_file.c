/* test_file.c - what a users file may look like, and how its mistakes are named */
#include "users_fixture.h"

/* A wrong file and the error without the path; no error ever has the word "hush" in it, which stands in some secrets.
 */
struct mistake {
    char json[200];
    char place[16];
    char why[120];
};

static const struct mistake mistakes[] = {
    {"", ":1:1: ", "an array of users is expected ('[') (the file ends here)"},
    {"{}", ":1:1: ", "an array of users is expected ('[')"},
    {" \n  null", ":2:3: ", "an array of users is expected ('[')"},
    {"\xef\xbb\xbf[]", ":1:1: ", "an array of users is expected ('[')"},
    {"[\n  {},\n  7\n]", ":3:3: ", "a user must be an object ('{' expected)"},
    {"[{},]", ":1:5: ", "a user must be an object ('{' expected)"},
    {"[", ":1:2: ", "a user must be an object ('{' expected) (the file ends here)"},
    {"[{}", ":1:4: ", "',' or ']' expected (the file ends here)"},
    {"[{} {}]", ":1:5: ", "',' or ']' expected"},
    {"[{}] x", ":1:6: ", "nothing may follow here"},
    {"[\n  {\"mail\": \"a\",\n   \"secret\" \"hush\"}]", ":3:18: ", "':' expected"},
    {"[{\"mail\": \"\xc3\xa4\"}, {\"secret\": \"hush\" 1}]", ":1:35: ", "'}' expected"},
    {"[{\"mail\": \"a\", }]", ":1:16: ", "string or '}' expected"},
    {"[{\"secret\": \"hush", ":1:17: ", "premature end of input"},
    {"[{}, {\"secret\": \"x\nhush\"}]", ":1:18: ", "unexpected newline"},
    {"[{\"secret\": hush}]", ":1:16: ", "invalid token"},
    {"[{\"secret\": \"\\uhush\"}]", ":1:16: ", "invalid escape"},
    {"[{\"secret\": \"\\uhush!\"}]", ":1:16: ", "invalid escape"},
    {"[{\"secret\": \"hush\\u0000\"}]", ":1:", "\\u0000 is not allowed"},
    {"[\n{\"secret\": \"hush\xff\"}]", ":2:", "unable to decode byte 0xff"},
    {"[{\"uid_number\": 9223372036854775808}]", ":1:", "too big integer"},
    {"[{\"opaque\": {\"a\": nix}}]", ":1:", "invalid token"},
    {"[{}, {\"username\": \"ada\", \"mail\": 3}]",
     ":1:6: ", "entry 2, username \"ada\": 'mail' must be a string, not an integer"},
    {"[\n {\"username\": \"ada\",\n \"secret\": [\"hush\"]}]",
     ":2:2: ", "entry 1, username \"ada\": 'secret' must be a string, not an array"},
    {"[{}, {},\n{\"id\": \"ada\"}]", ":2:1: ", ": entry 3: 'id' must be an object, not a string"},
    {"[{\"id\": {\"idp\": true}}]", ":1:2: ", "'idp' must be a string, not a boolean"},
    {"[{\"id\": {\"type\": \"1\"}}]", ":1:2: ", "'type' must be an integer, not a string"},
    {"[{\"uid_number\": 1.5}]", ":1:2: ", "'uid_number' must be an integer, not a number with a fraction"},
    {"[{\"mail_verified\": 0}]", ":1:2: ", "'mail_verified' must be a boolean, not an integer"},
    {"[{\"groups\": {}}]", ":1:2: ", "'groups' must be an array, not an object"},
    {"[{\"groups\": [\"a\", null]}]", ":1:2: ", "'groups[]' must be a string, not null"},
    {"[{\"opaque\": []}]", ":1:2: ", "'opaque' must be an object, not an array"},
    {"[{\"username\": \"a\\n\\\"b\", \"mail\": {}}]", ":1:2: ", "entry 1, username \"a\\n\\\"b\": 'mail' must be"},
    {"[{\"username\": 7}]", ":1:2: ", ": entry 1: 'username' must be a string, not an integer"},
    {"[{\"username\": \"0123456789012345678901234567890123456789012345678901234567890123x\", \"mail\": 1}]",
     ":1:2: ", ": entry 1: 'mail' must be a string, not an integer"},
};

Test(users_file, names_file_line_and_column_of_a_mistake)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct users *users = NULL;
        struct drover_error error = {0};

        cr_expect_eq(load_text(mistakes[i].json, USERS_FOR_LOGIN, &users, &error), DROVER_INVALID_ARGUMENT);
        cr_expect_null(users);
        cr_expect(strncmp(error.text, "/tmp/drover-users-", 18) == 0, "%s", error.text);
        cr_expect(strstr(error.text, mistakes[i].place), "%s, expected at%s", error.text, mistakes[i].place);
        cr_expect(strstr(error.text, mistakes[i].why), "%s, expected: %s", error.text, mistakes[i].why);
        cr_expect_null(strstr(error.text, "hush"), "%s", error.text);
    }
}

Test(users_file, that_is_missing_or_a_folder_is_named)
{
    struct users *users = NULL;
    struct drover_error error = {0};

    cr_assert_eq(users_load("/nonexistent/users.json", USERS_FOR_LOOKUP, &users, &error), DROVER_INVALID_ARGUMENT);
    cr_assert_str_eq(error.text, "users file '/nonexistent/users.json': No such file or directory");
    cr_assert_eq(users_load("/tmp", USERS_FOR_LOOKUP, &users, &error), DROVER_INVALID_ARGUMENT);
    cr_assert_str_eq(error.text, "users file '/tmp': Is a directory");
}

/* 25 levels are refused, 24 are not; a reply nests a few levels more, and may nest 32. */
Test(users_file, limits_the_nesting_of_opaque)
{
    char json[256] = "[{\"opaque\": {\"a\":";
    struct users *users = NULL;
    struct drover_error error = {0};

    for (int i = 0; i < 23; i++)
        strcat(json, "[");
    strcat(json, "7");
    for (int i = 0; i < 23; i++)
        strcat(json, "]");
    strcat(json, "}}]");
    users = users_free(users_of(json, USERS_FOR_LOOKUP));

    char *seven = strchr(json, '7');
    memmove(seven + 2, seven, strlen(seven) + 1);
    memcpy(seven, "[[", 2);
    char *close = strchr(json, ']');
    memmove(close + 2, close, strlen(close) + 1);
    memcpy(close, "]]", 2);
    cr_assert_eq(load_text(json, USERS_FOR_LOOKUP, &users, &error), DROVER_INVALID_ARGUMENT);
    cr_assert(strstr(error.text, "'opaque' must not nest deeper than 24 levels"), "%s", error.text);
}

Test(users_file, may_lack_everything)
{
    struct users *users = users_of(
        "[{}, {\"id\": null, \"username\": \"ada\", \"mail\": null, \"groups\": [], \"x\": [1]}]", USERS_FOR_LOOKUP);
    const struct user *ada = users_get(users, nothing, user_text("ada"));

    cr_assert_eq(users_count(users), 2);
    cr_assert_str_eq(username_of(ada), "ada");
    cr_assert_str_eq(ada->opaque_id, "");
    cr_assert_str_eq(ada->mail, "");
    cr_assert_eq(ada->group_count, 0);
    cr_assert_null(users_get(users, nothing, nothing));
    cr_assert_null(users_by_claim(users, user_text("mail"), nothing));
    users_free(users);
}

Test(users_file, may_be_an_empty_array)
{
    struct users *users = users_of(" [ ] \r\n", USERS_FOR_LOOKUP);

    cr_assert_eq(users_count(users), 0);
    cr_assert_null(users_get(users, nothing, user_text("ada")));
    users_free(users);
}

Test(users_file, has_no_secret_in_a_directory_for_lookups)
{
    struct users *users = users_of("[{\"username\": \"ada\", \"secret\": \"hush\"}]", USERS_FOR_LOOKUP);

    cr_assert_str_eq(users_get(users, nothing, user_text("ada"))->secret, "");
    users_free(users);
}

static enum drover_status configure(struct drover_writer *writer, struct drover_error *error)
{
    struct drover_document *document = NULL;
    void *state = NULL;

    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, error),
                 DROVER_OK);
    enum drover_status status = users_configure(drover_document_root(document), USERS_FOR_LOOKUP, &state, error);
    users_release(state);
    drover_document_free(document);
    drover_writer_clear(writer);
    return status;
}

Test(users_file, is_named_by_the_setting)
{
    struct drover_writer *writer = drover_writer_new();
    struct drover_error error = {0};

    drover_write_map(writer, 0);
    cr_expect_eq(configure(writer, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "setting 'users' is missing"), "%s", error.text);
    drover_write_map(writer, 1);
    drover_write_string(writer, "users");
    drover_write_int64(writer, 3);
    cr_expect_eq(configure(writer, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "setting 'users' must be the path"), "%s", error.text);
    drover_write_map(writer, 1);
    drover_write_string(writer, "users");
    drover_write_string(writer, DROVER_SOURCE_DIR "/deploy/users.json");
    cr_expect_eq(configure(writer, &error), DROVER_OK, "%s", error.text);
    drover_writer_free(writer);
}

static enum drover_status reconfigure(void *state, const char *path, struct drover_error *error)
{
    struct drover_writer *writer = drover_writer_new();
    struct drover_document *document = NULL;

    drover_write_map(writer, 1);
    drover_write_string(writer, "users");
    drover_write_string(writer, path);
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, error),
                 DROVER_OK);
    enum drover_status status = users_reconfigure(state, drover_document_root(document), error);
    drover_document_free(document);
    drover_writer_free(writer);
    return status;
}

Test(users_file, takes_the_place_of_another_only_when_it_is_good)
{
    struct users *users = users_of("[{\"username\": \"ada\"}]", USERS_FOR_LOOKUP);
    struct drover_error error = {0};

    cr_expect_eq(reconfigure(users, "/nowhere/users.json", &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "/nowhere/users.json"), "%s", error.text);
    cr_assert_not_null(users_get(users, nothing, user_text("ada")));
    cr_expect_eq(reconfigure(users, DROVER_SOURCE_DIR "/deploy/users.json", &error), DROVER_OK, "%s", error.text);
    cr_expect_null(users_get(users, nothing, user_text("ada")));
    cr_expect_not_null(users_get(users, nothing, user_text("einstein")));
    users_free(users);
}

Test(users_file, is_for_logins_still_when_it_took_the_place_of_another)
{
    struct users *users = users_of("[{\"username\": \"ada\", \"secret\": \"hush\"}]", USERS_FOR_LOGIN);
    const struct user *user = NULL;
    struct drover_error error = {0};

    cr_assert_eq(reconfigure(users, DROVER_SOURCE_DIR "/deploy/users.json", &error), DROVER_OK, "%s", error.text);
    cr_expect_eq(users_login(users, user_text("einstein"), user_text("relativity"), &user, &error), DROVER_OK);
    cr_expect_eq(users_login(users, user_text("ada"), user_text("hush"), &user, &error), DROVER_UNAUTHENTICATED);
    users_free(users);
}

/* A pipe has no size to go by. */
Test(users_file, may_be_a_pipe)
{
    char path[64], json[16 * 1024];
    int ends[2];
    struct users *users = NULL;
    struct drover_error error = {0};

    memset(json, ' ', sizeof(json));
    memcpy(json, "[{},", 4);
    memcpy(json + sizeof(json) - 3, "{}]", 3);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], json, sizeof(json)), (ssize_t)sizeof(json));
    close(ends[1]);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    cr_assert_eq(users_load(path, USERS_FOR_LOOKUP, &users, &error), DROVER_OK, "%s", error.text);
    cr_assert_eq(users_count(users), 2);
    close(ends[0]);
    users_free(users);
}
