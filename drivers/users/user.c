/* user.c - matching one user, and writing it into a reply */
#include "drivers/users/user.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct drover_text user_text(const char *string)
{
    return (struct drover_text){.data = string, .size = strlen(string)};
}

struct drover_text user_uid_text(const struct user *user, char buffer[USER_UID_SIZE])
{
    buffer[0] = '\0';
    if (user->uid_number != 0)
        (void)snprintf(buffer, USER_UID_SIZE, "%" PRId64, user->uid_number);
    return user_text(buffer);
}

static bool same(struct drover_text text, const char *string)
{
    return text.size > 0 && drover_text_equals(text, string);
}

bool user_is(const struct user *user, const struct user_wanted *wanted)
{
    char buffer[USER_UID_SIZE];

    switch (wanted->key) {
    case USER_KEY_NAME:
        return same(wanted->text, user->opaque_id) || same(wanted->text, user->username);
    case USER_KEY_NAME_AT:
        return same(wanted->idp, user->idp) &&
               (same(wanted->text, user->opaque_id) || same(wanted->text, user->username));
    case USER_KEY_USERNAME:
    case USER_KEY_LOGIN:
        return same(wanted->text, user->username);
    case USER_KEY_MAIL:
        return same(wanted->text, user->mail);
    case USER_KEY_UID:
        return same(wanted->text, user_uid_text(user, buffer).data);
    }
    return false;
}

static char lower(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte - 'A' + 'a');
    return byte;
}

static bool begins(const char *at, struct drover_text query, bool match_case)
{
    for (size_t i = 0; i < query.size; i++)
        if (match_case ? at[i] != query.data[i] : lower(at[i]) != lower(query.data[i]))
            return false;
    return true;
}

/* Neither the library's strcasestr, which asks the locale, nor a folded copy of the directory: this reads 10 MB of
 * names in some hundredths of a second. */
static bool contains(const char *string, struct drover_text query, bool match_case)
{
    size_t size = strlen(string);

    for (size_t at = 0; at + query.size <= size; at++)
        if (begins(string + at, query, match_case))
            return true;
    return false;
}

bool user_mentions(const struct user *user, struct drover_text query, bool match_case)
{
    return contains(user->username, query, match_case) || contains(user->display_name, query, match_case) ||
           contains(user->mail, query, match_case) || contains(user->opaque_id, query, match_case);
}

static void write_id(struct drover_writer *writer, const struct user *user)
{
    drover_write_map(writer, 3);
    drover_write_string(writer, "idp");
    drover_write_string(writer, user->idp);
    drover_write_string(writer, "opaque_id");
    drover_write_string(writer, user->opaque_id);
    drover_write_string(writer, "type");
    drover_write_int64(writer, user->type);
}

void user_write_groups(struct drover_writer *writer, const struct user *user)
{
    drover_write_array(writer, user->group_count);
    for (size_t i = 0; i < user->group_count; i++)
        drover_write_string(writer, user->groups[i]);
}

void user_write(struct drover_writer *writer, const struct user *user)
{
    drover_write_map(writer, 9);
    drover_write_string(writer, "id");
    write_id(writer, user);
    drover_write_string(writer, "username");
    drover_write_string(writer, user->username);
    drover_write_string(writer, "mail");
    drover_write_string(writer, user->mail);
    drover_write_string(writer, "mail_verified");
    drover_write_bool(writer, user->mail_verified);
    drover_write_string(writer, "display_name");
    drover_write_string(writer, user->display_name);
    drover_write_string(writer, "groups");
    user_write_groups(writer, user);
    drover_write_string(writer, "uid_number");
    drover_write_int64(writer, user->uid_number);
    drover_write_string(writer, "gid_number");
    drover_write_int64(writer, user->gid_number);
    drover_write_string(writer, "opaque");
    if (user->opaque)
        drover_write_raw(writer, user->opaque, user->opaque_size);
    else
        drover_write_map(writer, 0);
}
