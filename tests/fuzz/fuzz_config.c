/* fuzz_config.c - any bytes as a configuration file: a configuration, or messages with a place, never both or neither
 */
#include <string.h>

#include "common/config/config.h"
#include "tests/fuzz/fuzz.h"

static void check_service(const struct config_service *service)
{
    struct drover_document *settings = NULL;
    FUZZ_CHECK(service->name != NULL && service->interface != NULL && service->driver != NULL);
    FUZZ_CHECK(service->name[0] != '\0' && service->driver[0] != '\0');
    FUZZ_CHECK(service->replicas >= 1 && service->restart_min_ms <= service->restart_max_ms);
    FUZZ_CHECK(service->sha256 == NULL || strlen(service->sha256) == 64);
    if (service->settings == NULL)
        return;
    FUZZ_CHECK(drover_document_parse(service->settings, service->settings_size, &settings, NULL) == DROVER_OK);
    FUZZ_CHECK(drover_value_type(drover_document_root(settings)) == DROVER_TYPE_MAP);
    drover_document_free(settings);
}

static void check_messages(const struct config_messages *messages)
{
    FUZZ_CHECK(messages->count > 0);
    for (size_t i = 0; i < messages->count; i++) {
        FUZZ_CHECK(strncmp(messages->lines[i], "fuzz.yaml:", strlen("fuzz.yaml:")) == 0);
        FUZZ_CHECK(strchr(messages->lines[i], '\n') == NULL);
    }
}

/* Secrets of the fuzzed file: some exist, some do not; what they hold is nobody's business here. */
static char *find_secret(void *context, const char *name)
{
    (void)context;
    return strlen(name) % 2 == 0 ? strdup("se: [cret") : NULL;
}

/* A disk on which there is something of each kind. */
static enum reference_disk_kind look(void *context, const char *path)
{
    (void)context;
    FUZZ_CHECK(path[0] == '/');
    return (enum reference_disk_kind)(strlen(path) % (REFERENCE_DISK_OTHER + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct reference_disk disk = {.look = look};
    static const struct config_sources sources = {.env = find_secret, .file = find_secret, .disk = &disk};
    struct config *config = NULL;
    struct config_messages messages;
    const enum drover_status status =
        config_parse((const char *)data, size, "fuzz.yaml", "/etc/drover", &sources, &config, &messages);
    FUZZ_CHECK((status == DROVER_OK) == (config != NULL));
    if (status == DROVER_INVALID_ARGUMENT)
        check_messages(&messages);
    for (size_t i = 0; config != NULL && i < config->service_count; i++)
        check_service(&config->services[i]);
    config_free(config);
    config_messages_done(&messages);
    return 0;
}
