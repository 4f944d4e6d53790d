/* served.c - see served.h */
#include "worker/sdk/served.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

static bool is_filled(const char *text)
{
    return text && *text;
}

static enum drover_status check_methods(const struct drover_driver *driver, struct drover_error *error)
{
    if (driver->method_count > WIRE_METHODS_MAX || (driver->method_count && !driver->methods))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "driver '%s': its table has %zu methods (0 to %d are possible)", driver->name,
                                driver->method_count, WIRE_METHODS_MAX);
    for (size_t i = 0; i < driver->method_count; i++) {
        const struct drover_method *method = &driver->methods[i];
        if (!is_filled(method->name) || strlen(method->name) > WIRE_NAME_MAX || !method->run)
            return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                    "driver '%s': method %zu of its table has no usable name or no function",
                                    driver->name, i);
    }
    return DROVER_OK;
}

enum drover_status served_check(const struct drover_driver *driver, struct drover_error *error)
{
    if (driver->abi < DROVER_DRIVER_ABI_OLDEST || driver->abi > DROVER_DRIVER_ABI)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "driver: its table has layout %u, this library knows %u to %u (compile the driver "
                                "against this drover)",
                                driver->abi, DROVER_DRIVER_ABI_OLDEST, DROVER_DRIVER_ABI);
    if (!is_filled(driver->name) || !is_filled(driver->interface) || !is_filled(driver->interface_version) ||
        !is_filled(driver->version))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "driver '%s': its table lacks interface, interface_version, name or version",
                                is_filled(driver->name) ? driver->name : "");
    if (driver->concurrency > WIRE_CONCURRENCY_MAX)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "driver '%s': concurrency %u is beyond the limit of %d", driver->name,
                                driver->concurrency, WIRE_CONCURRENCY_MAX);
    return check_methods(driver, error);
}

static void release(struct served *served)
{
    if (served->configured && served->driver->release)
        served->driver->release(served->state);
    served->configured = false;
    served->state = NULL;
}

static enum drover_status remember_info(struct served *served, const struct wire_welcome *welcome,
                                        struct drover_error *error)
{
    char *service = drover_text_dup(welcome->service);
    char *artefact = drover_text_dup(welcome->artefact);

    if (!service || !artefact) {
        free(service);
        free(artefact);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: no memory");
    }
    free((char *)served->info.service);
    free((char *)served->info.artefact);
    served->info =
        (struct drover_worker_info){.service = service, .artefact = artefact, .generation = welcome->generation};
    served->max_body = welcome->max_body;
    return DROVER_OK;
}

/* The driver's own word on its settings; a status that is none must not reach the wire. */
static enum drover_status judge_word(const struct served *served, const char *function, enum drover_status status,
                                     struct drover_error *error)
{
    const struct drover_driver *driver = served->driver;

    if (status == DROVER_OK)
        return DROVER_OK;
    if ((unsigned)status >= DROVER_STATUS_END)
        return drover_error_set(error, DROVER_INTERNAL, "driver '%s': %s returned %d, which is no status", driver->name,
                                function, (int)status);
    if (!error->text[0])
        return drover_error_set(error, status, "driver '%s' refused its settings without a reason", driver->name);
    error->status = status;
    return status;
}

static enum drover_status run_configure(struct served *served, const struct drover_value *settings,
                                        struct drover_error *error)
{
    const struct drover_driver *driver = served->driver;

    if (!driver->configure)
        return drover_value_count(settings) == 0
                   ? DROVER_OK
                   : drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                      "driver '%s' takes no settings (remove the section '%s')", driver->name,
                                      driver->name);
    return judge_word(served, "configure", driver->configure(settings, &served->state, error), error);
}

enum drover_status served_configure(struct served *served, const struct wire_welcome *welcome,
                                    struct drover_error *error)
{
    struct drover_document *none = NULL;
    const struct drover_value *settings = welcome->settings;
    enum drover_status status;

    release(served);
    status = remember_info(served, welcome, error);
    if (status != DROVER_OK)
        return status;
    if (drover_value_type(settings) == DROVER_TYPE_NIL) {
        status = drover_document_parse(NULL, 0, &none, error);
        if (status != DROVER_OK)
            return status;
        settings = drover_document_root(none);
    }
    if (drover_value_type(settings) == DROVER_TYPE_MAP)
        status = run_configure(served, settings, error);
    else
        status = drover_error_set(error, DROVER_INVALID_ARGUMENT, "driver '%s': its settings are %s, not a map",
                                  served->driver->name, drover_type_name(drover_value_type(settings)));
    served->configured = status == DROVER_OK;
    drover_document_free(none);
    return status;
}

bool served_can_reconfigure(const struct served *served)
{
    return served->driver->abi >= 2 && served->driver->reconfigure;
}

enum drover_status served_reconfigure(const struct served *served, const struct drover_value *settings,
                                      struct drover_error *error)
{
    const struct drover_driver *driver = served->driver;

    if (!served_can_reconfigure(served))
        return drover_error_set(error, DROVER_UNIMPLEMENTED, "driver '%s' cannot take new settings as it runs",
                                driver->name);
    return judge_word(served, "reconfigure", driver->reconfigure(served->state, settings, error), error);
}

void served_done(struct served *served)
{
    release(served);
    free((char *)served->info.service);
    free((char *)served->info.artefact);
    served->info = (struct drover_worker_info){0};
}

unsigned served_concurrency(const struct served *served)
{
    return served->driver->concurrency ? served->driver->concurrency : 1;
}

const struct drover_method *served_method(const struct served *served, struct drover_text name)
{
    for (size_t i = 0; i < served->driver->method_count; i++) {
        if (drover_text_equals(name, served->driver->methods[i].name))
            return &served->driver->methods[i];
    }
    return NULL;
}

const char *served_nearest_method(const struct served *served, const char *word)
{
    const char *names[WIRE_METHODS_MAX];

    for (size_t i = 0; i < served->driver->method_count; i++)
        names[i] = served->driver->methods[i].name;
    return text_nearest(word, names, served->driver->method_count);
}
