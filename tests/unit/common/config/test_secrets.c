/* test_secrets.c - ${env:NAME} and ${file:PATH} */
#include <drover/value.h>

#include "tests/unit/common/config/fixture.h"

static char *fake_env(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "PASSWORD") == 0)
        return strdup("1234");
    if (strcmp(name, "REPLICAS") == 0)
        return strdup("2");
    return strcmp(name, "EMPTY") == 0 ? strdup("") : NULL;
}

static char *fake_file(void *context, const char *path)
{
    (void)context;
    if (strcmp(path, "/etc/drover/secret.txt") == 0)
        return strdup("from a file\r\n");
    if (strcmp(path, "/big") == 0) {
        char *big = malloc(CONFIG_SECRET_MAX + 2);
        memset(big, 'x', CONFIG_SECRET_MAX + 1);
        big[CONFIG_SECRET_MAX + 1] = '\0';
        return big;
    }
    return strcmp(path, "/two") == 0 ? strdup("a\n\n") : NULL;
}

static const struct config_sources sources = {.env = fake_env, .file = fake_file};

/* What setting `x` of a file is after the secrets came in. */
static void expect_setting(const char *scalar, const char *expected)
{
    char file[512];
    struct drover_document *document;
    snprintf(file, sizeof file, SERVICE("    json: {x: %s}\n"), scalar);
    struct parsed parsed = parse_bytes(file, strlen(file), &sources);
    char *messages = all_messages(&parsed);
    cr_assert_eq(parsed.status, DROVER_OK, "%s: %s", scalar, messages);
    free(messages);
    const struct config_service *service = &parsed.config->services[0];
    cr_assert_eq(drover_document_parse(service->settings, service->settings_size, &document, NULL), DROVER_OK);
    struct drover_text text = drover_value_get_text(drover_document_root(document), "x", "(no string)");
    cr_expect(drover_text_equals(text, expected), "%s is '%.*s', not '%s'", scalar, (int)text.size, text.data,
              expected);
    drover_document_free(document);
    parsed_done(&parsed);
}

Test(secrets, an_environment_variable_is_a_string_even_if_it_looks_like_a_number)
{
    expect_setting("\"${env:PASSWORD}\"", "1234");
    expect_setting("'${env:PASSWORD}'", "1234");
    expect_setting("\"${env:EMPTY}\"", "");
}

Test(secrets, a_file_is_read_relative_to_the_configuration_without_its_line_end)
{
    expect_setting("\"${file:secret.txt}\"", "from a file");
    expect_setting("\"${file:/etc/drover/secret.txt}\"", "from a file");
    expect_setting("\"${file:/two}\"", "a\n");
}

Test(secrets, may_stand_anywhere_in_a_value_and_more_than_once)
{
    expect_setting("\"a${env:PASSWORD}b${env:PASSWORD}c\"", "a1234b1234c");
}

Test(secrets, a_doubled_dollar_stands_for_itself)
{
    expect_setting("\"$${env:PASSWORD}\"", "${env:PASSWORD}");
    expect_setting("\"$${file:x}$\"", "${file:x}$");
}

Test(secrets, other_dollars_are_left_alone)
{
    expect_setting("\"$ $$ ${other} ${ENV:X} $$$\"", "$ $$ ${other} ${ENV:X} $$$");
}

Test(secrets, may_set_drover_s_own_keys)
{
    static const char text[] = SERVICE("    replicas: \"${env:REPLICAS}\"\n");
    struct parsed parsed = parse_bytes(text, strlen(text), &sources);
    cr_assert_eq(parsed.status, DROVER_OK);
    cr_expect_eq(parsed.config->services[0].replicas, 2);
    parsed_done(&parsed);
}

Test(secrets, are_not_brought_into_keys)
{
    static const char text[] = SERVICE("    json: {\"${env:NOT_SET}\": 1}\n");
    struct parsed parsed = parse_bytes(text, strlen(text), &sources);
    cr_expect_eq(parsed.status, DROVER_OK);
    parsed_done(&parsed);
}

Test(secrets, that_cannot_be_had_are_mistakes_at_their_place)
{
    static const char text[] = SERVICE("    json:\n      a: ${env:NOT_SET}\n      b: [x, \"${file:gone}\"]\n"
                                       "      c: ${env:1x}\n      d: ${file:}\n      e: ${env:OPEN\n"
                                       "      f: ${file:/big}\n");
    struct parsed parsed = parse_bytes(text, strlen(text), &sources);
    expect_mistakes_of(&parsed,
                       (const char *const[]){
                           "6:10: ${env:NOT_SET}: this environment variable is not set (set it, or write the value)",
                           "7:14: ${file:/etc/drover/gone}: this file cannot be read (check its path and permissions)",
                           "8:10: ${env:1x}: not the name of an environment variable (letters, digits and '_')",
                           "9:10: ${file:}: a path is missing", "10:10: '${env:' is not closed by '}'",
                           "11:10: with its secrets the value is larger than 1048576 bytes", NULL});
}

Test(secrets, without_sources_are_refused)
{
    expect_mistakes(SERVICE("    json: {a: \"${env:X}\", b: \"${file:x}\"}\n"),
                    "5:15: ${env:X}: environment variables cannot be used here",
                    "5:30: ${file:x}: files cannot be used here");
}

Test(secrets, never_show_in_messages)
{
    static const char text[] = SERVICE("    replicas: \"${env:PASSWORD}\"\n    sha256: \"${env:PASSWORD}\"\n"
                                       "    queue: \"${env:PASSWORD}\"\n");
    struct parsed parsed = parse_bytes(text, strlen(text), &sources);
    for (size_t i = 0; i < parsed.messages.count; i++)
        cr_expect_null(strstr(parsed.messages.lines[i], "1234"), "%s", parsed.messages.lines[i]);
    cr_expect_eq(parsed.messages.count, 3);
    parsed_done(&parsed);
}
