/* manifest.c - reads driver.yaml by the table in manifest.def
 *
 * The tree of nodes, with anchors, tags and duplicate keys refused, is that of the configuration (common/config), and
 * so is the wording of mistakes.
 */
#include "worker/build/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/node.h"
#include "common/config/paths.h"
#include "common/config/self_test.h"
#include "common/config/values.h"

#define LIST_MAX 32
#define TEXT_SIZE_MAX 1024
#define CPU_MILLI_MAX UINT64_C(1024000)
#define MEMORY_MIN (UINT64_C(1) << 20)
#define MEMORY_MAX (UINT64_C(1) << 40)

enum where { WHERE_OF_top, WHERE_OF_build, WHERE_OF_sandbox, WHERE_OF_self_test };

struct row;
typedef void read_value(const struct row *row, const struct node *node, struct report *report, void *member);

struct row {
    const char *name;
    enum where where, inner; /* inner: of a map */
    read_value *read;        /* NULL: a map */
    size_t offset;
};

static const char *const system_names[SYSTEM_END] = {NULL, "cmake", "make", "cc", "command"};
static const char *const network_names[NETWORK_END] = {"none", "loopback", "outbound"};

const char *build_system_name(enum build_system system)
{
    return system_names[system] ? system_names[system] : "";
}

const char *network_access_name(enum network_access network)
{
    return network_names[network];
}

/* --- single values -------------------------------------------------------------------------------------------------
 */

static void read_NAME(const struct row *row, const struct node *node, struct report *report, void *member)
{
    const struct key key = {.name = row->name, .kind = KIND_NAME};
    value_read(&key, node, NULL, report, member);
}

static void read_METHOD(const struct row *row, const struct node *node, struct report *report, void *member)
{
    const struct key key = {.name = row->name, .kind = KIND_METHOD};
    value_read(&key, node, NULL, report, member);
}

static void read_STATUS(const struct row *row, const struct node *node, struct report *report, void *member)
{
    const struct key key = {.name = row->name, .kind = KIND_STATUS};
    value_read(&key, node, NULL, report, member);
}

static void read_REQUEST(const struct row *row, const struct node *node, struct report *report, void *member)
{
    struct manifest_self_test *test = member;
    self_test_read_request(node, report, &test->request, &test->request_size);
    if (test->request_size > MANIFEST_REQUEST_MAX)
        report_mistake(report, node->place, "key '%s': %zu bytes as msgpack, but at most %zu are allowed here",
                       row->name, test->request_size, MANIFEST_REQUEST_MAX);
}

static void read_SIZE(const struct row *row, const struct node *node, struct report *report, void *member)
{
    const struct key key = {.name = row->name, .kind = KIND_SIZE, .low = MEMORY_MIN, .high = MEMORY_MAX};
    value_read(&key, node, NULL, report, member);
}

/* Is it a text of one line, neither empty nor too long, that can be a word of a command line? */
static bool is_text(const struct node *node)
{
    if (node->kind != NODE_SCALAR || node->size == 0 || node->size > TEXT_SIZE_MAX || node_is_null(node))
        return false;
    for (size_t i = 0; i < node->size; i++) {
        if ((unsigned char)node->text[i] < 0x20 || node->text[i] == 0x7F)
            return false;
    }
    return true;
}

static void copy_text(const struct node *node, struct report *report, char **member)
{
    free(*member);
    *member = strdup(node->text);
    report->no_memory |= *member == NULL;
}

static void read_TEXT(const struct row *row, const struct node *node, struct report *report, void *member)
{
    if (is_text(node) && node->text[0] != '-')
        copy_text(node, report, member);
    else
        value_refuse(row->name, "a text of one line that does not begin with '-'", node, report);
}

static void read_INSIDE(const struct row *row, const struct node *node, struct report *report, void *member)
{
    if (is_text(node) && node->text[0] != '/' && !path_has_parent(node->text))
        copy_text(node, report, member);
    else
        value_refuse(row->name, "a relative path without '..'", node, report);
}

/* The place of the scalar in `names`, or `count` when it is not there (which is reported with all that are). */
static size_t read_choice(const struct row *row, const struct node *node, struct report *report,
                          const char *const *names, size_t count)
{
    char wanted[128] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (names[i] && node_is(node, names[i]))
            return i;
        for (const char *at = names[i]; at && *at && used + 3 < sizeof(wanted); at++)
            wanted[used++] = *at;
        if (names[i] && i + 1 < count && used + 3 < sizeof(wanted)) {
            wanted[used++] = ',';
            wanted[used++] = ' ';
        }
    }
    wanted[used] = '\0';
    char *text = text_format("one of %s", wanted);
    value_refuse(row->name, text ? text : wanted, node, report);
    free(text);
    return count;
}

static void read_SYSTEM(const struct row *row, const struct node *node, struct report *report, void *member)
{
    const size_t found = read_choice(row, node, report, system_names, SYSTEM_END);
    if (found < SYSTEM_END)
        *(enum build_system *)member = (enum build_system)found;
}

static void read_NETWORK(const struct row *row, const struct node *node, struct report *report, void *member)
{
    const size_t found = read_choice(row, node, report, network_names, NETWORK_END);
    if (found < NETWORK_END)
        *(enum network_access *)member = (enum network_access)found;
}

/* "2", "0.5", "1.25" as thousandths. */
static bool parse_cpu(const char *text, uint64_t *ret)
{
    uint64_t value = 0, unit = 1000;
    const char *at = text;
    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at) && value <= CPU_MILLI_MAX; at++)
        value = 10 * value + 1000 * (uint64_t)(*at - '0');
    if (*at == '.' && isdigit((unsigned char)at[1])) {
        for (at++; isdigit((unsigned char)*at) && unit > 1; at++) {
            unit /= 10;
            value += unit * (uint64_t)(*at - '0');
        }
    }
    *ret = value;
    return *at == '\0' && value > 0 && value <= CPU_MILLI_MAX;
}

static void read_CPU(const struct row *row, const struct node *node, struct report *report, void *member)
{
    uint64_t value = 0;
    if (is_text(node) && parse_cpu(node->text, &value))
        *(uint64_t *)member = value;
    else
        value_refuse(row->name, "a number of processors such as 1 or 0.5", node, report);
}

/* --- lists ---------------------------------------------------------------------------------------------------------
 */

static bool is_package(const struct node *node)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+_-";
    return is_text(node) && isalnum((unsigned char)node->text[0]) && strspn(node->text, characters) == node->size;
}

static bool is_path(const struct node *node)
{
    return is_text(node) && node->text[0] == '/' && !path_has_parent(node->text);
}

static void read_list(const struct row *row, const struct node *list, struct report *report, struct words *words,
                      bool (*is_item)(const struct node *node), const char *wanted)
{
    if (list->kind != NODE_LIST || list->count > LIST_MAX) {
        value_refuse(row->name, list->kind == NODE_LIST ? "a list of at most 32" : "a list", list, report);
        return;
    }
    for (const struct node *item = list->child; item; item = item->next) {
        if (is_item(item))
            words_add(words, item->text);
        else
            value_refuse(row->name, wanted, item, report);
    }
    report->no_memory |= words->no_memory;
}

static void read_PACKAGES(const struct row *row, const struct node *node, struct report *report, void *member)
{
    read_list(row, node, report, member, is_package, "a list of names that pkg-config knows");
}

static void read_PATHS(const struct row *row, const struct node *node, struct report *report, void *member)
{
    read_list(row, node, report, member, is_path, "a list of absolute paths without '..'");
}

/* A list is a command line; a text is one for the shell. */
static void read_COMMAND(const struct row *row, const struct node *node, struct report *report, void *member)
{
    struct words *words = member;
    if (node->kind == NODE_LIST && node->count > 0) {
        read_list(row, node, report, words, is_text, "a command line: a text, or a list of texts");
    } else if (is_text(node)) {
        words_add(words, "/bin/sh");
        words_add(words, "-ec");
        words_add(words, node->text);
        report->no_memory |= words->no_memory;
    } else {
        value_refuse(row->name, "a command line: a text, or a list of texts", node, report);
    }
}

/* --- maps ----------------------------------------------------------------------------------------------------------
 */

enum {
#define MANIFEST_KEY(where, name, ...) ROW_##where##_##name,
#define MANIFEST_MAP MANIFEST_KEY
#include "worker/build/manifest.def"
#undef MANIFEST_KEY
#undef MANIFEST_MAP
    ROW_COUNT
};

static const struct row rows[ROW_COUNT] = {
#define MANIFEST_KEY(map, word, KIND, member) \
    {.name = #word, .where = WHERE_OF_##map, .read = read_##KIND, .offset = offsetof(struct manifest, member)},
#define MANIFEST_MAP(map, word, within) {.name = #word, .where = WHERE_OF_##map, .inner = WHERE_OF_##within},
#include "worker/build/manifest.def"
};

static const struct row *find_row(enum where where, const struct node *key)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].where == where && node_is(key, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

static void report_unknown(enum where where, const struct node *key, struct report *report)
{
    const char *names[ROW_COUNT];
    char quote[REPORT_QUOTE_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].where == where)
            names[count++] = rows[i].name;
    }
    const char *nearest = text_nearest(key->text, names, count);
    report_quote(key->text, key->size, quote);
    if (nearest)
        report_mistake(report, key->place, "key '%s': unknown (nearest: '%s')", quote, nearest);
    else
        report_mistake(report, key->place, "key '%s': unknown", quote);
}

static void read_map(enum where where, const char *name, const struct node *map, struct report *report,
                     struct manifest *manifest)
{
    if (map->kind != NODE_MAP) {
        value_refuse(name, "a map", map, report);
        return;
    }
    for (const struct node *child = map->child; child; child = child->next) {
        const struct row *row = find_row(where, child->key);
        if (!row)
            report_unknown(where, child->key, report);
        else if (row->read)
            row->read(row, child, report, (char *)manifest + row->offset);
        else
            read_map(row->inner, row->name, child, report, manifest);
    }
}

/* What no key can know alone. */
static void check_build(const struct node *root, struct report *report, struct manifest *manifest)
{
    const struct node *build = node_get(root, "build"), *system = node_get(build, "system");
    const struct node *command = node_get(build, "command");
    if (!system && command)
        manifest->system = SYSTEM_COMMAND;
    if (manifest->system == SYSTEM_COMMAND && system && !command)
        report_mistake(report, system->place, "key 'system': 'command' needs the key 'command' beside it");
    else if (manifest->system != SYSTEM_COMMAND && command && system)
        report_mistake(report, command->place, "key 'command': only for system 'command', not for '%s'",
                       build_system_name(manifest->system));
    else if (manifest->system == SYSTEM_COMMAND && !node_get(build, "artefact"))
        report_mistake(report, build->place, "key 'build': a command needs 'artefact': the path of what it makes");
}

static void read_root(const struct node *root, struct report *report, struct manifest *manifest)
{
    if (root->kind == NODE_SCALAR && node_is_null(root))
        return;
    if (root->kind != NODE_MAP) {
        report_mistake(report, root->place, "a manifest is a map: 'name: ...', 'interface: ...'");
        return;
    }
    read_map(WHERE_OF_top, "", root, report, manifest);
    const struct node *test = node_get(root, "self_test");
    if (test && test->kind == NODE_MAP)
        self_test_check(test, report);
    if (report_is_clean(report))
        check_build(root, report, manifest);
}

enum drover_status manifest_parse(const char *text, size_t size, const char *path, struct manifest **ret,
                                  struct config_messages *ret_messages)
{
    struct report report = {0};
    struct manifest *manifest = calloc(1, sizeof(*manifest));
    report.no_memory = manifest == NULL;
    struct node *root = manifest ? node_parse(text, size, &report) : NULL;
    if (root)
        read_root(root, &report, manifest);
    node_free(root);

    const bool clean = report_is_clean(&report);
    report_list(&report, path, ret_messages);
    const bool no_memory = report.no_memory;
    report_done(&report);
    if (clean) {
        *ret = manifest;
        return DROVER_OK;
    }
    manifest_free(manifest);
    return no_memory ? DROVER_RESOURCE_EXHAUSTED : DROVER_INVALID_ARGUMENT;
}

struct manifest *manifest_free(struct manifest *manifest)
{
    if (!manifest)
        return NULL;
    free(manifest->name);
    free(manifest->interface);
    free(manifest->version);
    free(manifest->target);
    free(manifest->artefact);
    words_done(&manifest->command);
    words_done(&manifest->packages);
    words_done(&manifest->sandbox.read);
    words_done(&manifest->sandbox.write);
    free(manifest->self_test.method);
    free(manifest->self_test.request);
    free(manifest);
    return NULL;
}
