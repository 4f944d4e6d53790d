/* test_interfaces.c - the interface files of two interfaces share their types by copy: the copies must not drift apart
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *contents_of(const char *name)
{
    char path[512], *text = calloc(1, 65536);

    snprintf(path, sizeof(path), "%s/drivers/interfaces/%s.yaml", DROVER_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    cr_assert(file && text, "%s", path);
    cr_assert_gt(fread(text, 1, 65535, file), 0);
    fclose(file);
    return text;
}

/* Cut `text` to what stands from `from` up to `to`. */
static char *part(char *text, const char *from, const char *to)
{
    char *start = strstr(text, from);
    char *end = start ? strstr(start, to) : NULL;

    cr_assert(start && end);
    *end = '\0';
    return start;
}

Test(interfaces, user_is_the_same_type_in_both)
{
    char *userprovider = contents_of("userprovider"), *authprovider = contents_of("authprovider");

    cr_assert_str_eq(part(userprovider, "  UserType:", "methods:"), part(authprovider, "  UserType:", "  Role:"));
    free(userprovider);
    free(authprovider);
}
