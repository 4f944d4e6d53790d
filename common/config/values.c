/* values.c - reads single values
 *
 * Numbers and strings go different ways: a number is parsed, then compared with its row's range; a string is checked,
 * then copied.
 */
#include "common/config/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/endpoint.h"
#include "common/config/paths.h"
#include "common/wire/header.h"

#define NAME_SIZE_MAX 63
#define GROUP_SIZE_MAX 32
#define HASH_SIZE 64

static const char letters_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char name_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *format_number(uint64_t value)
{
    return text_format("%llu", (unsigned long long)value);
}

/* In the largest unit that divides it. */
static char *format_units(uint64_t value, const uint64_t *factors, const char *const *units)
{
    size_t i = 0;
    while (factors[i] > 1 && (value == 0 || value % factors[i] != 0))
        i++;
    return text_format("%llu%s", (unsigned long long)(value / factors[i]), units[i]);
}

static char *format_time(uint64_t ms)
{
    static const uint64_t factors[] = {3600000, 60000, 1000, 1};
    static const char *const units[] = {"h", "m", "s", "ms"};
    return format_units(ms, factors, units);
}

static char *format_size(uint64_t bytes)
{
    static const uint64_t factors[] = {UINT64_C(1) << 30, UINT64_C(1) << 20, UINT64_C(1) << 10, 1};
    static const char *const units[] = {"GiB", "MiB", "KiB", ""};
    return format_units(bytes, factors, units);
}

/* "0660" or "0o660": what chmod(1) and YAML call octal. */
static bool parse_mode(const char *text, uint64_t *ret)
{
    if (text[0] != '0')
        return false;
    const char *digits = text[1] == 'o' ? text + 2 : text + 1;
    size_t size = strlen(digits);
    if (size < 1 || size > 4 || strspn(digits, "01234567") != size)
        return false;
    *ret = strtoull(digits, NULL, 8);
    return true;
}

static char *format_mode(uint64_t mode)
{
    return text_format("%04llo", (unsigned long long)mode);
}

bool value_is_name(const char *text)
{
    size_t size = strlen(text);
    return size >= 1 && size <= NAME_SIZE_MAX && strchr(letters_digits, text[0]) &&
           strspn(text, name_characters) == size;
}

static const char *name_mistake(const char *text)
{
    return value_is_name(text) ? NULL : "must be " VALUE_NAME_RULE;
}

static const char *group_mistake(const char *text)
{
    size_t size = strlen(text);
    bool is_group = size >= 1 && size <= GROUP_SIZE_MAX && text[0] != '-' && strspn(text, name_characters) == size;
    return is_group ? NULL : "must be the name of a group";
}

static const char *user_mistake(const char *text)
{
    return group_mistake(text) ? "must be the name of a user" : NULL;
}

static const char *scheme_mistake(const char *text)
{
    static const char *const schemes[] = {"https", "ssh", "file", "http", "git"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strcmp(text, schemes[i]) == 0)
            return NULL;
    return "must be one of https, ssh, file, http and git";
}

static const char *hash_mistake(const char *text)
{
    bool is_hash = strlen(text) == HASH_SIZE && strspn(text, "0123456789abcdefABCDEF") == HASH_SIZE;
    return is_hash ? NULL : "must be the 64 hex digits that sha256sum prints";
}

static const char *path_mistake(const char *text)
{
    return *text ? NULL : "must be a path, which cannot be empty";
}

static const char *method_mistake(const char *text)
{
    return *text && strlen(text) <= WIRE_NAME_MAX ? NULL : "must be the name of a method, of at most 255 bytes";
}

/* All else that can be wrong with a reference is found by its resolution. */
static const char *reference_mistake(const char *text)
{
    return *text ? NULL : "must be a built-in driver's name or a path";
}

static char *lower_copy(const char *directory, const char *text)
{
    (void)directory;
    char *copy = strdup(text);
    for (char *at = copy; at && *at; at++)
        if (*at >= 'A' && *at <= 'F')
            *at = (char)(*at - 'A' + 'a');
    return copy;
}

static char *plain_copy(const char *directory, const char *text)
{
    (void)directory;
    return strdup(text);
}

static const char *const sandbox_words[] = {
    [CONFIG_SANDBOX_BEST_EFFORT] = "best-effort",
    [CONFIG_SANDBOX_REQUIRED] = "required",
    [CONFIG_SANDBOX_OFF] = "off",
    NULL,
};

static const char *const network_words[] = {
    [CONFIG_NETWORK_NONE] = "none",
    [CONFIG_NETWORK_LOOPBACK] = "loopback",
    [CONFIG_NETWORK_OUTBOUND] = "outbound",
    NULL,
};

static const char *const status_words[] = {
#define DROVER_STATUS(NAME, number, meaning) [number] = #NAME,
#include <drover/status.def>
#undef DROVER_STATUS
    NULL,
};

static const char *const by_hand_words[] = {"auto", "manual", NULL};
static const char *const by_itself_words[] = {"manual", "auto", NULL};

static const struct kind {
    const char *wanted;
    /* Numbers only. */
    bool (*parse)(const char *text, uint64_t *ret);
    char *(*format)(uint64_t value);
    bool takes_quoted;
    /* Strings only. */
    const char *(*mistake)(const char *text);
    char *(*copy)(const char *directory, const char *text);
    /* Choices and switches only: the words in the order of their enum, ended by NULL. */
    const char *const *words;
    bool suggests; /* the nearest word is named, since `wanted` does not have them all */
} kinds[KIND_END] = {
    [KIND_BOOL] = {.wanted = "true or false"},
    [KIND_NUMBER] = {.wanted = "a whole number", .parse = text_parse_number, .format = format_number},
    [KIND_TIME] = {.wanted = "a time such as 200ms, 30s or 5m",
                   .parse = text_parse_time,
                   .format = format_time,
                   .takes_quoted = true},
    [KIND_SIZE] = {.wanted = "a size such as 4096, 64KiB or 10MiB",
                   .parse = text_parse_size,
                   .format = format_size,
                   .takes_quoted = true},
    [KIND_MODE] = {.wanted = "octal permissions such as \"0660\"",
                   .parse = parse_mode,
                   .format = format_mode,
                   .takes_quoted = true},
    [KIND_NAME] = {.wanted = "a name", .mistake = name_mistake, .copy = plain_copy},
    [KIND_GROUP] = {.wanted = "the name of a group", .mistake = group_mistake, .copy = plain_copy},
    [KIND_USER] = {.wanted = "the name of a user", .mistake = user_mistake, .copy = plain_copy},
    [KIND_SCHEME] = {.wanted = "a scheme such as https", .mistake = scheme_mistake, .copy = plain_copy},
    [KIND_SANDBOX] = {.wanted = "required, best-effort or off", .words = sandbox_words},
    [KIND_NETWORK] = {.wanted = "none, loopback or outbound", .words = network_words},
    [KIND_REFERENCE] = {.wanted = "a driver's name, path or URL", .mistake = reference_mistake, .copy = plain_copy},
    [KIND_HASH] = {.wanted = "64 hex digits", .mistake = hash_mistake, .copy = lower_copy},
    [KIND_PATH] = {.wanted = "a path", .mistake = path_mistake, .copy = path_resolve},
    [KIND_ENDPOINT] = {.wanted = "an endpoint such as ipc:///run/drover/broker.sock",
                       .mistake = endpoint_mistake,
                       .copy = plain_copy},
    [KIND_METHOD] = {.wanted = "the name of a method", .mistake = method_mistake, .copy = plain_copy},
    [KIND_STATUS] = {.wanted = "a status such as OK or NOT_FOUND", .words = status_words, .suggests = true},
    [KIND_BY_HAND] = {.wanted = "auto or manual", .words = by_hand_words},
    [KIND_BY_ITSELF] = {.wanted = "auto or manual", .words = by_itself_words},
};

#define DESCRIPTION_SIZE (REPORT_QUOTE_SIZE + 16)

/* The value for a message, in `buffer` of DESCRIPTION_SIZE; a secret is not shown. `mark` is put before a quoted
 * scalar, where that is what makes it wrong. */
static const char *describe(const struct node *node, const char *mark, char *buffer)
{
    char quote[REPORT_QUOTE_SIZE];
    if (node->kind == NODE_LIST)
        return "a list";
    if (node->kind == NODE_MAP)
        return "a map";
    if (node->secret)
        return "what its secret holds";
    if (node_is_null(node))
        return "nothing";
    report_quote(node->text, node->size, quote);
    snprintf(buffer, DESCRIPTION_SIZE, "%s'%s'", node->quoted ? mark : "", quote);
    return buffer;
}

void value_refuse(const char *key, const char *wanted, const struct node *node, struct report *report)
{
    char buffer[DESCRIPTION_SIZE];
    if (node->kind != NODE_BROKEN)
        report_mistake(report, node->place, "key '%s': must be %s, not %s", key, wanted,
                       describe(node, "the text ", buffer));
}

static void read_bool(const struct key *key, const struct node *node, struct report *report, bool *member)
{
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (node_is(node, words[i]) && !node->quoted) {
            *member = i < 3;
            return;
        }
    value_refuse(key->name, kinds[KIND_BOOL].wanted, node, report);
}

static void report_range(const struct key *key, const struct kind *kind, const struct node *node, struct report *report)
{
    char buffer[DESCRIPTION_SIZE];
    char *low = kind->format(key->low), *high = kind->format(key->high);
    if (low && high)
        report_mistake(report, node->place, "key '%s': must be between %s and %s, not %s", key->name, low, high,
                       describe(node, "", buffer));
    else
        report->no_memory = true;
    free(low);
    free(high);
}

static void read_number(const struct key *key, const struct node *node, struct report *report, uint64_t *member)
{
    const struct kind *kind = &kinds[key->kind];
    uint64_t value;
    bool is_text = node->quoted && !node->secret && !kind->takes_quoted;
    if (is_text || strlen(node->text) != node->size || !kind->parse(node->text, &value))
        value_refuse(key->name, kind->wanted, node, report);
    else if (value < key->low || value > key->high)
        report_range(key, kind, node, report);
    else
        *member = value;
}

/* An enum of ours is an unsigned int for the compilers that are supported. */
_Static_assert(sizeof(enum config_sandbox) == sizeof(unsigned) && sizeof(enum config_network) == sizeof(unsigned) &&
                   sizeof(enum drover_status) == sizeof(unsigned),
               "choices are stored as unsigned");

static void refuse_word(const struct key *key, const struct node *node, struct report *report)
{
    const struct kind *kind = &kinds[key->kind];
    const char *nearest = NULL;
    char buffer[DESCRIPTION_SIZE];
    size_t count = 0;
    while (kind->words[count])
        count++;
    if (kind->suggests && !node->secret)
        nearest = text_nearest(node->text, kind->words, count);
    if (nearest)
        report_mistake(report, node->place, "key '%s': must be %s, not %s (nearest: '%s')", key->name, kind->wanted,
                       describe(node, "the text ", buffer), nearest);
    else
        value_refuse(key->name, kind->wanted, node, report);
}

static void read_word(const struct key *key, const struct node *node, struct report *report, void *member)
{
    const struct kind *kind = &kinds[key->kind];
    unsigned i = 0;
    while (kind->words[i] && !node_is(node, kind->words[i]))
        i++;
    if (!kind->words[i])
        refuse_word(key, node, report);
    else if (key_is_switch(key))
        *(bool *)member = i > 0;
    else
        *(unsigned *)member = i;
}

static bool has_control_character(const struct node *node)
{
    for (size_t i = 0; i < node->size; i++)
        if ((unsigned char)node->text[i] < 0x20 || node->text[i] == 0x7F)
            return true;
    return false;
}

static void read_string(const struct key *key, const struct node *node, const char *directory, struct report *report,
                        char **member)
{
    const struct kind *kind = &kinds[key->kind];
    char buffer[DESCRIPTION_SIZE];
    const char *mistake = has_control_character(node) ? "must not hold control characters" : kind->mistake(node->text);
    if (mistake) {
        report_mistake(report, node->place, "key '%s': %s: %s", key->name, describe(node, "", buffer), mistake);
        return;
    }
    char *copy = kind->copy(directory, node->text);
    if (!copy) {
        report->no_memory = true;
        return;
    }
    free(*member);
    *member = copy;
}

void value_read(const struct key *key, const struct node *node, const char *directory, struct report *report,
                void *member)
{
    const struct kind *kind = &kinds[key->kind];
    if (node->kind != NODE_SCALAR || node_is_null(node))
        value_refuse(key->name, kind->wanted, node, report);
    else if (key->kind == KIND_BOOL)
        read_bool(key, node, report, member);
    else if (kind->words)
        read_word(key, node, report, member);
    else if (kind->parse)
        read_number(key, node, report, member);
    else
        read_string(key, node, directory, report, member);
}
