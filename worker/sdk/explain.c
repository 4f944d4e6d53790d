/* explain.c - see explain.h */
#include "worker/sdk/explain.h"

static void list_methods(const struct drover_driver *driver, FILE *out)
{
    fputs("Methods (* running one twice is the same as once):\n", out);
    for (size_t i = 0; i < driver->method_count; i++)
        fprintf(out, "  %s%s\n", driver->methods[i].name, driver->methods[i].idempotent ? " *" : "");
}

static void show_configuration(const struct drover_driver *driver, const char *reference, FILE *out)
{
    fprintf(out,
            "It is started by drover-broker, not by hand. A service that uses it, in the broker's configuration:\n"
            "\n"
            "  services:\n"
            "    %s:\n"
            "      driver: %s\n",
            driver->interface, reference);
    if (driver->configure)
        fprintf(out, "      %s: {}    # its settings\n", driver->name);
    fprintf(out, "\nThen: drover call %s.%s\n", driver->interface,
            driver->method_count ? driver->methods[0].name : "METHOD");
}

void explain_driver(const struct drover_driver *driver, const char *reference, FILE *out)
{
    fprintf(out, "Driver '%s' %s: interface %s %s, for drover " DROVER_VERSION "\n", driver->name, driver->version,
            driver->interface, driver->interface_version);
    if (driver->summary)
        fprintf(out, "  %s\n", driver->summary);
    fputc('\n', out);
    list_methods(driver, out);
    fputc('\n', out);
    show_configuration(driver, reference, out);
}

void explain_version(const struct drover_driver *driver, FILE *out)
{
    fprintf(out, "%s %s (%s %s, drover " DROVER_VERSION ")\n", driver->name, driver->version, driver->interface,
            driver->interface_version);
}
