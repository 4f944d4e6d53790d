/* test_lookup_100k.c - a directory of 100 000 users is searched by hash: counted in users looked at, not in time */
#include "users_fixture.h"

#include "drivers/users/index.h"

#define USER_COUNT 100000

/* Each fifth user shares its opaque_id with four others, at another idp each. */
static char *file_of_100k(void)
{
    char *json = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&json, &size);

    for (unsigned i = 0; i < USER_COUNT; i++)
        fprintf(
            file,
            "%s{\"id\": {\"idp\": \"https://idp-%u.example.org\", \"opaque_id\": \"00000000-0000-4000-8000-%012u\", "
            "\"type\": 1}, \"username\": \"user%u\", \"secret\": \"secret%u\", \"mail\": \"user%u@example.org\", "
            "\"display_name\": \"User Number %u\", \"groups\": [\"everybody\", \"group%u\"], \"uid_number\": %u, "
            "\"gid_number\": 100}",
            i ? ",\n" : "[", i % 5, i / 5, i, i, i, i, i % 100, i + 1);
    fputs("]\n", file);
    fclose(file);
    return json;
}

Test(users_100k, are_all_found_by_every_key)
{
    char *json = file_of_100k();
    struct users *users = users_of(json, USERS_FOR_LOOKUP);
    char idp[64], id[64], name[64], mail[64], uid[64];

    free(json);
    cr_assert_eq(users_count(users), USER_COUNT);
    for (unsigned i = 0; i < USER_COUNT; i++) {
        snprintf(idp, sizeof(idp), "https://idp-%u.example.org", i % 5);
        snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012u", i / 5);
        snprintf(name, sizeof(name), "user%u", i);
        snprintf(mail, sizeof(mail), "user%u@example.org", i);
        snprintf(uid, sizeof(uid), "%u", i + 1);
        const struct user *user = users_get(users, user_text(idp), user_text(id));
        cr_assert(user && user->uid_number == i + 1);
        cr_assert_eq(users_get(users, nothing, user_text(name)), user);
        cr_assert_eq(users_by_claim(users, user_text("username"), user_text(name)), user);
        cr_assert_eq(users_by_claim(users, user_text("mail"), user_text(mail)), user);
        cr_assert_eq(users_by_claim(users, user_text("uid"), user_text(uid)), user);
        cr_assert_eq(users_get(users, nothing, user_text(id))->uid_number, i / 5 * 5 + 1);
        cr_assert_null(users_get(users, nothing, user_text(idp)));
    }
    users_free(users);
}

Test(users_100k, log_in)
{
    char *json = file_of_100k();
    struct users *users = users_of(json, USERS_FOR_LOGIN);

    free(json);
    cr_assert(login(users, "user0", "secret0"));
    cr_assert(login(users, "user99999", "secret99999"));
    cr_assert_not(login(users, "user99999", "secret9999"));
    users_free(users);
}

static void set_name(struct user *user, char buffer[16], unsigned number)
{
    snprintf(buffer, 16, "user%u", number);
    *user = (struct user){.username = buffer, .opaque_id = "", .mail = ""};
}

Test(index, looks_at_next_to_nobody_but_the_one_that_is_wanted)
{
    struct user *list = calloc(USER_COUNT, sizeof(*list));
    char(*names)[16] = calloc(USER_COUNT, sizeof(*names));
    struct user_index index = {0};
    size_t compared, total = 0;

    cr_assert(list && names && index_init(&index, USER_COUNT));
    for (unsigned i = 0; i < USER_COUNT; i++) {
        set_name(&list[i], names[i], i);
        struct user_wanted wanted = {.key = USER_KEY_USERNAME, .text = user_text(list[i].username)};
        index_add(&index, list, &wanted, i);
    }
    for (unsigned i = 0; i < USER_COUNT; i++) {
        struct user_wanted wanted = {.key = USER_KEY_USERNAME, .text = user_text(names[i])};
        cr_assert_eq(index_find(&index, list, &wanted, &compared), &list[i]);
        total += compared;
        wanted.key = USER_KEY_MAIL;
        cr_assert_null(index_find(&index, list, &wanted, &compared));
        total += compared;
    }
    cr_assert_lt(total, USER_COUNT + USER_COUNT / 1000, "%zu users looked at in %d look-ups", total, 2 * USER_COUNT);
    index_done(&index);
    free(names);
    free(list);
}
