/* fixture.h - a file in a string, parsed as /etc/drover/drover.yaml */
#ifndef TEST_CONFIG_FIXTURE_H
#define TEST_CONFIG_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/config/config.h"

#define LISTEN "broker: {listen: [\"ipc:///run/drover/b.sock\"]}\n"

/* A service around the keys given, each on a line of its own from line 5 on, column 5. */
#define SERVICE(keys) LISTEN "services:\n  users:\n    driver: json\n" keys

struct parsed {
    enum drover_status status;
    struct config *config;
    struct config_messages messages;
};

static inline struct parsed parse_bytes(const char *text, size_t size, const struct config_sources *sources)
{
    struct parsed parsed = {0};
    parsed.status = config_parse(text, size, "drover.yaml", "/etc/drover", sources, &parsed.config, &parsed.messages);
    return parsed;
}

static inline struct parsed parse(const char *text)
{
    return parse_bytes(text, strlen(text), NULL);
}

static inline void parsed_done(struct parsed *parsed)
{
    config_free(parsed->config);
    config_messages_done(&parsed->messages);
}

/* All messages in one text, each ended by a newline, for the caller to free(). */
static inline char *all_messages(const struct parsed *parsed)
{
    size_t size = 1;
    for (size_t i = 0; i < parsed->messages.count; i++)
        size += strlen(parsed->messages.lines[i]) + 1;
    char *text = calloc(1, size);
    for (size_t i = 0; i < parsed->messages.count; i++)
        strcat(strcat(text, parsed->messages.lines[i]), "\n");
    return text;
}

/* The file parses. */
static inline struct parsed parse_good(const char *text)
{
    struct parsed parsed = parse(text);
    char *messages = all_messages(&parsed);
    cr_assert_eq(parsed.status, DROVER_OK, "%s", messages);
    free(messages);
    return parsed;
}

/* The file has exactly the mistakes of `lines` (without "drover.yaml:"), in their order. */
static inline void expect_mistakes_of(struct parsed *parsed, const char *const *lines)
{
    char *messages = all_messages(parsed);
    size_t count = 0;
    cr_expect_eq(parsed->status, DROVER_INVALID_ARGUMENT);
    for (; lines[count]; count++) {
        char expected[512];
        snprintf(expected, sizeof expected, "drover.yaml:%s", lines[count]);
        cr_assert_lt(count, parsed->messages.count, "missing: %s\namong:\n%s", expected, messages);
        cr_expect_str_eq(parsed->messages.lines[count], expected, "\nwas:  %s\nnot:  %s", parsed->messages.lines[count],
                         expected);
    }
    cr_expect_eq(parsed->messages.count, count, "more than expected:\n%s", messages);
    free(messages);
    parsed_done(parsed);
}

#define expect_mistakes(text, ...)                                                  \
    do {                                                                            \
        struct parsed parsed_file = parse(text);                                    \
        expect_mistakes_of(&parsed_file, (const char *const[]){__VA_ARGS__, NULL}); \
    } while (0)

#endif
