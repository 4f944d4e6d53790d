/* test_secret.c - secrets in plain text and as hashes, and what is never told about them */
#include "users_fixture.h"

#include <crypt.h>

#include "drivers/users/secret.h"

/* The word "relativity" and the word "other", hashed here: crypt(3) is its own witness. */
static void hash(const char *setting, const char *word, char out[CRYPT_OUTPUT_SIZE])
{
    struct crypt_data data = {0};
    const char *hashed = crypt_r(word, setting, &data);

    cr_assert(hashed && hashed[0] == '$', "%s", setting);
    strcpy(out, hashed);
}

static enum drover_status verify(const struct secret_kinds *kinds, const char *stored, const char *given)
{
    struct drover_error error = {0};
    enum drover_status status = secret_verify(kinds, stored, user_text(given), &error);

    if (status != DROVER_OK)
        cr_expect_str_eq(error.text, "client_id or client_secret is wrong");
    return status;
}

Test(secret, in_plain_text_must_be_equal)
{
    static const struct secret_kinds none;
    char nul[] = "relativity\0";

    cr_expect_eq(verify(&none, "relativity", "relativity"), DROVER_OK);
    cr_expect_eq(verify(&none, "relativity", "relativit"), DROVER_UNAUTHENTICATED);
    cr_expect_eq(verify(&none, "relativity", "relativity "), DROVER_UNAUTHENTICATED);
    cr_expect_eq(verify(&none, "relativity", "Relativity"), DROVER_UNAUTHENTICATED);
    cr_expect_eq(verify(&none, "relativity", ""), DROVER_UNAUTHENTICATED);
    cr_expect_eq(verify(&none, "", ""), DROVER_UNAUTHENTICATED);
    cr_expect_eq(verify(&none, NULL, ""), DROVER_UNAUTHENTICATED);
    cr_expect_eq(verify(&none, "$5 a week", "$5 a week"), DROVER_OK);
    struct drover_error error = {0};
    cr_expect_eq(secret_verify(&none, "relativity", (struct drover_text){nul, sizeof(nul)}, &error),
                 DROVER_UNAUTHENTICATED);
}

struct setting {
    char text[64];
};

static const struct setting settings[] = {
    {"$y$j75$ab5R9eWjJ7dK0aQ2nTn3V1$"}, {"$gy$j75$ab5R9eWjJ7dK0aQ2nTn3V1$"},
    {"$6$rounds=1000$saltsalt$"},       {"$6$saltsalt$"},
    {"$5$rounds=1000$saltsalt$"},       {"$2b$04$abcdefghijklmnopqrstuu"},
    {"$2a$04$abcdefghijklmnopqrstuu"},  {"$1$saltsalt$"},
};

Test(secret, as_a_hash_is_verified_by_crypt)
{
    char right[CRYPT_OUTPUT_SIZE];

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct secret_kinds kinds = {0};

        hash(settings[i].text, "relativity", right);
        cr_assert_null(secret_kinds_add(&kinds, right), "%s", right);
        cr_expect_eq(kinds.count, 1);
        cr_expect_eq(verify(&kinds, right, "relativity"), DROVER_OK, "%s", right);
        cr_expect_eq(verify(&kinds, right, "relativitx"), DROVER_UNAUTHENTICATED);
        cr_expect_eq(verify(&kinds, right, ""), DROVER_UNAUTHENTICATED);
        cr_expect_eq(verify(&kinds, right, right), DROVER_UNAUTHENTICATED, "the hash is not the secret");
        cr_expect_eq(verify(&kinds, NULL, "relativity"), DROVER_UNAUTHENTICATED, "the sample is nobody's secret");
        cr_expect_eq(verify(&kinds, "plain", "relativity"), DROVER_UNAUTHENTICATED);
        cr_expect_eq(verify(&kinds, "plain", "plain"), DROVER_OK);
    }
}

/* What every login has to compute: method and cost, but not the salt, make a kind. */
Test(secret, kinds_are_method_and_cost)
{
    struct secret_kinds kinds = {0};
    char hashes[5][CRYPT_OUTPUT_SIZE];

    hash("$6$rounds=1000$one$", "a", hashes[0]);
    hash("$6$rounds=1000$another$", "b", hashes[1]);
    hash("$6$rounds=1001$one$", "c", hashes[2]);
    hash("$2b$04$abcdefghijklmnopqrstuu", "d", hashes[3]);
    hash("$2b$05$abcdefghijklmnopqrstuu", "e", hashes[4]);
    for (size_t i = 0; i < 5; i++)
        cr_assert_null(secret_kinds_add(&kinds, hashes[i]));
    cr_assert_null(secret_kinds_add(&kinds, "plain"));
    cr_assert_eq(kinds.count, 4);
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(verify(&kinds, hashes[i], (char[]){(char)('a' + i), '\0'}), DROVER_OK, "%s", hashes[i]);
}

Test(secret, hashes_that_cannot_be_verified_are_refused_without_being_shown)
{
    static const struct setting wrong[] = {
        {"$6$saltsalt"}, {"$6$saltsalt$short"}, {"$y$j9T$salt"}, {"$9$what$everything"}, {"$md5,rounds=5$salt$hash"},
    };
    struct secret_kinds kinds = {0};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *why = secret_kinds_add(&kinds, wrong[i].text);

        cr_expect(why && !strstr(why, wrong[i].text), "%s: %s", wrong[i].text, why ? why : "taken");
        cr_expect_eq(kinds.count, 0);
    }
}

Test(secret, more_kinds_than_a_login_should_pay_for_are_refused)
{
    struct secret_kinds kinds = {0};
    char hashes[SECRET_KINDS_MAX + 1][CRYPT_OUTPUT_SIZE];

    for (int i = 0; i <= SECRET_KINDS_MAX; i++) {
        char setting[64];

        snprintf(setting, sizeof(setting), "$5$rounds=%d$salt$", 1000 + i);
        hash(setting, "a", hashes[i]);
        const char *why = secret_kinds_add(&kinds, hashes[i]);
        cr_assert_eq(why != NULL, i == SECRET_KINDS_MAX);
    }
}

Test(secret, that_crypt_cannot_take_is_wrong_and_no_more)
{
    struct secret_kinds kinds = {0};
    char right[CRYPT_OUTPUT_SIZE], with_nul[] = "relativity\0x", long_one[4000];
    struct drover_error error = {0};

    hash("$6$rounds=1000$saltsalt$", "relativity", right);
    cr_assert_null(secret_kinds_add(&kinds, right));
    memset(long_one, 'a', sizeof(long_one));
    cr_expect_eq(secret_verify(&kinds, right, (struct drover_text){with_nul, 12}, &error), DROVER_UNAUTHENTICATED);
    cr_expect_eq(secret_verify(&kinds, right, (struct drover_text){long_one, sizeof(long_one)}, &error),
                 DROVER_UNAUTHENTICATED);
    cr_expect_eq(secret_verify(&kinds, right, (struct drover_text){NULL, 0}, &error), DROVER_UNAUTHENTICATED);
}

Test(secret, that_is_a_broken_hash_is_an_error_of_the_file)
{
    struct users *users = NULL;
    struct drover_error error = {0};

    cr_assert_eq(
        load_text("[\n{\"username\": \"ada\", \"secret\": \"$6$hush$hush\"}]", USERS_FOR_LOGIN, &users, &error),
        DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, ":2:1: entry 1, username \"ada\": 'secret' is neither plain text nor"), "%s",
              error.text);
    cr_expect_null(strstr(error.text, "hush"), "%s", error.text);
}
