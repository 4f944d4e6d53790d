/* test_mistakes.c - every mistake is named with its place, and all of them at once */
#include "tests/unit/common/config/fixture.h"

Test(mistakes, all_are_listed_in_the_order_of_lines)
{
    expect_mistakes("services:\n"
                    "  users:\n"
                    "    replicas: 0\n"
                    "    deadline: soon\n"
                    "    replcas: 2\n"
                    "plugin: true\n"
                    "broker:\n"
                    "  listen: [\"udp://x\"]\n"
                    "  http: 127.0.0.1:5580\n",
                    "2:3: service 'users': key 'driver' is missing: write 'driver: NAME' (or a path) below it",
                    "3:15: key 'replicas': must be between 1 and 64, not '0'",
                    "4:15: key 'deadline': must be a time such as 200ms, 30s or 5m, not 'soon'",
                    "5:5: key 'replcas': unknown (nearest: 'replicas')",
                    "6:1: key 'plugin': unknown (nearest: 'plugins')",
                    "8:12: key 'listen': 'udp://x': an endpoint begins with ipc:// or tcp://, such as "
                    "ipc:///run/drover/broker.sock",
                    "9:3: key 'http' is planned, but not implemented in this version: remove it");
}

/* A key of a service with a wrong value, and what is said about it behind "key 'x': ". */
static const struct {
    const char *key, *value, *message;
} wrong_values[] = {
    {"sandbox", "always", "must be required, best-effort or off, not 'always'"},
    {"sandbox", "Off", "must be required, best-effort or off, not 'Off'"},
    {"sandbox", "[off]", "must be required, best-effort or off, not a list"},
    {"user", "-x", "'-x': must be the name of a user"},
    {"user", "a b", "'a b': must be the name of a user"},
    {"grants", "all", "must be a map of keys, not 'all'"},
    {"replicas", "65", "must be between 1 and 64, not '65'"},
    {"replicas", "-1", "must be a whole number, not '-1'"},
    {"replicas", "1.5", "must be a whole number, not '1.5'"},
    {"replicas", "99999999999999999999", "must be a whole number, not '99999999999999999999'"},
    {"replicas", "\"2\"", "must be a whole number, not the text '2'"},
    {"replicas", "[1]", "must be a whole number, not a list"},
    {"replicas", "{a: 1}", "must be a whole number, not a map"},
    {"replicas", "", "must be a whole number, not nothing"},
    {"replicas", "~", "must be a whole number, not nothing"},
    {"deadline", "30", "must be a time such as 200ms, 30s or 5m, not '30'"},
    {"deadline", "0s", "must be between 1ms and 24h, not '0s'"},
    {"deadline", "25h", "must be between 1ms and 24h, not '25h'"},
    {"deadline", "\"30s\\0\"", "must be a time such as 200ms, 30s or 5m, not the text '30s?'"},
    {"hang", "true", "must be a time such as 200ms, 30s or 5m, not 'true'"},
    {"start_limit", "2h", "must be between 1ms and 1h, not '2h'"},
    {"max_body", "0", "must be between 1 and 1GiB, not '0'"},
    {"max_body", "16MB", "must be a size such as 4096, 64KiB or 10MiB, not '16MB'"},
    {"retry", "yes", "must be true or false, not 'yes'"},
    {"retry", "\"true\"", "must be true or false, not the text 'true'"},
    {"retry", "1", "must be true or false, not '1'"},
    {"sha256", "abc", "'abc': must be the 64 hex digits that sha256sum prints"},
    {"interface", "a.b", "'a.b': must be at most 63 letters, digits, '-' and '_', with a letter or digit first"},
    {"interface", "\"\"", "'': must be at most 63 letters, digits, '-' and '_', with a letter or digit first"},
    {"interface", "\"a\\nb\"", "'a?b': must not hold control characters"},
    {"queue", "[]", "must be a map of keys, not a list"},
    {"restart", "5s", "must be a map of keys, not '5s'"},
    {"restart", "{min: 1m}", "'min' (60000 ms) must not be above 'max' (30000 ms)"},
    {"json", "[]", "must be a map of settings, not a list"},
    {"reload", "yes", "must be auto or manual, not 'yes'"},
    {"reload", "true", "must be auto or manual, not 'true'"},
    {"settle", "2", "must be a time such as 200ms, 30s or 5m, not '2'"},
    {"settle", "-1s", "must be a time such as 200ms, 30s or 5m, not '-1s'"},
    {"settle", "61m", "must be between 0ms and 1h, not '61m'"},
    {"probation", "forever", "must be a time such as 200ms, 30s or 5m, not 'forever'"},
    {"probation", "25h", "must be between 0ms and 24h, not '25h'"},
    {"debounce", "0ms", "must be between 10ms and 10s, not '0ms'"},
    {"debounce", "9ms", "must be between 10ms and 10s, not '9ms'"},
    {"debounce", "11s", "must be between 10ms and 10s, not '11s'"},
    {"debounce", "[]", "must be a time such as 200ms, 30s or 5m, not a list"},
    {"self_test", "find", "must be a map of keys, not 'find'"},
    {"config", "users.json", "must be a map of settings, not 'users.json'"},
};

Test(mistakes, a_wrong_value_is_named_with_what_it_should_be)
{
    for (size_t i = 0; i < sizeof wrong_values / sizeof *wrong_values; i++) {
        char text[400], message[400], quoted[64];
        const char *key = wrong_values[i].key, *value = wrong_values[i].value;
        size_t column = 5 + strlen(key) + 1 + (*value ? 1 : 0);
        snprintf(text, sizeof text, SERVICE("    %s:%s%s\n"), key, *value ? " " : "", value);
        snprintf(quoted, sizeof quoted, "key '%s':", key);
        snprintf(message, sizeof message, "5:%zu: %s %s", column, quoted, wrong_values[i].message);
        expect_mistakes(text, message);
    }
}

Test(mistakes, keys_of_maps_inside_a_service_are_checked_too)
{
    expect_mistakes(
        SERVICE("    queue: {calls: 0, byte: 1}\n    restart: {min: 0ms, maxi: 1s}\n"),
        "5:20: key 'calls': must be between 1 and 1000000, not '0'", "5:23: key 'byte': unknown (nearest: 'bytes')",
        "6:20: key 'min': must be between 1ms and 1h, not '0ms'", "6:25: key 'maxi': unknown (nearest: 'max')");
}

Test(mistakes, planned_keys_are_refused_by_name)
{
    expect_mistakes(SERVICE("    access: x\n"),
                    "5:5: key 'access' is planned, but not implemented in this version: remove it");
}

Test(mistakes, the_broker_s_planned_keys_are_refused_by_name)
{
    expect_mistakes("chaos: true\nservices: {}\nbroker:\n  listen: [\"tcp://127.0.0.1:1\"]\n  mdp: x\n  curve: {}\n",
                    "1:1: key 'chaos' is planned, but not implemented in this version: remove it",
                    "5:3: key 'mdp' is planned, but not implemented in this version: remove it",
                    "6:3: key 'curve' is planned, but not implemented in this version: remove it");
}

Test(mistakes, a_planned_key_is_never_the_nearest)
{
    expect_mistakes(SERVICE("    acess: x\n"),
                    "5:5: key 'acess': unknown (the driver's settings are in 'json' or 'config')");
}

Test(mistakes, the_driver_s_section_may_be_the_nearest)
{
    expect_mistakes(SERVICE("    jsno: {}\n"), "5:5: key 'jsno': unknown (nearest: 'json')");
}

Test(mistakes, a_service_has_one_section_of_settings)
{
    expect_mistakes(
        SERVICE("    json: {a: 1}\n    config: {b: 2}\n"),
        "6:5: service 'users' has two sections of settings: keep 'config' or the one named after the driver");
}

Test(mistakes, duplicate_keys_are_refused_wherever_they_stand)
{
    expect_mistakes(SERVICE("    replicas: 1\n    \"replicas\": 2\n    json:\n      a: 1\n      b: {x: 1, x: 2}\n"
                            "      a: 3\nservices: {}\n"),
                    "6:5: key 'replicas': stands here for the second time (the first is at line 5)",
                    "9:17: key 'x': stands here for the second time (the first is at line 9)",
                    "10:7: key 'a': stands here for the second time (the first is at line 8)",
                    "11:1: key 'services': stands here for the second time (the first is at line 2)");
}

Test(mistakes, names_of_services_are_words)
{
    expect_mistakes(LISTEN "services:\n  a.b: {driver: x}\n  \"\": {driver: x}\n  \"a\\0\": {driver: x}\n"
                           "  -x: {driver: x}\n",
                    "3:3: service 'a.b': its name must be at most 63 letters, digits, '-' and '_', with a letter or "
                    "digit first",
                    "4:3: service '': its name must be at most 63 letters, digits, '-' and '_', with a letter or "
                    "digit first",
                    "5:3: service 'a?': its name must be at most 63 letters, digits, '-' and '_', with a letter or "
                    "digit first",
                    "6:3: service '-x': its name must be at most 63 letters, digits, '-' and '_', with a letter or "
                    "digit first");
}

Test(mistakes, a_service_is_a_map)
{
    expect_mistakes(LISTEN "services:\n  a: json\n  b:\n",
                    "3:3: service 'a': key 'driver' is missing: write 'driver: NAME' (or a path) below it",
                    "3:6: key 'a': must be a map of keys, not 'json'",
                    "4:3: service 'b': key 'driver' is missing: write 'driver: NAME' (or a path) below it");
}

Test(mistakes, a_driver_has_a_name)
{
    expect_mistakes(LISTEN "services:\n  a: {driver: \"\"}\n  b: {driver: }\n",
                    "3:15: key 'driver': '': must be a built-in driver's name or a path",
                    "4:15: key 'driver': must be a driver's name, path or URL, not nothing");
}

Test(mistakes, lists_are_lists)
{
    expect_mistakes("broker: {listen: \"tcp://127.0.0.1:1\"}\ndriver_path: drivers\nservices: {}\n",
                    "1:18: key 'listen': must be a list such as [a, b], not the text 'tcp://127.0.0.1:1'",
                    "2:14: key 'driver_path': must be a list such as [a, b], not 'drivers'");
}

Test(mistakes, items_of_lists_are_checked_each)
{
    expect_mistakes("broker: {listen: [5, [], \"tcp://127.0.0.1:1\", ~]}\ndriver_path: [\"\"]\nservices: {}\n",
                    "1:19: key 'listen': '5': an endpoint begins with ipc:// or tcp://, such as "
                    "ipc:///run/drover/broker.sock",
                    "1:22: key 'listen': must be an endpoint such as ipc:///run/drover/broker.sock, not a list",
                    "1:47: key 'listen': must be an endpoint such as ipc:///run/drover/broker.sock, not nothing",
                    "2:15: key 'driver_path': '': must be a path, which cannot be empty");
}

Test(mistakes, lists_have_a_most)
{
    expect_mistakes(LISTEN "services: {}\ndriver_path: [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]\n",
                    "3:14: key 'driver_path': at most 16 items, not 17");
}

Test(mistakes, at_least_one_endpoint_is_needed)
{
    expect_mistakes("broker: {listen: []}\nservices: {}\n",
                    "1:18: key 'broker.listen': at least one endpoint is needed, such as "
                    "listen: [\"ipc:///run/drover/broker.sock\"]");
    expect_mistakes("services: {}\nbroker: {}\n", "2:1: key 'broker.listen': at least one endpoint is needed, such as "
                                                  "listen: [\"ipc:///run/drover/broker.sock\"]");
}

Test(mistakes, an_endpoint_stands_in_listen_once)
{
    expect_mistakes("broker: {listen: [\"tcp://127.0.0.1:1\", \"tcp://127.0.0.1:1\"]}\nservices: {}\n",
                    "1:18: key 'listen': 'tcp://127.0.0.1:1' stands in it twice");
}

Test(mistakes, permissions_and_groups_are_checked)
{
    expect_mistakes("broker: {listen: [\"tcp://127.0.0.1:1\"], mode: 660, group: a b}\nservices: {}\n",
                    "1:47: key 'mode': must be octal permissions such as \"0660\", not '660'",
                    "1:59: key 'group': 'a b': must be the name of a group");
    expect_mistakes("broker: {listen: [\"tcp://127.0.0.1:1\"], mode: \"0060\"}\nservices: {}\n",
                    "1:47: key 'mode': must be between 0600 and 0777, not '0060'");
}

static const char nothing[] = "1:1: the file holds no configuration: it needs 'broker' and 'services'";

Test(mistakes, a_file_that_holds_nothing_is_one)
{
    static const char *const files[] = {"", "\n\n", "# only a comment\n", "---\n", "~\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        expect_mistakes(files[i], nothing);
}

Test(mistakes, a_file_is_a_map)
{
    expect_mistakes("- a\n", "1:1: the file must be a map with the keys 'broker' and 'services'");
    expect_mistakes("hello\n", "1:1: the file must be a map with the keys 'broker' and 'services'");
}

Test(mistakes, anchors_aliases_and_tags_are_refused)
{
    expect_mistakes(SERVICE("    json: &a {x: &b 1, y: *b}\n    retry: !!bool true\n    replicas: ! 2\n"
                            "    queue: !q {}\n"),
                    "5:11: anchor '&a': anchors are not allowed here (write the value where it is needed)",
                    "5:18: anchor '&b': anchors are not allowed here (write the value where it is needed)",
                    "5:27: alias '*b': aliases are not allowed here (write the value where it is needed)",
                    "6:12: tag 'tag:yaml.org,2002:bool': tags are not allowed here (quote a value to make it a string)",
                    "7:15: tag '!': tags are not allowed here (quote a value to make it a string)",
                    "8:12: tag '!q': tags are not allowed here (quote a value to make it a string)");
}

Test(mistakes, a_file_holds_one_document)
{
    expect_mistakes(LISTEN "services: {}\n---\na: 1\n",
                    "3:1: a second document begins here: a file holds one configuration");
}

Test(mistakes, keys_are_words)
{
    expect_mistakes(LISTEN "services: {}\n? [a]\n: 1\n? {b: c}\n: 2\n?\n: 3\n",
                    "3:3: a key must be a word, not a list or a map", "5:3: a key must be a word, not a list or a map",
                    "7:2: a key is missing before ':'");
}

Test(mistakes, what_is_no_yaml_is_said_with_its_place)
{
    expect_mistakes("a: [1\nb: 2\n",
                    "2:2: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence, line 1)");
    expect_mistakes("a:\n\t- b\n", "2:1: not valid YAML: found character that cannot start any token (while scanning "
                                   "for the next token, line 2)");
}

Test(mistakes, what_is_no_utf8_is_said_with_its_place)
{
    expect_mistakes("a: 1\nb: \xC3\xA4\xFF\n", "2:5: the file is not plain UTF-8 text: invalid leading UTF-8 octet");
    expect_mistakes("a: \x01\n", "1:4: the file is not plain UTF-8 text: control characters are not allowed");
    expect_mistakes("\xFF\xFE"
                    "a",
                    "1:1: the file is not plain UTF-8 text: invalid leading UTF-8 octet");
}

Test(mistakes, a_nul_ends_nothing_silently)
{
    struct parsed parsed = parse_bytes("a: 1\n\0b: 2\n", 11, NULL);
    expect_mistakes_of(&parsed, (const char *const[]){
                                    "2:1: the file is not plain UTF-8 text: control characters are not allowed", NULL});
}

Test(mistakes, nesting_has_an_end)
{
    static char bomb[200000];
    memset(bomb, '[', sizeof bomb - 1);
    expect_mistakes(bomb, "1:29: lists and maps are nested deeper than 28 levels");
    for (size_t i = 0; i + 2 < sizeof bomb; i += 2)
        memcpy(bomb + i, "- ", 2);
    expect_mistakes(bomb, "1:57: lists and maps are nested deeper than 28 levels");
    for (size_t i = 0; i + 4 < sizeof bomb; i += 4)
        memcpy(bomb + i, "{a: ", 4);
    expect_mistakes(bomb, "1:113: lists and maps are nested deeper than 28 levels");
}

Test(mistakes, a_huge_file_is_not_read)
{
    size_t size = 10 << 20;
    char *text = malloc(size);
    memset(text, ' ', size);
    struct parsed parsed = parse_bytes(text, size, NULL);
    expect_mistakes_of(&parsed,
                       (const char *const[]){"1:1: the file has 10485760 bytes; at most 4194304 are read", NULL});
    free(text);
}

/* `count` lines behind `head`, each `before`, its number and `after`. */
static char *many_lines(const char *head, const char *before, const char *after, int count)
{
    size_t line = strlen(before) + strlen(after) + 16;
    size_t size = strlen(head) + (size_t)count * line + 1;
    char *text = malloc(size);
    size_t used = strlen(strcpy(text, head));
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d%s\n", before, i, after);
    return text;
}

Test(mistakes, the_list_of_them_has_an_end)
{
    char *text = many_lines(LISTEN "services: {}\n", "key", ": x", 3000);
    struct parsed parsed = parse(text);
    cr_assert_eq(parsed.messages.count, CONFIG_MESSAGES_MAX + 1);
    cr_expect_str_eq(parsed.messages.lines[CONFIG_MESSAGES_MAX], "drover.yaml: 2000 more mistakes are not listed");
    parsed_done(&parsed);
    free(text);
}

Test(mistakes, a_map_with_very_many_keys_is_checked_for_duplicates_all_the_same)
{
    char *text = many_lines(SERVICE("    json:\n"), "      key", ": x", 100000);
    memcpy(strstr(text, "key99999:"), "key77777:", 9);
    expect_mistakes(text, "100005:7: key 'key77777': stands here for the second time (the first is at line 77783)");
    free(text);
}

Test(mistakes, there_are_only_so_many_services)
{
    char *text = many_lines(LISTEN "services:\n", "  s", ": {driver: echo}", 1025);
    expect_mistakes(text, "3:3: key 'services': at most 1024 services, not 1025");
    free(text);
}

Test(mistakes, long_and_odd_texts_are_cut_and_made_printable)
{
    char text[4096] = SERVICE("    \"");
    size_t used = strlen(text);
    memset(text + used, 'k', 500);
    strcpy(text + used + 500, "\\e[31m\": 1\n");
    struct parsed parsed = parse(text);
    cr_assert_eq(parsed.messages.count, 1);
    cr_expect_lt(strlen(parsed.messages.lines[0]), 200);
    cr_expect_null(strchr(parsed.messages.lines[0], '\033'));
    cr_expect_not_null(strstr(parsed.messages.lines[0], "kkk...': unknown"));
    parsed_done(&parsed);
}

Test(mistakes, grants_are_looked_at_one_by_one)
{
    expect_mistakes(SERVICE("    grants:\n      read: /etc\n      write: [\"\"]\n      network: all\n"
                            "      memory: 4KiB\n      cpu: 0\n      exec: [/bin]\n"),
                    "6:13: key 'read': must be a list such as [a, b], not '/etc'",
                    "7:15: key 'write': '': must be a path, which cannot be empty",
                    "8:16: key 'network': must be none, loopback or outbound, not 'all'",
                    "9:15: key 'memory': must be between 1MiB and 1048576GiB, not '4KiB'",
                    "10:12: key 'cpu': must be between 1 and 1024, not '0'", "11:7: key 'exec': unknown");
}

Test(mistakes, a_self_test_is_looked_at_key_by_key)
{
    expect_mistakes(SERVICE("    self_test:\n      method: [find]\n      expect: NOTFOUND\n      reqest: {}\n"),
                    "6:15: key 'method': must be the name of a method, not a list",
                    "7:15: key 'expect': must be a status such as OK or NOT_FOUND, not 'NOTFOUND' (nearest: "
                    "'NOT_FOUND')",
                    "8:7: key 'reqest': unknown (nearest: 'request')");
    expect_mistakes(SERVICE("    self_test: {method: \"\", expect: 17}\n"),
                    "5:25: key 'method': '': must be the name of a method, of at most 255 bytes",
                    "5:37: key 'expect': must be a status such as OK or NOT_FOUND, not '17'");
}

Test(mistakes, a_self_test_needs_a_method)
{
    static const char message[] = "5:5: key 'self_test': 'method' is missing: write 'method: NAME' into it";
    expect_mistakes(SERVICE("    self_test:\n"), message);
    expect_mistakes(SERVICE("    self_test: {}\n"), message);
    expect_mistakes(SERVICE("    self_test: {expect: OK}\n"), message);
}

Test(mistakes, a_method_s_name_has_an_end)
{
    char text[600], name[257] = "";
    memset(name, 'm', 256);
    snprintf(text, sizeof text, SERVICE("    self_test: {method: %s}\n"), name);
    struct parsed parsed = parse(text);
    cr_expect_eq(parsed.messages.count, 1);
    parsed_done(&parsed);
    name[255] = '\0';
    snprintf(text, sizeof text, SERVICE("    self_test: {method: %s}\n"), name);
    parsed = parse_good(text);
    cr_expect_str_eq(parsed.config->services[0].test_method, name);
    parsed_done(&parsed);
}

Test(mistakes, a_self_test_s_request_is_one_that_its_service_may_have)
{
    expect_mistakes(SERVICE("    self_test: {method: m, request: 'text'}\n    max_body: 4\n"),
                    "5:37: key 'request': 5 bytes as msgpack, but 'max_body' allows only 4");
    expect_mistakes(SERVICE("    self_test: {method: m, request: {a: [99999999999999999999]}}\n"),
                    "5:42: the number 99999999999999999999 does not fit into 64 bits (quote it to make it a string)");
}

Test(mistakes, the_broker_s_way_to_reload_is_a_word)
{
    expect_mistakes("broker: {listen: [\"tcp://127.0.0.1:1\"], reload: automatic}\nservices: {}\n",
                    "1:49: key 'reload': must be auto or manual, not 'automatic'");
}

Test(mistakes, fetching_is_looked_at_key_by_key)
{
    expect_mistakes("broker:\n  listen: [\"tcp://127.0.0.1:1\"]\n  fetch:\n    allow: [https, ftp]\n"
                    "    deadline: 1ms\n    allowed: [ssh]\nservices: {}\n",
                    "4:20: key 'allow': 'ftp': must be one of https, ssh, file, http and git",
                    "5:15: key 'deadline': must be between 1s and 1h, not '1ms'",
                    "6:5: key 'allowed': unknown (nearest: 'allow')");
}

static enum reference_disk_kind look_nowhere(void *context, const char *path)
{
    (void)context;
    (void)path;
    return REFERENCE_DISK_NOTHING;
}

Test(mistakes, a_url_that_may_not_be_fetched_is_one_at_its_place)
{
    const struct reference_disk disk = {look_nowhere, NULL};
    const struct config_sources sources = {.disk = &disk};
    static const char text[] = "broker: {listen: [\"tcp://127.0.0.1:1\"], fetch: {allow: [ssh, git]}}\n"
                               "services:\n"
                               "  a:\n    driver: file:///srv/x.git\n"
                               "  b: {driver: host.org/x/y}\n"
                               "  c: {driver: git@host.org:x/y}\n"
                               "  d: {driver: \"git://host.org/x\"}\n";
    struct parsed parsed = parse_bytes(text, sizeof text - 1, &sources);
    expect_mistakes_of(
        &parsed, (const char *const[]){"4:13: service 'a': driver 'file:///srv/x.git': 'file' is not allowed by "
                                       "'broker.fetch.allow': add it there, or use another URL",
                                       "5:15: service 'b': driver 'host.org/x/y': 'https' is not allowed by "
                                       "'broker.fetch.allow': add it there, or use another URL",
                                       "7:15: service 'd': driver 'git://host.org/x': by 'git' only this machine "
                                       "itself may be reached (localhost, 127.0.0.1, [::1]): use https:// or ssh://",
                                       NULL});
}
