/* users_fixture.h - files for the tests of drivers/users: written for one test, or the real ones beside the project */
#ifndef TESTS_UNIT_DRIVERS_USERS_FIXTURE_H
#define TESTS_UNIT_DRIVERS_USERS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/users/users.h"

static const struct drover_text nothing = {.data = "", .size = 0};

/* A directory of a file with `json` in it, which is gone again afterwards. */
static inline enum drover_status load_text(const char *json, enum users_use use, struct users **ret_users,
                                           struct drover_error *error)
{
    char path[] = "/tmp/drover-users-XXXXXX";
    int fd = mkstemp(path);
    size_t size = strlen(json);

    cr_assert(fd >= 0 && write(fd, json, size) == (ssize_t)size);
    close(fd);
    enum drover_status status = users_load(path, use, ret_users, error);
    unlink(path);
    return status;
}

/* The same for a file that must be right. */
static inline struct users *users_of(const char *json, enum users_use use)
{
    struct users *users = NULL;
    struct drover_error error = {0};

    cr_assert_eq(load_text(json, use, &users, &error), DROVER_OK, "%s", error.text);
    return users;
}

/* A file of ../shared/data; the test is skipped where it is absent. */
static inline struct users *users_of_data(const char *name, enum users_use use)
{
    char path[512];
    struct users *users = NULL;
    struct drover_error error = {0};

    snprintf(path, sizeof(path), "%s/../shared/data/%s", DROVER_SOURCE_DIR, name);
    if (access(path, R_OK) != 0)
        cr_skip_test("%s is not there", path);
    cr_assert_eq(users_load(path, use, &users, &error), DROVER_OK, "%s", error.text);
    return users;
}

static inline const char *username_of(const struct user *user)
{
    return user ? user->username : "(nobody)";
}

static inline bool login(const struct users *users, const char *name, const char *secret)
{
    const struct user *user = NULL;
    struct drover_error error = {0};
    enum drover_status status = users_login(users, user_text(name), user_text(secret), &user, &error);

    cr_assert(status == DROVER_OK ? user != NULL : status == DROVER_UNAUTHENTICATED);
    return status == DROVER_OK;
}

#endif
