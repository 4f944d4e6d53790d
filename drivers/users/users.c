/* users.c - loading a directory and the questions it answers
 *
 * LOAD: entries.c gives out the objects of the file, entry.c makes users of them, and when all are there finish() sorts
 * them and fills the index. The list does not move after that, so the sorted order may point into it.
 */
#include "drivers/users/users.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/users/arena.h"
#include "drivers/users/entries.h"
#include "drivers/users/entry.h"
#include "drivers/users/index.h"
#include "drivers/users/secret.h"

struct users {
    enum users_use use;
    bool match_case;
    struct arena arena; /* all strings of a loaded file */
    struct user *list;  /* in the order of the file */
    size_t count, room;
    const struct user **by_username; /* `list` sorted; for look-ups only */
    struct user_index index;
    struct secret_kinds secrets; /* of all users; for logins only */
};

/* Keys that one user can have in the index, at most: opaque_id and username with and without idp, three claims. */
#define KEYS_PER_USER 7

struct users *users_free(struct users *users)
{
    if (!users)
        return NULL;
    index_done(&users->index);
    free(users->by_username);
    free(users->list);
    arena_done(&users->arena);
    free(users);
    return NULL;
}

void users_release(void *state)
{
    users_free(state);
}

size_t users_count(const struct users *users)
{
    return users->count;
}

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for a directory of users");
}

static struct user *append(struct users *users)
{
    if (users->count == users->room) {
        size_t room = users->room ? users->room * 2 : 64;
        struct user *list = reallocarray(users->list, room, sizeof(*list));

        if (!list)
            return NULL;
        users->list = list;
        users->room = room;
    }
    return &users->list[users->count++];
}

/* Users with the same name stay in the order of the file: that is the order of their addresses. */
static int compare_usernames(const void *one, const void *other)
{
    const struct user *a = *(const struct user *const *)one, *b = *(const struct user *const *)other;
    int order = strcmp(a->username, b->username);

    return order ? order : (a > b) - (a < b);
}

static void add_key(struct users *users, size_t number, enum user_key key, struct drover_text text)
{
    const struct user_wanted wanted = {.key = key, .text = text, .idp = user_text(users->list[number].idp)};

    index_add(&users->index, users->list, &wanted, (uint32_t)number);
}

static void index_for_lookup(struct users *users)
{
    char uid[USER_UID_SIZE];

    for (size_t i = 0; i < users->count; i++) {
        const struct user *user = &users->list[i];

        add_key(users, i, USER_KEY_NAME, user_text(user->opaque_id));
        add_key(users, i, USER_KEY_NAME, user_text(user->username));
        add_key(users, i, USER_KEY_NAME_AT, user_text(user->opaque_id));
        add_key(users, i, USER_KEY_NAME_AT, user_text(user->username));
        add_key(users, i, USER_KEY_USERNAME, user_text(user->username));
        add_key(users, i, USER_KEY_MAIL, user_text(user->mail));
        add_key(users, i, USER_KEY_UID, user_uid_text(user, uid));
    }
}

/* The index keeps who comes first; for a login the last one counts, so they come in reverse. */
static void index_for_login(struct users *users)
{
    for (size_t i = users->count; i > 0; i--)
        add_key(users, i - 1, USER_KEY_LOGIN, user_text(users->list[i - 1].username));
}

static enum drover_status finish(struct users *users, struct drover_error *error)
{
    bool lookup = users->use == USERS_FOR_LOOKUP;

    if (!index_init(&users->index, users->count * (lookup ? KEYS_PER_USER : 1)))
        return no_memory(error);
    if (!lookup) {
        index_for_login(users);
        return DROVER_OK;
    }
    users->by_username = calloc(users->count + 1, sizeof(struct user *));
    if (!users->by_username)
        return no_memory(error);
    for (size_t i = 0; i < users->count; i++)
        users->by_username[i] = &users->list[i];
    qsort(users->by_username, users->count, sizeof(struct user *), compare_usernames);
    index_for_lookup(users);
    return DROVER_OK;
}

static enum drover_status load_user(void *context, const json_t *object, struct drover_error *error)
{
    struct users *users = context;
    struct user *user = append(users);

    if (!user)
        return DROVER_RESOURCE_EXHAUSTED;
    return entry_read(object, users->use == USERS_FOR_LOGIN ? &users->secrets : NULL, &users->arena, user, error);
}

enum drover_status users_load(const char *path, enum users_use use, struct users **ret_users,
                              struct drover_error *error)
{
    struct users *users = calloc(1, sizeof(*users));

    if (!users)
        return no_memory(error);
    users->use = use;
    enum drover_status status = entries_read(path, load_user, users, error);
    if (status == DROVER_OK)
        status = finish(users, error);
    if (status == DROVER_OK)
        *ret_users = users;
    else
        users_free(users);
    return status;
}

enum drover_status users_configure(const struct drover_value *settings, enum users_use use, void **ret_state,
                                   struct drover_error *error)
{
    const struct drover_value *setting = drover_value_get(settings, "users");
    struct drover_text text;
    struct users *users = NULL;

    if (!setting)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "setting 'users' is missing: the path of a JSON file with users");
    if (!drover_value_text(setting, &text) || text.size == 0 || memchr(text.data, '\0', text.size))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "setting 'users' must be the path of a file");

    char *path = drover_text_dup(text);
    if (!path)
        return no_memory(error);
    enum drover_status status = users_load(path, use, &users, error);
    free(path);
    if (status == DROVER_OK)
        *ret_state = users;
    return status;
}

enum drover_status users_reconfigure(void *state, const struct drover_value *settings, struct drover_error *error)
{
    struct users *users = state;
    void *fresh = NULL;
    enum drover_status status = users_configure(settings, users->use, &fresh, error);

    if (status != DROVER_OK || fresh == NULL)
        return status;
    const struct users former = *users;
    *users = *(struct users *)fresh;
    *(struct users *)fresh = former;
    users_release(fresh);
    return DROVER_OK;
}

enum drover_status users_new(const struct user *table, size_t count, enum users_use use, struct users **ret_users,
                             struct drover_error *error)
{
    struct users *users = calloc(1, sizeof(*users));
    enum drover_status status = DROVER_OK;

    if (!users || !(users->list = calloc(count + 1, sizeof(*users->list)))) {
        status = no_memory(error);
        goto fail;
    }
    users->use = use;
    users->match_case = true;
    users->count = users->room = count;
    memcpy(users->list, table, count * sizeof(*table));
    for (size_t i = 0; use == USERS_FOR_LOGIN && i < count; i++) {
        const char *wrong = secret_kinds_add(&users->secrets, table[i].secret);
        if (wrong) {
            status = drover_error_set(error, DROVER_INVALID_ARGUMENT, "user '%s': secret %s", table[i].username, wrong);
            goto fail;
        }
    }
    status = finish(users, error);
    if (status != DROVER_OK)
        goto fail;
    *ret_users = users;
    return DROVER_OK;
fail:
    users_free(users);
    return status;
}

const struct user *users_get(const struct users *users, struct drover_text idp, struct drover_text opaque_id)
{
    const struct user_wanted wanted = {
        .key = idp.size > 0 ? USER_KEY_NAME_AT : USER_KEY_NAME, .text = opaque_id, .idp = idp};

    return index_find(&users->index, users->list, &wanted, NULL);
}

const struct user *users_by_claim(const struct users *users, struct drover_text claim, struct drover_text value)
{
    static const struct {
        const char *claim;
        enum user_key key;
    } claims[] = {{"mail", USER_KEY_MAIL}, {"username", USER_KEY_USERNAME}, {"uid", USER_KEY_UID}};

    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        const struct user_wanted wanted = {.key = claims[i].key, .text = value};
        if (drover_text_equals(claim, claims[i].claim))
            return index_find(&users->index, users->list, &wanted, NULL);
    }
    return NULL;
}

enum drover_status users_find(const struct users *users, struct drover_text query, const struct user ***ret_found,
                              size_t *ret_count, struct drover_error *error)
{
    const struct user **found = calloc(users->count + 1, sizeof(struct user *));
    size_t count = 0;

    if (!found)
        return no_memory(error);
    for (size_t i = 0; i < users->count; i++)
        if (user_mentions(users->by_username[i], query, users->match_case))
            found[count++] = users->by_username[i];
    *ret_found = found;
    *ret_count = count;
    return DROVER_OK;
}

enum drover_status users_login(const struct users *users, struct drover_text username, struct drover_text secret,
                               const struct user **ret_user, struct drover_error *error)
{
    const struct user_wanted wanted = {.key = USER_KEY_LOGIN, .text = username};
    const struct user *user = index_find(&users->index, users->list, &wanted, NULL);
    enum drover_status status = secret_verify(&users->secrets, user ? user->secret : NULL, secret, error);

    if (status == DROVER_OK)
        *ret_user = user;
    return status;
}
