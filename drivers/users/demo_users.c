/* demo_users.c - the fixed data of the demo drivers */
#include "drivers/users/demo_users.h"

#define IDP "https://demo.example.org"

static const char *const einstein_groups[] = {"sailing-lovers", "violin-haters", "physics-lovers"};
static const char *const marie_groups[] = {"radium-lovers", "polonium-lovers", "physics-lovers"};
static const char *const richard_groups[] = {"quantum-lovers", "philosophy-haters", "physics-lovers"};

const struct user demo_users[DEMO_USER_COUNT] = {
    {.opaque_id = "einstein",
     .idp = IDP,
     .type = 1,
     .username = "einstein",
     .mail = "einstein@example.org",
     .mail_verified = true,
     .display_name = "Albert Einstein",
     .groups = einstein_groups,
     .group_count = 3,
     .uid_number = 101,
     .gid_number = 1000,
     .secret = "relativity"},
    {.opaque_id = "marie",
     .idp = IDP,
     .type = 1,
     .username = "marie",
     .mail = "marie@example.org",
     .mail_verified = true,
     .display_name = "Marie Curie",
     .groups = marie_groups,
     .group_count = 3,
     .uid_number = 102,
     .gid_number = 1000,
     .secret = "radioactivity"},
    {.opaque_id = "richard",
     .idp = IDP,
     .type = 1,
     .username = "richard",
     .mail = "richard@example.org",
     .mail_verified = true,
     .display_name = "Richard Feynman",
     .groups = richard_groups,
     .group_count = 3,
     .uid_number = 103,
     .gid_number = 1000,
     .secret = "superfluidity"},
};
