/* user.h - one user, and by which of its strings it is looked up
 *
 * A user is a plain record: its strings belong to whoever made it (the arena of a directory, or constant data). A
 * string that is absent in the file is "", never NULL, and an empty string finds nobody.
 */
#ifndef DRIVERS_USERS_USER_H
#define DRIVERS_USERS_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/value.h>

struct user {
    const char *opaque_id;
    const char *idp;
    int64_t type; /* UserType of the interface file */
    const char *username;
    const char *mail;
    bool mail_verified;
    const char *display_name;
    const char *const *groups;
    size_t group_count;
    int64_t uid_number; /* 0: none */
    int64_t gid_number;
    const void *opaque; /* one msgpack map, or NULL for an empty one */
    size_t opaque_size;
    const char *secret; /* read for a login directory only; never written to a reply or an error */
};

/* The value of UserType for accounts with fewer rights. */
#define USER_TYPE_LIGHTWEIGHT 7

/* What a look-up goes by. */
enum user_key {
    USER_KEY_NAME,    /* opaque_id or username, at any idp */
    USER_KEY_NAME_AT, /* opaque_id or username, at one idp */
    USER_KEY_USERNAME,
    USER_KEY_MAIL,
    USER_KEY_UID,   /* uid_number in decimal, 0 excepted */
    USER_KEY_LOGIN, /* the username; of several users the last one in the file counts, not the first */
};

/* A look-up: which key, its text, and for USER_KEY_NAME_AT the idp. Borrows both texts. */
struct user_wanted {
    enum user_key key;
    struct drover_text text;
    struct drover_text idp;
};

/* Room for any int64_t in decimal. */
#define USER_UID_SIZE 24

/* `string` as a text. Borrows it. */
struct drover_text user_text(const char *string);

/* The decimal uid_number, or "" when the user has none. The text borrows `buffer`. */
struct drover_text user_uid_text(const struct user *user, char buffer[USER_UID_SIZE]);

/* True when `user` is what `wanted` asks for. Exact, byte by byte. */
bool user_is(const struct user *user, const struct user_wanted *wanted);

/* True when username, display_name, mail or opaque_id contains `query`; an empty query is in everything. Unless
 * `match_case`, A-Z and a-z are the same; every other byte, so also each byte of a UTF-8 sequence, stands for itself: a
 * sequence is found whole or not at all, but Ä and ä differ. */
bool user_mentions(const struct user *user, struct drover_text query, bool match_case);

/* Append the user as the interface's `User`: every field is there, the secret never is. */
void user_write(struct drover_writer *writer, const struct user *user);

/* Append the names of the user's groups as an array. */
void user_write_groups(struct drover_writer *writer, const struct user *user);

#endif
