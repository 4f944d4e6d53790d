/* test_load.c - a configuration on the disk, and the files that it names */
#include "tests/unit/common/load/folder.h"

#include "common/load/load.h"

TestSuite(load, .init = make_folder, .fini = remove_folder);

static struct config_messages messages;

static struct config *load(const char *settings, const char *more)
{
    struct config *config = NULL;
    char text[2048];
    snprintf(text, sizeof text,
             "broker: {listen: [\"tcp://127.0.0.1:1\"]}\nservices:\n  echo:\n    driver: echo\n    echo: %s\n%s",
             settings, more);
    put_file("drover.yaml", text);
    enum drover_status status = load_config(at("drover.yaml"), &config, &messages);
    cr_expect_eq(status == DROVER_OK, config != NULL);
    return config;
}

static bool has_file(const struct config *config, const char *path)
{
    const struct config_service *service = &config->services[0];
    for (size_t i = 0; i < service->setting_files_count; i++)
        if (strcmp(service->setting_files[i], path) == 0)
            return true;
    return false;
}

Test(load, finds_the_files_that_settings_name)
{
    char settings[1024];
    put_file("users.json", "[]");
    put_file("own.pem", "x");
    put_file("unnamed", "x");
    snprintf(settings, sizeof settings, "{a: users.json, b: [%s, {c: ./own.pem}], d: %s, e: nosuch, f: 5, g: \"\"}",
             at("users.json"), folder);
    struct config *config = load(settings, "");
    cr_assert_not_null(config, "%s", messages.count ? messages.lines[0] : "");
    cr_expect_eq(config->services[0].setting_files_count, 2, "each once, and no folder");
    cr_expect(has_file(config, at("users.json")));
    cr_expect(has_file(config, at("own.pem")));
    config_free(config);
}

Test(load, what_is_granted_anyway_is_no_setting_s_file)
{
    put_file("in", "x");
    put_file("out", "x");
    put_file("output", "x");
    struct config *config = load("[in, out, output]", "");
    cr_expect_null(config, "settings are a map");
    config_messages_done(&messages);
    config = load("{x: [in, out, output]}", "    grants: {read: [in], write: [out]}\n");
    cr_assert_eq(config->services[0].setting_files_count, 1);
    cr_expect(has_file(config, at("output")));
    config_free(config);
}

Test(load, settings_may_name_so_many_files_and_no_more)
{
    char settings[512] = "{x: [", name[16];
    for (int i = 0; i <= CONFIG_FILES_MAX; i++) {
        snprintf(name, sizeof name, "file%02d", i);
        put_file(name, "");
        strcat(strcat(settings, name), i < CONFIG_FILES_MAX ? ", " : "]}");
    }
    cr_expect_null(load(settings, ""));
    cr_assert_eq(messages.count, 1);
    cr_expect_not_null(strstr(messages.lines[0], "drover.yaml:4:13: service 'echo': its settings name more than 12"),
                       "%s", messages.lines[0]);
    config_messages_done(&messages);
    struct config *config = load(settings, "    grants: {read: [.]}\n");
    cr_expect_not_null(config);
    config_free(config);
}

Test(load, the_lock_file_is_beside_the_file)
{
    struct config *config = load("{}", "");
    cr_expect_str_eq(config->lock_path, at("drover.lock"));
    config_free(config);
}

Test(load, a_module_is_known_by_what_is_in_it)
{
    put_file("text.so", "no ELF");
    put_file("plain", "no ELF");
    cr_expect_eq(load_disk.look(NULL, DROVER_BINARY_DIR "/lib/libdrover-worker.so"), REFERENCE_DISK_LIBRARY);
    cr_expect_eq(load_disk.look(NULL, DROVER_BINARY_DIR "/drivers/userprovider/json.so"), REFERENCE_DISK_MODULE);
    cr_expect_eq(load_disk.look(NULL, DROVER_BINARY_DIR "/drivers/userprovider/json"), REFERENCE_DISK_EXECUTABLE);
    cr_expect_eq(load_disk.look(NULL, at("text.so")), REFERENCE_DISK_FILE);
    cr_expect_eq(load_disk.look(NULL, at("plain")), REFERENCE_DISK_FILE);
    cr_expect_eq(load_disk.look(NULL, folder), REFERENCE_DISK_DIRECTORY);
    cr_expect_eq(load_disk.look(NULL, "/dev/null"), REFERENCE_DISK_OTHER);
    cr_expect_eq(load_disk.look(NULL, at("nosuch")), REFERENCE_DISK_NOTHING);
}

Test(load, a_file_may_be_read_as_if_it_stood_elsewhere)
{
    struct config *config = NULL;
    put_file("users.json", "[]");
    put_file("draft.yaml", "broker: {listen: [\"tcp://127.0.0.1:1\"], state_dir: s}\n"
                           "services: {echo: {driver: echo, echo: {a: users.json}}}\n");
    cr_assert_eq(load_config_as(at("draft.yaml"), "/nosuch/drover.yaml", &config, &messages), DROVER_OK);
    cr_expect_str_eq(config->state_dir, "/nosuch/s");
    cr_expect_str_eq(config->lock_path, "/nosuch/drover.lock");
    cr_expect_eq(config->services[0].setting_files_count, 0, "it is not there");
    config = config_free(config);
    put_file("draft.yaml", "services: {}\n");
    cr_expect_eq(load_config_as(at("draft.yaml"), "/nosuch/drover.yaml", &config, &messages), DROVER_INVALID_ARGUMENT);
    cr_assert_eq(messages.count, 1);
    cr_expect_not_null(strstr(messages.lines[0], at("draft.yaml:1:1:")), "%s", messages.lines[0]);
    config_messages_done(&messages);
}
