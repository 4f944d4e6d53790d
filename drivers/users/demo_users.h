/* demo_users.h - three users for trying things out, the same ones for both demo drivers */
#ifndef DRIVERS_USERS_DEMO_USERS_H
#define DRIVERS_USERS_DEMO_USERS_H

#include "drivers/users/user.h"

#define DEMO_USER_COUNT 3

/* einstein, marie and richard. Their opaque_id is their username; their secrets are known to everybody. */
extern const struct user demo_users[DEMO_USER_COUNT];

#endif
