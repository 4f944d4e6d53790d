/* test_config.c - what a good file means */
#include "tests/unit/common/config/fixture.h"

static const char full[] =
    "# every key there is\n"
    "broker:\n"
    "  listen: [\"ipc:///run/drover/broker.sock\", \"tcp://127.0.0.1:5570\"]\n"
    "  mode: \"0660\"\n"
    "  group: drover-users\n"
    "  state_dir: state\n"
    "  reload: auto\n"
    "  fetch:\n"
    "    allow: [https, file]\n"
    "    key: id_ed25519\n"
    "    known_hosts: /etc/ssh/known\n"
    "    token_file: token\n"
    "    ca: /etc/ca.pem\n"
    "    deadline: 1m\n"
    "plugins: true\n"
    "driver_path: [drivers, /usr/lib/drover/drivers]\n"
    "services:\n"
    "  userprovider:\n"
    "    driver: json\n"
    "    json: {users: users.json}\n"
    "    sha256: 0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD\n"
    "    replicas: 3\n"
    "    deadline: 5s\n"
    "    queue: {calls: 7, bytes: 64KiB}\n"
    "    retry: false\n"
    "    hang: 2m\n"
    "    start_limit: 3s\n"
    "    restart: {min: 10ms, max: 1s}\n"
    "    max_body: 1MiB\n"
    "    sandbox: required\n"
    "    user: drover-json\n"
    "    grants: {read: [/srv/data, more], write: [out], network: outbound, memory: 512MiB, cpu: 2}\n"
    "    reload: manual\n"
    "    settle: 0ms\n"
    "    probation: 5m\n"
    "    debounce: 20ms\n"
    "    self_test: {method: find, request: {name: [marie, 1]}, expect: NOT_FOUND}\n"
    "  people:\n"
    "    interface: userprovider\n"
    "    driver: /opt/acme/people.bin\n"
    "    people: {}\n";

Test(config, reads_the_broker_s_keys)
{
    struct parsed parsed = parse_good(full);
    const struct config *config = parsed.config;
    cr_expect_str_eq(config->path, "drover.yaml");
    cr_expect_str_eq(config->directory, "/etc/drover");
    cr_assert_eq(config->listen_count, 2);
    cr_expect_str_eq(config->listen[0], "ipc:///run/drover/broker.sock");
    cr_expect_str_eq(config->listen[1], "tcp://127.0.0.1:5570");
    cr_expect_eq(config->mode, 0660);
    cr_expect_str_eq(config->group, "drover-users");
    cr_expect(config->reload_config_auto);
    cr_expect(config->plugins);
    parsed_done(&parsed);
}

Test(config, takes_relative_paths_from_the_file_s_folder)
{
    struct parsed parsed = parse_good(full);
    cr_expect_str_eq(parsed.config->state_dir, "/etc/drover/state");
    cr_assert_eq(parsed.config->driver_path_count, 2);
    cr_expect_str_eq(parsed.config->driver_path[0], "/etc/drover/drivers");
    cr_expect_str_eq(parsed.config->driver_path[1], "/usr/lib/drover/drivers");
    parsed_done(&parsed);
}

Test(config, reads_a_service_s_keys)
{
    struct parsed parsed = parse_good(full);
    cr_assert_eq(parsed.config->service_count, 2);
    const struct config_service *service = &parsed.config->services[0];
    cr_expect_str_eq(service->name, "userprovider");
    cr_expect_str_eq(service->interface, "userprovider");
    cr_expect_str_eq(service->driver, "json");
    cr_expect_eq(service->line, 19);
    cr_expect_eq(service->column, 13);
    cr_expect_str_eq(service->sha256, "0123456789abcdefabcdef0123456789abcdefabcdef0123456789abcdefabcd");
    cr_expect_eq(service->replicas, 3);
    cr_expect_eq(service->deadline_ms, 5000);
    cr_expect_eq(service->queue_calls, 7);
    cr_expect_eq(service->queue_bytes, 64 * 1024);
    cr_expect_not(service->retry);
    cr_expect_eq(service->hang_ms, 120000);
    cr_expect_eq(service->start_limit_ms, 3000);
    cr_expect_eq(service->restart_min_ms, 10);
    cr_expect_eq(service->restart_max_ms, 1000);
    cr_expect_eq(service->max_body, 1 << 20);
    parsed_done(&parsed);
}

Test(config, reads_what_a_service_is_granted)
{
    struct parsed parsed = parse_good(full);
    const struct config_service *service = &parsed.config->services[0];
    cr_expect_eq(service->sandbox, CONFIG_SANDBOX_REQUIRED);
    cr_expect_str_eq(service->user, "drover-json");
    cr_assert_eq(service->grant_read_count, 2);
    cr_expect_str_eq(service->grant_read[0], "/srv/data");
    cr_expect_str_eq(service->grant_read[1], "/etc/drover/more");
    cr_assert_eq(service->grant_write_count, 1);
    cr_expect_str_eq(service->grant_write[0], "/etc/drover/out");
    cr_expect_eq(service->grant_network, CONFIG_NETWORK_OUTBOUND);
    cr_expect_eq(service->grant_memory, 512 << 20);
    cr_expect_eq(service->grant_cpu, 2);
    parsed_done(&parsed);
}

Test(config, reads_how_drivers_are_fetched)
{
    struct parsed parsed = parse_good(full);
    const struct config *config = parsed.config;
    cr_assert_eq(config->fetch_allow_count, 2);
    cr_expect_str_eq(config->fetch_allow[0], "https");
    cr_expect_str_eq(config->fetch_allow[1], "file");
    cr_expect_str_eq(config->fetch_key, "/etc/drover/id_ed25519");
    cr_expect_str_eq(config->fetch_known_hosts, "/etc/ssh/known");
    cr_expect_str_eq(config->fetch_token_file, "/etc/drover/token");
    cr_expect_str_eq(config->fetch_ca, "/etc/ca.pem");
    cr_expect_eq(config->fetch_deadline_ms, 60000);
    parsed_done(&parsed);
}

Test(config, reads_how_a_driver_is_replaced)
{
    static const unsigned char request[] = "\x81\xA4name\x92\xA5marie\x01";
    struct parsed parsed = parse_good(full);
    const struct config_service *service = &parsed.config->services[0];
    cr_expect(service->reload_by_hand);
    cr_expect_eq(service->settle_ms, 0);
    cr_expect_eq(service->probation_ms, 300000);
    cr_expect_eq(service->debounce_ms, 20);
    cr_expect_str_eq(service->test_method, "find");
    cr_assert_eq(service->test_request_size, sizeof request - 1);
    cr_expect_eq(memcmp(service->test_request, request, sizeof request - 1), 0);
    cr_expect_eq(service->test_expect, DROVER_NOT_FOUND);
    parsed_done(&parsed);
}

Test(config, each_way_to_reload_has_its_word)
{
    struct parsed parsed = parse_good("broker: {listen: [\"tcp://127.0.0.1:1\"], reload: 'manual'}\n"
                                      "services: {a: {driver: x, reload: auto}, b: {driver: x, reload: \"manual\"}}\n");
    cr_expect_not(parsed.config->reload_config_auto);
    cr_expect_not(parsed.config->services[0].reload_by_hand);
    cr_expect(parsed.config->services[1].reload_by_hand);
    parsed_done(&parsed);
}

Test(config, a_self_test_may_expect_any_status)
{
    for (enum drover_status status = DROVER_OK; status < DROVER_STATUS_END; status++) {
        char text[300];
        snprintf(text, sizeof text, SERVICE("    self_test: {method: m, expect: %s}\n"), drover_status_name(status));
        struct parsed parsed = parse_good(text);
        cr_expect_eq(parsed.config->services[0].test_expect, status, "%s", drover_status_name(status));
        parsed_done(&parsed);
    }
}

Test(config, a_self_test_may_ask_with_any_value_or_none)
{
    static const struct {
        const char *value;
        size_t size;
    } requests[] = {{"7", 1}, {"[1, 2]", 3}, {"text", 5}, {"{}", 1}, {"", 0}, {"~", 0}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char text[300];
        snprintf(text, sizeof text, SERVICE("    self_test:\n      method: m\n      request: %s\n"), requests[i].value);
        struct parsed parsed = parse_good(text);
        cr_expect_eq(parsed.config->services[0].test_request_size, requests[i].size, "%s", requests[i].value);
        parsed_done(&parsed);
    }
}

Test(config, each_choice_has_its_words)
{
    static const struct {
        const char *keys;
        enum config_sandbox sandbox;
        enum config_network network;
    } choices[] = {
        {"    sandbox: off\n    grants: {network: none}\n", CONFIG_SANDBOX_OFF, CONFIG_NETWORK_NONE},
        {"    sandbox: 'required'\n    grants: {network: loopback}\n", CONFIG_SANDBOX_REQUIRED,
         CONFIG_NETWORK_LOOPBACK},
        {"    sandbox: best-effort\n    grants: {network: \"outbound\"}\n", CONFIG_SANDBOX_BEST_EFFORT,
         CONFIG_NETWORK_OUTBOUND},
    };
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        char text[400];
        snprintf(text, sizeof text, SERVICE("%s"), choices[i].keys);
        struct parsed parsed = parse_good(text);
        cr_expect_eq(parsed.config->services[0].sandbox, choices[i].sandbox, "%s", choices[i].keys);
        cr_expect_eq(parsed.config->services[0].grant_network, choices[i].network, "%s", choices[i].keys);
        parsed_done(&parsed);
    }
}

Test(config, nothing_may_be_fetched_where_the_list_is_empty)
{
    struct parsed parsed = parse_good("broker: {listen: [\"tcp://127.0.0.1:1\"], fetch: {allow: []}}\nservices: {}\n");
    cr_expect_not_null(parsed.config->fetch_allow);
    cr_expect_eq(parsed.config->fetch_allow_count, 0);
    parsed_done(&parsed);
}

Test(config, the_interface_need_not_be_the_service_s_name)
{
    struct parsed parsed = parse_good(full);
    cr_expect_str_eq(parsed.config->services[1].name, "people");
    cr_expect_str_eq(parsed.config->services[1].interface, "userprovider");
    parsed_done(&parsed);
}

Test(config, the_section_named_after_a_file_without_its_extension_is_its_settings)
{
    struct parsed parsed = parse_good(full);
    cr_assert_eq(parsed.config->services[1].settings_size, 1);
    cr_expect_eq(*(unsigned char *)parsed.config->services[1].settings, 0x80, "an empty map");
    parsed_done(&parsed);
}

Test(config, the_defaults_are_those_of_the_manual)
{
    struct parsed parsed = parse_good(LISTEN "services: {echo: {driver: echo}}\n");
    const struct config *config = parsed.config;
    const struct config_service *service = &config->services[0];
    cr_expect_eq(config->mode, 0600);
    cr_expect_null(config->group);
    cr_expect_str_eq(config->state_dir, "/var/lib/drover");
    cr_expect_not(config->plugins);
    cr_assert_eq(config->driver_path_count, 1);
    cr_expect_str_eq(config->driver_path[0], "/usr/lib/drover/drivers");
    cr_expect_str_eq(service->interface, "echo");
    cr_expect_null(service->settings);
    cr_expect_eq(service->settings_size, 0);
    cr_expect_null(service->sha256);
    cr_expect_eq(service->replicas, 1);
    cr_expect_eq(service->deadline_ms, 30000);
    cr_expect_eq(service->queue_calls, 1024);
    cr_expect_eq(service->queue_bytes, 64 << 20);
    cr_expect(service->retry);
    cr_expect_eq(service->hang_ms, 30000);
    cr_expect_eq(service->start_limit_ms, 10000);
    cr_expect_eq(service->restart_min_ms, 200);
    cr_expect_eq(service->restart_max_ms, 30000);
    cr_expect_eq(service->max_body, 16 << 20);
    cr_expect_eq(service->sandbox, CONFIG_SANDBOX_BEST_EFFORT);
    cr_expect_null(service->user);
    cr_expect_not(config->reload_config_auto);
    cr_expect_not(service->reload_by_hand);
    cr_expect_eq(service->settle_ms, 2000);
    cr_expect_eq(service->probation_ms, 60000);
    cr_expect_eq(service->debounce_ms, 0, "what suits a file, or a folder");
    cr_expect_null(service->test_method);
    cr_expect_null(service->test_request);
    cr_expect_eq(service->test_expect, DROVER_OK);
    cr_expect_eq(service->grant_read_count, 0);
    cr_expect_eq(service->grant_write_count, 0);
    cr_expect_eq(service->grant_network, CONFIG_NETWORK_NONE);
    cr_expect_eq(service->grant_memory, 0);
    cr_expect_eq(service->grant_cpu, 0);
    cr_assert_eq(config->fetch_allow_count, 2);
    cr_expect_str_eq(config->fetch_allow[0], "https");
    cr_expect_str_eq(config->fetch_allow[1], "ssh");
    cr_expect_null(config->fetch_key);
    cr_expect_eq(config->fetch_deadline_ms, 300000);
    cr_expect_str_eq(config->lock_path, "/etc/drover/drover.lock");
    parsed_done(&parsed);
}

Test(config, a_call_hangs_after_its_deadline_unless_the_file_says_otherwise)
{
    struct parsed parsed = parse_good(SERVICE("    deadline: 7s\n"));
    cr_expect_eq(parsed.config->services[0].hang_ms, 7000);
    parsed_done(&parsed);
}

Test(config, keys_come_in_any_order)
{
    struct parsed parsed = parse_good("services:\n  users:\n    json: {a: 1}\n    hang: 1s\n    driver: json\n"
                                      "broker: {state_dir: /s, listen: [\"tcp://127.0.0.1:1\"]}\n");
    cr_expect_eq(parsed.config->services[0].hang_ms, 1000);
    cr_expect_not_null(parsed.config->services[0].settings);
    cr_expect_str_eq(parsed.config->state_dir, "/s");
    parsed_done(&parsed);
}

Test(config, there_may_be_no_services)
{
    struct parsed parsed = parse_good(LISTEN "services: {}\n");
    cr_expect_eq(parsed.config->service_count, 0);
    parsed_done(&parsed);
}

Test(config, config_may_be_written_instead_of_the_driver_s_name)
{
    struct parsed parsed = parse_good(SERVICE("    config: {a: 1}\n"));
    cr_expect_eq(parsed.config->services[0].settings_size, 4);
    parsed_done(&parsed);
}

Test(config, an_empty_section_is_no_settings)
{
    struct parsed parsed = parse_good(SERVICE("    json:\n    queue:\n"));
    cr_expect_null(parsed.config->services[0].settings);
    cr_expect_eq(parsed.config->services[0].queue_calls, 1024);
    parsed_done(&parsed);
}

Test(config, a_permission_may_be_written_in_three_ways)
{
    static const char *const modes[] = {"0660", "0o660", "\"0660\""};
    for (size_t i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text, "broker: {listen: [\"tcp://127.0.0.1:1\"], mode: %s}\nservices: {}\n", modes[i]);
        struct parsed parsed = parse_good(text);
        cr_expect_eq(parsed.config->mode, 0660, "%s", modes[i]);
        parsed_done(&parsed);
    }
}

Test(config, a_byte_order_mark_and_line_ends_of_windows_do_no_harm)
{
    struct parsed parsed = parse_good("\xEF\xBB\xBF"
                                      "broker:\r\n  listen: [\"tcp://127.0.0.1:1\"]\r\nservices: {}\r\n");
    cr_expect_str_eq(parsed.config->listen[0], "tcp://127.0.0.1:1");
    parsed_done(&parsed);
}

Test(config, a_document_may_be_marked_as_such)
{
    struct parsed parsed = parse_good("%YAML 1.2\n---\n" LISTEN "services: {}\n...\n");
    parsed_done(&parsed);
}

static enum reference_disk_kind only_acme_exists(void *context, const char *path)
{
    (void)context;
    return strcmp(path, "/opt/acme/people.bin") == 0 ? REFERENCE_DISK_EXECUTABLE : REFERENCE_DISK_NOTHING;
}

Test(config, with_a_disk_the_references_are_resolved)
{
    struct reference_disk disk = {only_acme_exists, NULL};
    struct config_sources sources = {.disk = &disk};
    struct parsed parsed = parse_bytes(full, strlen(full), &sources);
    cr_assert_eq(parsed.status, DROVER_OK);
    const struct config_service *services = parsed.config->services;
    cr_expect_eq(services[0].resolution.kind, REFERENCE_BUILTIN);
    cr_expect_str_eq(services[0].resolution.target, "userprovider/json");
    cr_expect_not_null(services[0].resolution.warning, "plugins is true, and the driver path has no json");
    cr_expect_eq(services[1].resolution.kind, REFERENCE_EXECUTABLE);
    cr_expect_str_eq(services[1].resolution.target, "/opt/acme/people.bin");
    parsed_done(&parsed);
}

Test(config, with_a_disk_refused_references_are_mistakes_like_all_others)
{
    static const char text[] = SERVICE("    replicas: 0\n  acme:\n    driver: ./acme\n  more:\n"
                                       "    driver: jsn\n    interface: userprovider\n");
    struct reference_disk disk = {only_acme_exists, NULL};
    struct config_sources sources = {.disk = &disk};
    struct parsed parsed = parse_bytes(text, strlen(text), &sources);
    expect_mistakes_of(
        &parsed,
        (const char *const[]){
            "4:13: service 'users': driver 'json' is not built in (interface 'users' has no built-in drivers: write "
            "the "
            "path of an executable)",
            "5:15: key 'replicas': must be between 1 and 64, not '0'",
            "7:13: service 'acme': driver './acme': '/etc/drover/acme' does not exist, and the driver path has no such "
            "file either",
            "9:13: service 'more': driver 'jsn' is not built in (nearest: 'json')", NULL});
}

/* ---- lenient sources ---- */

static struct parsed parse_leniently(const char *text)
{
    struct reference_disk disk = {only_acme_exists, NULL};
    struct config_sources sources = {.disk = &disk, .lenient = true};
    return parse_bytes(text, strlen(text), &sources);
}

Test(config, leniently_a_missing_driver_is_listed_and_passed_over)
{
    struct parsed parsed = parse_leniently(LISTEN "services:\n  acme:\n    driver: /opt/x\n    own: {a: 1}\n");
    cr_assert_eq(parsed.status, DROVER_OK);
    const struct config_service *service = &parsed.config->services[0];
    cr_expect_str_eq(service->resolution.obstacle, "driver '/opt/x': '/opt/x' does not exist");
    cr_expect_eq(service->resolution.kind, REFERENCE_SOURCE, "no other can have settings of a name of its own");
    cr_expect_str_eq(service->settings_name, "own");
    cr_expect_not_null(service->settings);
    cr_assert_eq(parsed.messages.count, 2);
    cr_expect_str_eq(parsed.messages.lines[0],
                     "drover.yaml:4:13: service 'acme': driver '/opt/x': '/opt/x' does not exist");
    cr_expect_str_eq(parsed.messages.lines[1],
                     "drover.yaml:5:5: key 'own': unknown (the driver's settings are in 'x' or 'config')");
    parsed_done(&parsed);
}

Test(config, leniently_all_other_mistakes_count_and_the_missing_driver_is_listed_with_them)
{
    struct parsed parsed = parse_leniently(
        LISTEN "services:\n  a:\n    driver: /opt/x.so\n    own: {}\n  b: {driver: /opt/y, replicas: 0}\n");
    expect_mistakes_of(&parsed,
                       (const char *const[]){"4:13: service 'a': driver '/opt/x.so': '/opt/x.so' does not exist",
                                             "5:5: key 'own': unknown (the driver's settings are in 'x' or 'config')",
                                             "6:15: service 'b': driver '/opt/y': '/opt/y' does not exist",
                                             "6:33: key 'replicas': must be between 1 and 64, not '0'", NULL});
}

Test(config, free_takes_null)
{
    cr_expect_null(config_free(NULL));
}

static enum reference_disk_kind look(void *context, const char *path)
{
    (void)context;
    return strcmp(path, "/etc/drover/repo") == 0 ? REFERENCE_DISK_DIRECTORY : REFERENCE_DISK_NOTHING;
}

static const struct reference_disk disk = {look, NULL};
static const struct config_sources on_disk = {.disk = &disk};

static struct parsed parse_on_disk(const char *service)
{
    char text[1024];
    snprintf(text, sizeof text, LISTEN "services:\n  userprovider:\n%s", service);
    return parse_bytes(text, strlen(text), &on_disk);
}

Test(config, the_section_of_a_driver_to_be_built_may_have_the_name_in_its_manifest)
{
    static const char *const services[] = {"    driver: ./repo\n    people: {users: x}\n",
                                           "    driver: host.org/a/repo\n    people: {users: x}\n"};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        struct parsed parsed = parse_on_disk(services[i]);
        cr_assert_eq(parsed.status, DROVER_OK, "%s", parsed.messages.lines[0]);
        cr_expect_str_eq(parsed.config->services[0].settings_name, "people");
        cr_expect_gt(parsed.config->services[0].settings_size, 1);
        parsed_done(&parsed);
    }
}

Test(config, the_section_of_a_driver_to_be_built_may_have_the_name_of_its_folder)
{
    struct parsed parsed = parse_on_disk("    driver: ./repo\n    repo: {users: x}\n");
    cr_assert_eq(parsed.status, DROVER_OK);
    cr_expect_null(parsed.config->services[0].settings_name);
    parsed_done(&parsed);
}

Test(config, a_driver_that_is_there_has_no_section_with_another_name)
{
    struct parsed parsed = parse_on_disk("    driver: json\n    people: {users: x}\n");
    expect_mistakes_of(
        &parsed,
        (const char *const[]){"5:5: key 'people': unknown (the driver's settings are in 'json' or 'config')", NULL});
}

Test(config, a_driver_to_be_built_has_one_section_too)
{
    struct parsed parsed = parse_on_disk("    driver: ./repo\n    people: {}\n    config: {}\n");
    expect_mistakes_of(&parsed, (const char *const[]){"5:5: service 'userprovider' has two sections of settings: keep "
                                                      "'config' or the one named after the driver",
                                                      NULL});
    parsed = parse_on_disk("    driver: ./repo\n    people: {}\n    others: {}\n    grant: {}\n    five: 5\n");
    expect_mistakes_of(
        &parsed,
        (const char *const[]){"6:5: key 'others': unknown (the driver's settings are in 'repo' or 'config')",
                              "7:5: key 'grant': unknown (nearest: 'grants')",
                              "8:5: key 'five': unknown (the driver's settings are in 'repo' or 'config')", NULL});
}
