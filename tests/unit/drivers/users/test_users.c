/* test_users.c - the questions a directory answers: on small files, on the real ones, on the demo's table */
#include "users_fixture.h"

#include "drivers/users/demo_users.h"

static const char family[] =
    "[{\"id\": {\"idp\": \"one\", \"opaque_id\": \"7\"}, \"username\": \"ada\", \"mail\": \"ada@one\", \"uid_number\": "
    "5},"
    " {\"id\": {\"idp\": \"two\", \"opaque_id\": \"7\"}, \"username\": \"bob\", \"mail\": \"bob@two\", \"uid_number\": "
    "5},"
    " {\"id\": {\"idp\": \"two\", \"opaque_id\": \"ada\"}, \"username\": \"cyd\", \"mail\": \"ada@one\"},"
    " {\"id\": {\"idp\": \"two\", \"opaque_id\": \"9\"}, \"username\": \"ada\", \"uid_number\": -3}]";

struct question {
    char idp[8], id[8], answer[12];
};

Test(users, get_answers_the_first_of_opaque_id_or_username_at_the_idp)
{
    static const struct question questions[] = {
        {"", "7", "ada"},        {"one", "7", "ada"},    {"two", "7", "bob"},      {"three", "7", "(nobody)"},
        {"", "ada", "ada"},      {"two", "ada", "cyd"},  {"two", "cyd", "cyd"},    {"one", "cyd", "(nobody)"},
        {"", "9", "ada"},        {"two", "9", "ada"},    {"", "Ada", "(nobody)"},  {"", "", "(nobody)"},
        {"two", "", "(nobody)"}, {"", "ad", "(nobody)"}, {"on", "e7", "(nobody)"},
    };
    struct users *users = users_of(family, USERS_FOR_LOOKUP);

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const struct question *ask = &questions[i];
        const struct user *user = users_get(users, user_text(ask->idp), user_text(ask->id));

        cr_expect_str_eq(username_of(user), ask->answer, "%s at '%s' is %s", ask->id, ask->idp, username_of(user));
    }
    users_free(users);
}

/* In a directory the hash tells most of this apart already; two keys with one hash are left to user_is(). */
Test(user, is_compared_in_full_for_every_key)
{
    static const struct user ada = {
        .opaque_id = "7", .idp = "one", .username = "ada", .mail = "ada@one", .uid_number = 5, .display_name = ""};
    static const struct {
        enum user_key key;
        char text[12], idp[8];
        bool answer;
    } questions[] = {
        {USER_KEY_NAME, "7", "two", true},     {USER_KEY_NAME, "ada", "", true},
        {USER_KEY_NAME, "8", "", false},       {USER_KEY_NAME_AT, "7", "one", true},
        {USER_KEY_NAME_AT, "7", "two", false}, {USER_KEY_NAME_AT, "7", "", false},
        {USER_KEY_NAME_AT, "8", "one", false}, {USER_KEY_USERNAME, "ada", "", true},
        {USER_KEY_USERNAME, "7", "", false},   {USER_KEY_MAIL, "ada@one", "", true},
        {USER_KEY_MAIL, "ada", "", false},     {USER_KEY_UID, "5", "", true},
        {USER_KEY_UID, "05", "", false},       {USER_KEY_LOGIN, "ada", "", true},
        {USER_KEY_LOGIN, "7", "", false},
    };

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const struct user_wanted wanted = {
            .key = questions[i].key, .text = user_text(questions[i].text), .idp = user_text(questions[i].idp)};

        cr_expect_eq(user_is(&ada, &wanted), questions[i].answer, "question %zu", i);
    }
}

Test(users, claims_answer_the_first_and_exactly)
{
    static const struct {
        char claim[12], value[12], answer[12];
    } questions[] = {
        {"mail", "ada@one", "ada"},     {"mail", "ADA@one", "(nobody)"}, {"mail", "", "(nobody)"},
        {"username", "bob", "bob"},     {"username", "7", "(nobody)"},   {"uid", "5", "ada"},
        {"uid", "05", "(nobody)"},      {"uid", "0", "(nobody)"},        {"uid", "-3", "ada"},
        {"uid", " 5", "(nobody)"},      {"gid", "5", "(nobody)"},        {"", "ada", "(nobody)"},
        {"usernam", "ada", "(nobody)"},
    };
    struct users *users = users_of(family, USERS_FOR_LOOKUP);

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const struct user *user = users_by_claim(users, user_text(questions[i].claim), user_text(questions[i].value));

        cr_expect_str_eq(username_of(user), questions[i].answer, "%s %s is %s", questions[i].claim, questions[i].value,
                         username_of(user));
    }
    users_free(users);
}

Test(users, a_text_with_a_nul_in_it_is_nobody)
{
    struct users *users = users_of(family, USERS_FOR_LOOKUP);

    cr_assert_null(users_get(users, nothing, (struct drover_text){.data = "ada\0x", .size = 5}));
    cr_assert_null(users_by_claim(users, user_text("uid"), (struct drover_text){.data = "5\0", .size = 2}));
    users_free(users);
}

/* The usernames found, with a blank after each. */
static void find(const struct users *users, const char *query, char names[128])
{
    const struct user **found = NULL;
    size_t count = 0;
    struct drover_error error = {0};

    cr_assert_eq(users_find(users, user_text(query), &found, &count, &error), DROVER_OK);
    names[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(names, found[i]->username), " ");
    free(found);
}

struct search {
    char query[16], names[64];
};

static void expect_found(struct users *users, const struct search *searches, size_t count)
{
    char names[128];

    for (size_t i = 0; i < count; i++) {
        find(users, searches[i].query, names);
        cr_expect_str_eq(names, searches[i].names, "'%s' found %s", searches[i].query, names);
    }
    users_free(users);
}

Test(users, find_looks_into_four_fields_and_sorts_by_username)
{
    static const struct search searches[] = {
        {"", "Zoe ada bob cyd cyd "},
        {"ADA", "ada cyd "},
        {"müller", "bob "},
        {"MüLLER", "bob "},
        {"MÜLLER", ""},
        {"x-9", "cyd "},
        {"group", ""},
        {"secret", ""},
        {"\xc3", "bob "},
        {"adam", ""},
        {"one", "ada cyd "},
        {"nobody here at", ""},
    };

    expect_found(
        users_of("[{\"username\": \"cyd\", \"id\": {\"opaque_id\": \"X-9\"}},"
                 " {\"username\": \"cyd\", \"mail\": \"Ada@one\"}, {\"username\": \"Zoe\", \"groups\": [\"group\"]},"
                 " {\"username\": \"bob\", \"display_name\": \"Bob Müller\", \"secret\": \"secret\"},"
                 " {\"username\": \"ada\", \"mail\": \"ada@ONE\"}]",
                 USERS_FOR_LOOKUP),
        searches, sizeof(searches) / sizeof(searches[0]));
}

Test(users, with_one_name_are_found_in_the_order_of_the_file)
{
    struct users *users = users_of(family, USERS_FOR_LOOKUP);
    const struct user **found = NULL;
    size_t count = 0;
    struct drover_error error = {0};

    cr_assert_eq(users_find(users, user_text("ada"), &found, &count, &error), DROVER_OK);
    cr_assert_eq(count, 3);
    cr_assert_str_eq(found[0]->opaque_id, "7");
    cr_assert_str_eq(found[1]->opaque_id, "9");
    cr_assert_str_eq(found[2]->username, "cyd");
    free(found);
    users_free(users);
}

Test(users, login_takes_the_last_of_several)
{
    struct users *users = users_of("[{\"username\": \"ada\", \"secret\": \"old\", \"mail\": \"a@old\"},"
                                   " {\"username\": \"bob\", \"secret\": \"\"}, {\"username\": \"cyd\"},"
                                   " {\"username\": \"ada\", \"secret\": \"new\"}, {\"secret\": \"x\"}]",
                                   USERS_FOR_LOGIN);

    cr_expect(login(users, "ada", "new"));
    cr_expect_not(login(users, "ada", "old"));
    cr_expect_not(login(users, "ada", ""));
    cr_expect_not(login(users, "ADA", "new"));
    cr_expect_not(login(users, "bob", ""));
    cr_expect_not(login(users, "cyd", ""));
    cr_expect_not(login(users, "", "x"));
    users_free(users);
}

/* A value of a reply, as one string of the form {key:value,...}. */
static void render(const struct drover_value *value, char *out)
{
    struct drover_text text;
    int64_t number;

    if (drover_value_text(value, &text))
        sprintf(out + strlen(out), "'%.*s'", (int)text.size, text.data);
    else if (drover_value_int64(value, &number))
        sprintf(out + strlen(out), "%lld", (long long)number);
    else if (drover_value_type(value) == DROVER_TYPE_MAP || drover_value_type(value) == DROVER_TYPE_ARRAY)
        for (size_t i = 0; i < drover_value_count(value); i++) {
            if (drover_value_text(drover_value_key(value, i), &text))
                sprintf(out + strlen(out), "%.*s", (int)text.size, text.data);
            strcat(out, "(");
            render(drover_value_at(value, i), out);
            strcat(out, ")");
        }
    else
        strcat(out, drover_type_name(drover_value_type(value)));
}

/* `user` as it goes into a reply. */
static void written(const struct user *user, char *out)
{
    struct drover_writer *writer = drover_writer_new();
    struct drover_document *document = NULL;
    struct drover_error error = {0};

    user_write(writer, user);
    cr_assert(drover_writer_ok(writer));
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, &error),
                 DROVER_OK, "%s", error.text);
    out[0] = '\0';
    render(drover_document_root(document), out);
    drover_document_free(document);
    drover_writer_free(writer);
}

Test(user, is_written_with_every_field_and_without_the_secret)
{
    struct users *users =
        users_of("[{\"username\": \"ada\", \"secret\": \"hush\", \"groups\": [\"g\", \"h\"], \"gid_number\": 4,"
                 " \"id\": {\"type\": 7, \"idp\": \"i\"}, \"opaque\": {\"a\": {\"b\": [1, \"c\", null, {}]}}}, {}]",
                 USERS_FOR_LOGIN);
    const struct user *ada = NULL;
    struct drover_error error = {0};
    char out[1024];

    cr_assert_eq(users_login(users, user_text("ada"), user_text("hush"), &ada, &error), DROVER_OK);
    written(ada, out);
    cr_assert_str_eq(out, "id(idp('i')opaque_id('')type(7))username('ada')mail('')mail_verified(boolean)"
                          "display_name('')groups(('g')('h'))uid_number(0)gid_number(4)"
                          "opaque(a(b((1)('c')(nil)())))");
    users_free(users);
}

Test(shared_data, revad_users_are_found_by_every_key)
{
    struct users *users = users_of_data("users-revad.json", USERS_FOR_LOOKUP);
    const struct drover_text frontend = user_text("http://frontend:20080");

    cr_assert_eq(users_count(users), 3);
    cr_expect_str_eq(username_of(users_get(users, frontend, user_text("4c510ada-c86b-4815-8820-42cdf82c3d51"))),
                     "einstein");
    cr_expect_str_eq(username_of(users_get(users, nothing, user_text("marie"))), "marie");
    cr_expect_str_eq(username_of(users_by_claim(users, user_text("uid"), user_text("30"))), "richard");
    cr_expect_str_eq(username_of(users_by_claim(users, user_text("mail"), user_text("marie@example.org"))), "marie");
    cr_expect_eq(users_get(users, nothing, user_text("einstein"))->group_count, 3);
    static const struct search searches[] = {
        {"CURIE", "marie "}, {"example.org", "einstein marie richard "}, {"zz", ""}};
    expect_found(users, searches, 3);
}

Test(shared_data, ocmd_users_keep_their_opaque_map)
{
    struct users *users = users_of_data("users-ocmd.json", USERS_FOR_LOOKUP);
    char out[1024];

    cr_assert_eq(users_count(users), 4);
    written(users_get(users, user_text("cesnet.cz"), user_text("marie")), out);
    cr_expect(strstr(out,
                     "opaque(map(gid(_comment('decodes to 987')decoder('plain')value('OTg3'))uid(_comment('decodes "
                     "to 456')decoder('plain')value('NDU2'))))"),
              "%s", out);
    cr_expect_null(strstr(out, "radioactivity"));
    cr_expect_null(users_get(users, user_text("cern.ch"), user_text("marie")));
    users_free(users);
}

Test(shared_data, two_server_users_have_no_type)
{
    struct users *users = users_of_data("users-two-server.json", USERS_FOR_LOOKUP);
    const struct user *richard = users_get(users, user_text("example.org"), user_text("richard"));

    cr_assert_eq(users_count(users), 2);
    cr_assert_not_null(richard);
    cr_expect_eq(richard->type, 0);
    cr_expect_eq(richard->uid_number, 246);
    users_free(users);
}

Test(shared_data, groups_are_objects_too_and_have_no_usernames)
{
    struct users *users = users_of_data("groups-reva-cli.json", USERS_FOR_LOOKUP);

    cr_assert_eq(users_count(users), 1);
    cr_assert_str_eq(users_get(users, nothing, user_text("myusers"))->display_name, "Sailing Lovers");
    users_free(users);
}

Test(shared_data, users_of_every_file_log_in)
{
    static const char files[3][24] = {"users-revad.json", "users-ocmd.json", "users-two-server.json"};

    for (size_t i = 0; i < 3; i++) {
        struct users *users = users_of_data(files[i], USERS_FOR_LOGIN);

        cr_expect(login(users, "einstein", "relativity"));
        cr_expect(login(users, "richard", "superfluidity"));
        cr_expect_not(login(users, "richard", "relativity"));
        cr_expect_not(login(users, "nobody", "relativity"));
        users_free(users);
    }
}

Test(demo_users, are_three_and_distinguish_case)
{
    static const struct search searches[] = {{"", "einstein marie richard "},
                                             {"Curie", "marie "},
                                             {"curie", ""},
                                             {"example.org", "einstein marie richard "}};
    struct users *users = NULL;
    struct drover_error error = {0};

    cr_assert_eq(users_new(demo_users, DEMO_USER_COUNT, USERS_FOR_LOOKUP, &users, &error), DROVER_OK);
    cr_expect_str_eq(username_of(users_get(users, nothing, user_text("einstein"))), "einstein");
    cr_expect_str_eq(username_of(users_by_claim(users, user_text("mail"), user_text("marie@example.org"))), "marie");
    cr_expect_str_eq(username_of(users_by_claim(users, user_text("uid"), user_text("103"))), "richard");
    expect_found(users, searches, 4);
}

Test(demo_users, log_in_with_their_well_known_secrets)
{
    struct users *users = NULL;
    struct drover_error error = {0};

    cr_assert_eq(users_new(demo_users, DEMO_USER_COUNT, USERS_FOR_LOGIN, &users, &error), DROVER_OK);
    cr_expect(login(users, "einstein", "relativity"));
    cr_expect(login(users, "marie", "radioactivity"));
    cr_expect(login(users, "richard", "superfluidity"));
    cr_expect_not(login(users, "richard", "relativity"));
    users_free(users);
}

Test(sample_users, of_the_quickstart_log_in)
{
    struct users *users = NULL;
    struct drover_error error = {0};

    cr_assert_eq(users_load(DROVER_SOURCE_DIR "/deploy/users.json", USERS_FOR_LOGIN, &users, &error), DROVER_OK, "%s",
                 error.text);
    cr_assert_eq(users_count(users), 5);
    cr_expect(login(users, "einstein", "relativity"));
    cr_expect(login(users, "richard", "superfluidity"), "his secret is a hash");
    cr_expect_not(login(users, "einstein", "superfluidity"));
    users_free(users);
}
