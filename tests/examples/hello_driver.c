/* hello_driver.c - a whole driver: interface hello, method greet {name} -> {greeting} */
#include <drover/worker.h>

#define GREETING "Hello"

static enum drover_status greet(struct drover_call *call)
{
    struct drover_text name = drover_value_get_text(drover_call_request(call), "name", "world");

    drover_write_map(drover_call_reply(call), 1);
    drover_write_string(drover_call_reply(call), "greeting");
    drover_write_format(drover_call_reply(call), GREETING ", %.*s", (int)name.size, name.data);
    return DROVER_OK;
}

static const struct drover_method methods[] = {{.name = "greet", .run = greet, .idempotent = true}};
static const struct drover_driver hello = {.abi = DROVER_DRIVER_ABI,
                                           .interface = "hello",
                                           .interface_version = "1.0.0",
                                           .name = "hello",
                                           .version = "1.0.0",
                                           .summary = "greets by name",
                                           .methods = methods,
                                           .method_count = 1};
DROVER_DRIVER(hello)
