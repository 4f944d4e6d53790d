/* test_entries.c - the objects of a file, one after the other: which are given out, and where reading stops */
#include "users_fixture.h"

#include "drivers/users/entries.h"

/* What was given out: the value of "n" of each object, with a blank after it. */
struct taken {
    char numbers[128];
    int stop_at; /* refuse the object with this "n" */
    enum drover_status stop_with;
};

static enum drover_status take(void *context, const json_t *object, struct drover_error *error)
{
    struct taken *taken = context;
    json_int_t number = json_integer_value(json_object_get(object, "n"));
    size_t used = strlen(taken->numbers);

    snprintf(taken->numbers + used, sizeof(taken->numbers) - used, "%lld ", number);
    if (number == taken->stop_at && taken->stop_with != DROVER_OK)
        return drover_error_set(error, taken->stop_with, "enough");
    return DROVER_OK;
}

static enum drover_status read_all(const void *json, size_t size, struct taken *taken, struct drover_error *error)
{
    char path[] = "/tmp/drover-users-XXXXXX";
    int fd = mkstemp(path);

    cr_assert(fd >= 0 && write(fd, json, size) == (ssize_t)size);
    close(fd);
    enum drover_status status = entries_read(path, take, taken, error);
    unlink(path);
    return status;
}

static enum drover_status read_string(const char *json, struct taken *taken, struct drover_error *error)
{
    return read_all(json, strlen(json), taken, error);
}

Test(entries, come_in_the_order_of_the_file)
{
    struct taken taken = {0};
    struct drover_error error = {0};

    cr_assert_eq(
        read_string("\r\n [\t{\"n\":3},{\"n\":1,\"x\":[{\"n\":9}]}\n,{} , {\"n\":2,\"n\":5}\n]\n", &taken, &error),
        DROVER_OK, "%s", error.text);
    cr_assert_str_eq(taken.numbers, "3 1 0 5 ");
}

Test(entries, may_be_none)
{
    struct taken taken = {0};
    struct drover_error error = {0};

    cr_assert_eq(read_string("[]", &taken, &error), DROVER_OK, "%s", error.text);
    cr_assert_str_eq(taken.numbers, "");
}

Test(entries, stop_at_the_one_that_is_refused_and_say_which)
{
    struct taken taken = {.stop_at = 7, .stop_with = DROVER_INVALID_ARGUMENT};
    struct drover_error error = {0};

    cr_assert_eq(read_string("[{\"n\": 1},\n \xc3\xa4", &taken, &error), DROVER_INVALID_ARGUMENT);
    cr_assert(strstr(error.text, ":2:2: a user must be an object"), "%s", error.text);
    cr_assert_eq(
        read_string("[{\"n\": 1, \"\xc3\xa4\": 1}, {\"n\": 7, \"username\": \"ada\"}, {\"n\": 8}]", &taken, &error),
        DROVER_INVALID_ARGUMENT);
    cr_assert(strstr(error.text, ":1:20: entry 2, username \"ada\": enough"), "%s", error.text);
    cr_assert_str_eq(taken.numbers, "1 1 7 ");
}

Test(entries, tell_want_of_memory_from_a_mistake)
{
    struct taken taken = {.stop_at = 1, .stop_with = DROVER_RESOURCE_EXHAUSTED};
    struct drover_error error = {0};

    cr_assert_eq(read_string("[{\"n\": 1}]", &taken, &error), DROVER_RESOURCE_EXHAUSTED);
    cr_assert(strncmp(error.text, "no memory for users file '/tmp/", 31) == 0, "%s", error.text);
}

/* A NUL is neither white space nor the end of the file. */
Test(entries, are_not_ended_by_a_nul)
{
    struct taken taken = {0};
    struct drover_error error = {0};

    cr_expect_eq(read_all("[{}]\0", 5, &taken, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, ":1:5: nothing may follow here"), "%s", error.text);
    cr_expect_eq(read_all("[\0{}]", 5, &taken, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(read_all("[{}\0]", 5, &taken, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(read_all("[{\"a\0\":1}]", 10, &taken, &error), DROVER_INVALID_ARGUMENT);
}

/* Whatever is cut off or changed in a good file, nothing is read beyond its end, and nothing is taken that is not
 * whole. */
Test(entries, survive_every_cut_and_every_changed_byte)
{
    static const char good[] = "[{\"n\":-1,\"a\":[true,null,\"\\ud83d\\ude00\xc3\xa4\",1.5e3],\"b\":\"\"},{}]";
    struct drover_error error = {0};

    for (size_t size = 0; size < sizeof(good) - 1; size++) {
        struct taken taken = {0};
        cr_expect_eq(read_all(good, size, &taken, &error), DROVER_INVALID_ARGUMENT, "%.*s", (int)size, good);
    }
    for (size_t at = 0; at < sizeof(good) - 1; at++)
        for (int byte = 0; byte < 256; byte += 5) {
            struct taken taken = {0};
            char changed[sizeof(good)];
            memcpy(changed, good, sizeof(good));
            changed[at] = (char)byte;
            enum drover_status status = read_all(changed, sizeof(good) - 1, &taken, &error);
            cr_expect(status == DROVER_OK || status == DROVER_INVALID_ARGUMENT);
        }
}
