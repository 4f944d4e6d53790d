/* test_diff.c - what it takes to get from one file to another */
#include "common/config/diff.h"
#include "common/config/keys.h"
#include "tests/unit/common/config/fixture.h"

/* A file is made of these; NULL: as below. Empty: nothing there. */
struct parts {
    const char *broker, *root, *service;
};

static const struct parts usual = {
    .broker = "listen: [\"ipc:///run/b.sock\", \"tcp://127.0.0.1:1\"]",
    .root = "",
    .service = "driver: json",
};

#define FAR "driver: \"https://host.org/a/json?ref=v1\", interface: userprovider"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define USUAL_LISTEN "listen: [\"ipc:///run/b.sock\", \"tcp://127.0.0.1:1\"], "

static enum reference_disk_kind look(void *context, const char *path)
{
    (void)context;
    if (strcmp(path, "/plugins/userprovider/json") == 0 || strcmp(path, "/etc/drover/json") == 0)
        return REFERENCE_DISK_EXECUTABLE;
    return REFERENCE_DISK_NOTHING;
}

static const struct reference_disk disk = {look, NULL};
static const struct config_sources with_disk = {.disk = &disk};

static struct config *parse_text(const char *text, const char *directory, const struct config_sources *sources)
{
    struct config *config = NULL;
    struct config_messages messages = {0};
    enum drover_status status = config_parse(text, strlen(text), "drover.yaml", directory, sources, &config, &messages);
    cr_assert_eq(status, DROVER_OK, "%s\n%s", messages.count ? messages.lines[0] : "", text);
    config_messages_done(&messages);
    return config;
}

static struct config *parse_parts(const struct parts *parts, const struct config_sources *sources)
{
    char text[1024];
    snprintf(text, sizeof text, "broker: {%s}\n%s\nservices: {userprovider: {%s}}\n",
             parts->broker ? parts->broker : usual.broker, parts->root ? parts->root : usual.root,
             parts->service ? parts->service : usual.service);
    return parse_text(text, "/etc/drover", sources);
}

/* The comparison in one text: "replace userprovider: replicas\n", "obstacle: ...\n". Takes both. */
static const char *compare(struct config *before, struct config *after)
{
    static char text[4096];
    struct config_diff *diff = NULL;
    size_t used = 0;
    cr_assert_eq(config_compare(before, after, &diff), DROVER_OK);
    text[0] = '\0';
    for (size_t i = 0; i < diff->step_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s: %s\n",
                                 config_action_name(diff->steps[i].action), diff->steps[i].service, diff->steps[i].why);
    for (size_t i = 0; i < diff->obstacle_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "obstacle: %s\n", diff->obstacles[i]);
    config_diff_free(diff);
    config_free(before);
    config_free(after);
    return text;
}

#define RESTART(key) \
    "obstacle: key '" key "': a running broker cannot change it: restart the broker, or leave it as it was\n"
#define STEP(action, why) action " userprovider: " why "\n"

/* One key and two files that differ in nothing else. */
static const struct row {
    const char *key;
    struct parts before, after;
    const char *expected;
} rows[] = {
    {"root.plugins", {0}, {.root = "plugins: true"}, ""},
    {"root.driver_path", {0}, {.root = "driver_path: [/other]"}, ""},
    {"root.services", {.service = "driver: json"}, {.service = "driver: 'json'"}, ""},
    {"broker.listen", {0}, {.broker = "listen: [\"ipc:///run/b.sock\"]"}, RESTART("broker.listen")},
    {"broker.mode", {0}, {.broker = USUAL_LISTEN "mode: \"0660\""}, RESTART("broker.mode")},
    {"broker.group", {0}, {.broker = USUAL_LISTEN "group: g"}, RESTART("broker.group")},
    {"broker.state_dir", {0}, {.broker = USUAL_LISTEN "state_dir: /s"}, RESTART("broker.state_dir")},
    {"broker.reload", {0}, {.broker = USUAL_LISTEN "reload: auto"}, ""},
    {"fetch.allow",
     {.service = FAR},
     {.service = FAR, .broker = USUAL_LISTEN "fetch: {allow: [https]}"},
     STEP("adjust", "broker.fetch.allow")},
    {"fetch.key",
     {.service = FAR},
     {.service = FAR, .broker = USUAL_LISTEN "fetch: {key: k}"},
     STEP("adjust", "broker.fetch.key")},
    {"fetch.known_hosts",
     {.service = FAR},
     {.service = FAR, .broker = USUAL_LISTEN "fetch: {known_hosts: k}"},
     STEP("adjust", "broker.fetch.known_hosts")},
    {"fetch.token_file",
     {.service = FAR},
     {.service = FAR, .broker = USUAL_LISTEN "fetch: {token_file: k}"},
     STEP("adjust", "broker.fetch.token_file")},
    {"fetch.ca",
     {.service = FAR},
     {.service = FAR, .broker = USUAL_LISTEN "fetch: {ca: k}"},
     STEP("adjust", "broker.fetch.ca")},
    {"fetch.deadline",
     {.service = FAR},
     {.service = FAR, .broker = USUAL_LISTEN "fetch: {deadline: 1m}"},
     STEP("adjust", "broker.fetch.deadline")},
    {"service.interface",
     {0},
     {.service = "driver: json, interface: authprovider"},
     STEP("replace", "interface, driver")},
    {"service.driver", {0}, {.service = "driver: demo"}, STEP("replace", "driver")},
    {"service.config",
     {.service = "driver: json, config: {users: a}"},
     {.service = "driver: json, config: {users: b}"},
     STEP("reconfigure", "settings")},
    {"service.sha256", {0}, {.service = "driver: json, sha256: " HASH}, STEP("replace", "sha256")},
    {"service.replicas", {0}, {.service = "driver: json, replicas: 2"}, STEP("replace", "replicas")},
    {"service.deadline", {0}, {.service = "driver: json, deadline: 1s, hang: 30s"}, STEP("adjust", "deadline")},
    {"service.retry", {0}, {.service = "driver: json, retry: false"}, STEP("adjust", "retry")},
    {"service.hang", {0}, {.service = "driver: json, hang: 1s"}, STEP("adjust", "hang")},
    {"service.start_limit", {0}, {.service = "driver: json, start_limit: 1s"}, STEP("adjust", "start_limit")},
    {"service.max_body", {0}, {.service = "driver: json, max_body: 1KiB"}, STEP("adjust", "max_body")},
    {"service.sandbox", {0}, {.service = "driver: json, sandbox: required"}, STEP("replace", "sandbox")},
    {"service.user", {0}, {.service = "driver: json, user: u"}, STEP("replace", "user")},
    {"service.reload", {0}, {.service = "driver: json, reload: manual"}, STEP("adjust", "reload")},
    {"service.settle", {0}, {.service = "driver: json, settle: 0ms"}, STEP("adjust", "settle")},
    {"service.probation", {0}, {.service = "driver: json, probation: 0ms"}, STEP("adjust", "probation")},
    {"service.debounce", {0}, {.service = "driver: json, debounce: 10ms"}, STEP("adjust", "debounce")},
    {"self_test.method", {0}, {.service = "driver: json, self_test: {method: m}"}, STEP("adjust", "self_test.method")},
    {"self_test.request",
     {.service = "driver: json, self_test: {method: m}"},
     {.service = "driver: json, self_test: {method: m, request: 1}"},
     STEP("adjust", "self_test.request")},
    {"self_test.expect",
     {.service = "driver: json, self_test: {method: m}"},
     {.service = "driver: json, self_test: {method: m, expect: NOT_FOUND}"},
     STEP("adjust", "self_test.expect")},
    {"queue.calls", {0}, {.service = "driver: json, queue: {calls: 1}"}, STEP("adjust", "queue.calls")},
    {"queue.bytes", {0}, {.service = "driver: json, queue: {bytes: 1}"}, STEP("adjust", "queue.bytes")},
    {"restart.min", {0}, {.service = "driver: json, restart: {min: 1ms}"}, STEP("adjust", "restart.min")},
    {"restart.max", {0}, {.service = "driver: json, restart: {max: 1m}"}, STEP("adjust", "restart.max")},
    {"grants.read", {0}, {.service = "driver: json, grants: {read: [/a]}"}, STEP("replace", "grants.read")},
    {"grants.write", {0}, {.service = "driver: json, grants: {write: [/a]}"}, STEP("replace", "grants.write")},
    {"grants.network",
     {0},
     {.service = "driver: json, grants: {network: loopback}"},
     STEP("replace", "grants.network")},
    {"grants.memory", {0}, {.service = "driver: json, grants: {memory: 1GiB}"}, STEP("replace", "grants.memory")},
    {"grants.cpu", {0}, {.service = "driver: json, grants: {cpu: 1}"}, STEP("replace", "grants.cpu")},
};

static const char *const keys[] = {
#define CONFIG_KEY(where, name, ...) #where "." #name,
#define CONFIG_LIST CONFIG_KEY
#define CONFIG_OTHER CONFIG_KEY
#define CONFIG_MAP(where, name, inner)
#define CONFIG_PLANNED(where, name)
#include "common/config/options.def"
};

static const struct row *find_row(const char *key)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    return NULL;
}

Test(diff, a_change_of_any_key_takes_what_its_row_says)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct row *row = find_row(keys[i]);
        cr_assert_not_null(row, "%s: what a change of it takes is shown by no test: give it a row above", keys[i]);
        const char *text = compare(parse_parts(&row->before, &with_disk), parse_parts(&row->after, &with_disk));
        cr_expect_str_eq(text, row->expected, "%s: '%s', not '%s'", row->key, text, row->expected);
    }
}

Test(diff, what_is_taken_back_is_a_change_too)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const char *text = compare(parse_parts(&row->after, &with_disk), parse_parts(&row->before, &with_disk));
        cr_expect_str_eq(text, row->expected, "%s: '%s', not '%s'", row->key, text, row->expected);
    }
}

Test(diff, a_file_does_not_differ_from_itself)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_empty(compare(parse_parts(&rows[i].after, &with_disk), parse_parts(&rows[i].after, &with_disk)));
}

Test(diff, each_key_s_change_is_one_that_its_owner_can_take)
{
    const struct key *key;
    for (size_t i = 0; (key = key_at(i)); i++) {
        bool of_service =
            key->change == CHANGE_ADJUST || key->change == CHANGE_RECONFIGURE || key->change == CHANGE_REPLACE;
        if (key->kind != KIND_PLANNED && key->change != CHANGE_NOTHING)
            cr_expect_eq(of_service, key->owner == OF_config_service, "%s", key->name);
    }
}

static const char *compare_parts(struct parts before, struct parts after)
{
    return compare(parse_parts(&before, &with_disk), parse_parts(&after, &with_disk));
}

Test(diff, a_service_has_one_step_that_names_every_changed_key)
{
    cr_expect_str_eq(
        compare_parts((struct parts){0},
                      (struct parts){.service = "driver: json, json: {users: a}, deadline: 1s, replicas: 2, "
                                                "queue: {calls: 3}"}),
        "replace userprovider: settings, replicas, deadline, hang, queue.calls\n");
    cr_expect_str_eq(
        compare_parts((struct parts){0}, (struct parts){.service = "driver: json, json: {users: a}, settle: 1s"}),
        "reconfigure userprovider: settings, settle\n");
}

Test(diff, services_come_in_the_order_of_the_new_file_and_what_is_removed_after_them)
{
    static const char before[] = LISTEN "services:\n  a: {driver: x}\n  b: {driver: x}\n  c: {driver: x}\n"
                                        "  d: {driver: x}\n  e: {driver: x}\n";
    static const char after[] = LISTEN "services:\n  f: {driver: x}\n  d: {driver: y}\n  b: {driver: x}\n"
                                       "  a: {driver: x, hang: 1s}\n";
    cr_expect_str_eq(compare(parse_text(before, "/", NULL), parse_text(after, "/", NULL)),
                     "add f: not in the configuration that is in force\nreplace d: driver\nadjust a: hang\n"
                     "remove c: no longer in the configuration\nremove e: no longer in the configuration\n");
}

Test(diff, a_step_knows_the_service_in_both_files)
{
    struct config *before = parse_text(LISTEN "services: {a: {driver: x}, b: {driver: x}}\n", "/", NULL);
    struct config *after = parse_text(LISTEN "services: {c: {driver: x}, a: {driver: y}}\n", "/", NULL);
    struct config_diff *diff = NULL;
    cr_assert_eq(config_compare(before, after, &diff), DROVER_OK);
    cr_assert_eq(diff->step_count, 3);
    cr_expect_null(diff->steps[0].before);
    cr_expect_eq(diff->steps[0].after, &after->services[0]);
    cr_expect_eq(diff->steps[1].before, &before->services[0]);
    cr_expect_eq(diff->steps[1].after, &after->services[1]);
    cr_expect_eq(diff->steps[2].before, &before->services[1]);
    cr_expect_null(diff->steps[2].after);
    config_diff_free(diff);
    config_free(before);
    config_free(after);
}

Test(diff, a_driver_that_plugins_finds_elsewhere_is_replaced)
{
    cr_expect_str_eq(compare_parts((struct parts){.root = "driver_path: [/plugins]"},
                                   (struct parts){.root = "driver_path: [/plugins]\nplugins: true"}),
                     "replace userprovider: driver\n");
}

Test(diff, a_driver_that_is_only_written_differently_is_not_replaced)
{
    cr_expect_str_eq(compare_parts((struct parts){0}, (struct parts){.service = "driver: \"builtin:json\""}),
                     "adjust userprovider: driver (the same, written differently)\n");
    cr_expect_str_eq(compare_parts((struct parts){.service = "driver: ./json"},
                                   (struct parts){.service = "driver: /etc/drover/json"}),
                     "adjust userprovider: driver (the same, written differently)\n");
}

Test(diff, each_part_of_a_url_counts)
{
    static const char *const urls[] = {"https://host.org/a/json?ref=v2", "https://host.org/a/json",
                                       "https://host.org/b/json?ref=v1", "https://host.org/a/json//c?ref=v1",
                                       "ssh://git@host.org/a/json?ref=v1"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char service[200];
        snprintf(service, sizeof service, "driver: \"%s\", interface: userprovider", urls[i]);
        cr_expect_str_eq(compare_parts((struct parts){.service = FAR}, (struct parts){.service = service}),
                         "replace userprovider: driver\n", "%s", urls[i]);
    }
}

Test(diff, how_drivers_are_fetched_is_nothing_to_those_that_are_not)
{
    cr_expect_str_empty(
        compare_parts((struct parts){0}, (struct parts){.broker = USUAL_LISTEN "fetch: {key: k, deadline: 1m}"}));
}

Test(diff, lists_mean_the_same_in_another_order)
{
    cr_expect_str_empty(
        compare_parts((struct parts){.service = "driver: json, grants: {read: [/a, /b]}"},
                      (struct parts){.service = "driver: json, grants: {read: [/b, /a]}",
                                     .broker = "listen: [\"tcp://127.0.0.1:1\", \"ipc:///run/b.sock\"]"}));
}

Test(diff, a_section_under_another_name_is_looked_at_with_new_workers)
{
    cr_expect_str_eq(compare_parts((struct parts){.service = FAR ", config: {a: 1}"},
                                   (struct parts){.service = FAR ", other: {a: 1}"}),
                     "replace userprovider: name of the settings' section\n");
}

Test(diff, a_file_that_the_settings_name_and_that_was_not_there_makes_other_workers)
{
    struct config *before = parse_parts(&usual, &with_disk), *after = parse_parts(&usual, &with_disk);
    after->services[0].setting_files = calloc(1, sizeof(char *));
    after->services[0].setting_files[0] = strdup("/etc/drover/users.json");
    after->services[0].setting_files_count = 1;
    cr_expect_str_eq(compare(before, after), "replace userprovider: files that the settings name\n");
}

Test(diff, workers_that_would_run_in_another_folder_are_replaced)
{
    static const char text[] = LISTEN "services: {a: {driver: x}}\n";
    cr_expect_str_eq(compare(parse_text(text, "/etc/drover", NULL), parse_text(text, "/tmp", NULL)),
                     "replace a: folder of the configuration file\n");
}

Test(diff, an_obstacle_does_not_hide_the_steps)
{
    cr_expect_str_eq(
        compare_parts((struct parts){0}, (struct parts){.service = "driver: json, retry: false",
                                                        .broker = USUAL_LISTEN "mode: \"0660\", group: g"}),
        "adjust userprovider: retry\n" RESTART("broker.mode") RESTART("broker.group"));
}
