/* cxx.cpp - both public headers in one C++ program: they compile there, and their functions link as C */
#include <drover/client.h>
#include <drover/worker.h>

#include <cstdio>
#include <cstring>

static drover_status greet(drover_call *call)
{
    drover_write_map(drover_call_reply(call), 0);
    return DROVER_OK;
}

static const drover_method methods[] = {{"greet", greet, true}};

int main()
{
    drover_driver driver = {};
    driver.abi = DROVER_DRIVER_ABI;
    driver.interface = "hello";
    driver.methods = methods;
    driver.method_count = 1;

    drover_client_options options = {};
    options.broker = "no endpoint";
    drover_client *client = nullptr;
    drover_error error = {};
    drover_status status = drover_client_new(&options, &client, &error);
    drover_client_free(client);
    std::printf("%s: %s (%s)\n", drover_status_name(status), error.text, driver.methods->name);
    return status == DROVER_INVALID_ARGUMENT && std::strlen(error.text) > 0 ? 0 : 1;
}
