/* settings.c - see settings.h
 *
 * options_parse() fills in the words as they stand; what is more than a word is read from them afterwards.
 */
#include "worker/launch/settings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define HASH_DIGITS 64 /* of a SHA-256 */

/* The options as they were written; NULL where there is none. */
struct words {
    const char *policy, *network, *user, *group, *processors, *parent, *report_fd, *artefact, *module, *name;
    const char *limits[LIMITS];
    struct option_list keep_fd, read, write, exec, keep_env, env;
    bool namespaces, clear_env, help, version;
};

#define AT(member) offsetof(struct words, member)

static const struct option table[] = {
    {"policy", 0, OPTION_TEXT, AT(policy), "POLICY",
     "required, best-effort or off: what to do when a layer does not hold"},
    {"read", 0, OPTION_LIST, AT(read), "PATH", "may read this file, or what is below this folder"},
    {"exec", 0, OPTION_LIST, AT(exec), "PATH", "may read and execute it"},
    {"write", 0, OPTION_LIST, AT(write), "PATH", "may read and change it"},
    {"network", 0, OPTION_TEXT, AT(network), "NETWORK",
     "none (not even sockets of this machine), unix, loopback or outbound"},
    {"user", 0, OPTION_TEXT, AT(user), "UID:GID", "become this user, with no other group"},
    {"group", 0, OPTION_TEXT, AT(group), "GID", "and be in this group besides"},
    {"namespaces", 0, OPTION_FLAG, AT(namespaces), NULL, "namespaces of its own as well, where they are to be had"},
#define LIMIT(NAME, option, resource, read, value, help) \
    {option, 0, OPTION_TEXT, AT(limits) + LIMIT_##NAME * sizeof(const char *), value, help},
#include "worker/launch/limits.def"
#undef LIMIT
    {"processors", 0, OPTION_TEXT, AT(processors), "N", "run on no more than N processors at a time"},
    {"parent", 0, OPTION_TEXT, AT(parent), "PID", "end at once if this is not the parent"},
    {"keep-fd", 0, OPTION_LIST, AT(keep_fd), "N", "leave this descriptor open"},
    {"report-fd", 0, OPTION_TEXT, AT(report_fd), "N", "tell there which layers hold, as a line of JSON"},
    {"artefact", 0, OPTION_TEXT, AT(artefact), "SHA256", "run a copy in memory, and only if it has this hash"},
    {"module", 0, OPTION_TEXT, AT(module), "FILE",
     "the artefact is this file; PROGRAM gets the name of the copy as its last argument"},
    {"name", 0, OPTION_TEXT, AT(name), "NAME", "what PROGRAM is told, and others are shown, as its name"},
    {"clear-env", 0, OPTION_FLAG, AT(clear_env), NULL, "start from an empty environment"},
    {"keep-env", 0, OPTION_LIST, AT(keep_env), "NAME", "but keep this variable"},
    {"env", 0, OPTION_LIST, AT(env), "NAME=VALUE", "and set this one"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "show this text"},
    {"version", 0, OPTION_FLAG, AT(version), NULL, "show the version"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL},
};

static enum drover_status refuse(struct drover_error *error, const char *option, const char *word, const char *wanted)
{
    char quoted[96];

    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '--%s': '%s' is no %s", option,
                            text_printable(word, strlen(word), quoted, sizeof(quoted)), wanted);
}

/* A number from 0 to `most`. NULL leaves `*ret` alone. */
static enum drover_status read_int(const char *option, const char *word, uint64_t most, int *ret,
                                   struct drover_error *error)
{
    uint64_t number;

    if (word == NULL)
        return DROVER_OK;
    if (!text_parse_number(word, &number) || number > most)
        return refuse(error, option, word, "number that can be meant here");
    *ret = (int)number;
    return DROVER_OK;
}

static enum drover_status read_user(const char *word, struct settings *ret, struct drover_error *error)
{
    char uid_text[16];
    uint64_t uid, gid;

    if (word == NULL)
        return DROVER_OK;
    const char *colon = strchr(word, ':');
    const size_t size = colon != NULL ? (size_t)(colon - word) : sizeof(uid_text);
    if (size >= sizeof(uid_text))
        return refuse(error, "user", word, "user (write it as '65534:65534')");
    memcpy(uid_text, word, size);
    uid_text[size] = '\0';
    /* The highest number means "leave it" to setresuid(). */
    if (!text_parse_number(uid_text, &uid) || !text_parse_number(colon + 1, &gid) || uid >= UINT32_MAX ||
        gid >= UINT32_MAX)
        return refuse(error, "user", word, "user (write it as '65534:65534')");
    ret->changes_user = true;
    ret->uid = (uid_t)uid;
    ret->gid = (gid_t)gid;
    return DROVER_OK;
}

/* As sha256sum(1) prints it. */
static enum drover_status check_artefact(const struct settings *settings, struct drover_error *error)
{
    const char *hash = settings->artefact;

    if (hash == NULL)
        return settings->module == NULL
                   ? DROVER_OK
                   : drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '--module' needs '--artefact'");
    if (strlen(hash) == HASH_DIGITS && strspn(hash, "0123456789abcdef") == HASH_DIGITS)
        return DROVER_OK;
    return refuse(error, "artefact", hash, "SHA-256 (64 digits 0-9a-f)");
}

static enum drover_status read_group(const char *word, struct settings *ret, struct drover_error *error)
{
    int group = 0;
    const enum drover_status status = read_int("group", word, INT_MAX, &group, error);

    ret->has_group = word != NULL;
    ret->group = (gid_t)group;
    return status;
}

static enum drover_status read_limits(const struct words *words, struct settings *ret, struct drover_error *error)
{
    static const struct {
        const char *option;
        bool (*read)(const char *text, uint64_t *ret);
    } rows[LIMITS] = {
#define LIMIT(NAME, option, resource, read, value, help) [LIMIT_##NAME] = {option, read},
#include "worker/launch/limits.def"
#undef LIMIT
    };

    for (int i = 0; i < LIMITS; i++) {
        const char *word = words->limits[i];
        if (word == NULL)
            continue;
        if (!rows[i].read(word, &ret->limits[i].value) || ret->limits[i].value == 0)
            return refuse(error, rows[i].option, word, "limit");
        ret->limits[i].given = true;
    }
    return DROVER_OK;
}

static enum drover_status read_kept(const struct option_list *words, struct settings *ret, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;

    for (ret->keep_count = 0; status == DROVER_OK && ret->keep_count < words->count; ret->keep_count++)
        status = read_int("keep-fd", words->items[ret->keep_count], INT_MAX, &ret->keep[ret->keep_count], error);
    return status;
}

static enum drover_status check_variables(const struct settings *settings, struct drover_error *error)
{
    for (size_t i = 0; i < settings->env.count; i++) {
        const char *entry = settings->env.items[i];
        if (strchr(entry, '=') == NULL || entry[0] == '=')
            return refuse(error, "env", entry, "variable (write it as NAME=VALUE)");
    }
    for (size_t i = 0; i < settings->keep_env.count; i++) {
        const char *name = settings->keep_env.items[i];
        if (name[0] == '\0' || strchr(name, '=') != NULL)
            return refuse(error, "keep-env", name, "name of a variable");
    }
    return DROVER_OK;
}

static enum drover_status check_command(const struct settings *settings, struct drover_error *error)
{
    char quoted[96];

    if (settings->help || settings->version)
        return DROVER_OK;
    const char *program = settings->command[0];
    if (program == NULL)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "nothing to run: write the program behind '--'");
    if (strchr(program, '/') == NULL)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "program '%s' has no '/': PATH is not searched here",
                                text_printable(program, strlen(program), quoted, sizeof(quoted)));
    return DROVER_OK;
}

/* What is more than a word. */
static enum drover_status read_words(const struct words *words, struct settings *ret, struct drover_error *error)
{
    enum drover_status status;

    if (words->policy != NULL && !sandbox_policy_parse(words->policy, &ret->policy))
        return refuse(error, "policy", words->policy, "policy (required, best-effort, off)");
    if (words->network != NULL && !sandbox_network_parse(words->network, &ret->network))
        return refuse(error, "network", words->network, "network (none, unix, loopback, outbound)");
    if ((status = read_int("parent", words->parent, INT_MAX, &ret->parent, error)) != DROVER_OK ||
        (status = read_int("report-fd", words->report_fd, INT_MAX, &ret->report_fd, error)) != DROVER_OK ||
        (status = read_int("processors", words->processors, INT_MAX, &ret->processors, error)) != DROVER_OK ||
        (status = read_user(words->user, ret, error)) != DROVER_OK ||
        (status = read_group(words->group, ret, error)) != DROVER_OK ||
        (status = check_artefact(ret, error)) != DROVER_OK || (status = read_limits(words, ret, error)) != DROVER_OK ||
        (status = read_kept(&words->keep_fd, ret, error)) != DROVER_OK ||
        (status = check_variables(ret, error)) != DROVER_OK)
        return status;
    return check_command(ret, error);
}

enum drover_status settings_read(int argc, char **argv, struct settings *ret, struct drover_error *error)
{
    struct words words = {0};
    int rest = argc;
    enum drover_status status = options_parse(table, argc, argv, 1, &words, &rest, error);

    if (status != DROVER_OK)
        return status;
    struct settings settings = {
        .policy = SANDBOX_REQUIRED,
        .network = SANDBOX_NETWORK_NONE,
        .read = words.read,
        .write = words.write,
        .exec = words.exec,
        .namespaces = words.namespaces,
        .report_fd = -1,
        .artefact = words.artefact,
        .module = words.module,
        .name = words.name,
        .clear_env = words.clear_env,
        .keep_env = words.keep_env,
        .env = words.env,
        .help = words.help,
        .version = words.version,
        .command = argv + rest,
    };
    status = read_words(&words, &settings, error);
    if (status == DROVER_OK)
        *ret = settings;
    return status;
}

char *settings_help(void)
{
    return options_help(table);
}
