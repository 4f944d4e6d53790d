/* test_grants.c - what a manifest asks for has to be granted, and both are shown when it is not */
#include <criterion/criterion.h>
#include <string.h>

#include "worker/build/manifest.h"

static struct manifest *parse(const char *text)
{
    struct manifest *manifest = NULL;
    struct config_messages messages;
    cr_assert_eq(manifest_parse(text, strlen(text), "driver.yaml", &manifest, &messages), DROVER_OK);
    config_messages_done(&messages);
    return manifest;
}

/* What is said of a manifest against grants written in the same way; "" when it is granted. */
static const char *check(const char *asked, const char *granted)
{
    static struct drover_error error;
    error = (struct drover_error){0};
    struct manifest *manifest = parse(asked), *grants = parse(granted);
    const enum drover_status status = manifest_exceeds(manifest, &grants->sandbox, &error);
    cr_expect_eq(status, error.text[0] ? DROVER_PERMISSION_DENIED : DROVER_OK);
    manifest_free(manifest);
    manifest_free(grants);
    return error.text;
}

Test(grants, who_asks_for_nothing_needs_none)
{
    cr_expect_str_empty(check("", ""));
    cr_expect_str_empty(check("", "sandbox: {network: outbound, read: [/srv]}"));
}

Test(grants, less_network_than_is_granted_will_do)
{
    cr_expect_str_empty(check("sandbox: {network: loopback}", "sandbox: {network: outbound}"));
    cr_expect_str_eq(check("sandbox: {network: outbound}", "sandbox: {network: loopback}"),
                     "driver.yaml: asks for network 'outbound', but granted is 'loopback': say 'grants: {network: "
                     "outbound}' if the driver is trusted");
}

Test(grants, a_folder_grants_what_is_below_it)
{
    cr_expect_str_empty(check("sandbox: {read: [/srv/data/a, /srv//data/./b]}", "sandbox: {read: [/srv/data]}"));
    cr_expect_str_empty(check("sandbox: {read: [/anything]}", "sandbox: {read: [/]}"));
    cr_expect_str_eq(check("sandbox: {read: [/srv/database]}", "sandbox: {read: [/srv/data, /opt]}"),
                     "driver.yaml: asks to read '/srv/database', but granted is [/srv/data, /opt]: add it to 'grants: "
                     "{read: [...]}' if the driver is trusted");
    cr_expect_str_not_empty(check("sandbox: {read: [/srv]}", "sandbox: {read: [/srv/data]}"));
}

Test(grants, writing_includes_reading_but_not_the_other_way)
{
    cr_expect_str_empty(check("sandbox: {read: [/srv/data]}", "sandbox: {write: [/srv/data]}"));
    cr_expect_str_eq(check("sandbox: {write: [/srv/data]}", "sandbox: {read: [/srv/data]}"),
                     "driver.yaml: asks to write '/srv/data', but granted is []: add it to 'grants: {write: [...]}' if "
                     "the driver is trusted");
}

Test(grants, amounts_count_where_they_are_limited)
{
    cr_expect_str_empty(check("sandbox: {memory: 1GiB, cpu: 4}", ""));
    cr_expect_str_empty(check("sandbox: {memory: 1GiB, cpu: 0.5}", "sandbox: {memory: 1GiB, cpu: 1}"));
    cr_expect_str_eq(
        check("sandbox: {memory: 2MiB}", "sandbox: {memory: 1MiB}"),
        "driver.yaml: asks for memory 2097152 bytes, but granted is 1048576 bytes: raise 'grants: {memory: "
        "...}' if the driver is trusted");
    cr_expect_str_not_empty(check("sandbox: {cpu: 1.5}", "sandbox: {cpu: 1}"));
}

Test(grants, many_paths_do_not_break_the_message)
{
    char granted[2048] = "sandbox: {read: [";
    for (unsigned i = 0; i < 32; i++)
        strcat(granted, "/a/rather/long/path/of/a/folder/indeed,");
    granted[strlen(granted) - 1] = '\0';
    strcat(granted, "]}");
    const char *text = check("sandbox: {read: [/b]}", granted);
    cr_expect_not_null(strstr(text, "granted is [/a/rather"));
    cr_expect_not_null(strstr(text, "if the driver is trusted"));
}
