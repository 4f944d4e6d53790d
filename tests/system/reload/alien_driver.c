/* alien_driver.c - a worker's process that speaks a version of the protocol which nobody else does
 *
 * It says HELLO with the token that it was given, and waits: until its broker is gone, or ends it.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <zmq.h>

#include "common/sys/sys.h"
#include "common/wire/startword.h"

#define VERSION 99
#define INTERFACE "ordered"

static void say_hello(void *dealer, const struct startword_page *page)
{
    static const struct wire_method methods[] = {{"note", false}};
    const struct wire_header header = {.command = WIRE_HELLO};
    struct drover_writer *body = drover_writer_new();
    char octets[WIRE_HEADER_MAX];
    struct wire_hello hello = {
        .role = WIRE_ROLE_WORKER,
        .version_min = VERSION,
        .version_max = VERSION,
        .software = {"alien", 5},
        .name = {"alien_driver", 12},
        .interface = {INTERFACE, sizeof(INTERFACE) - 1},
        .interface_version = {"1.0.0", 5},
        .driver = {"alien", 5},
        .driver_version = {"1", 1},
        .concurrency = 1,
        .has_token = true,
    };

    memcpy(hello.token, page->token, sizeof(hello.token));
    wire_hello_encode(&hello, methods, 1, body);
    zmq_send(dealer, octets, wire_header_encode(&header, octets, sizeof(octets)), ZMQ_SNDMORE);
    zmq_send(dealer, drover_writer_data(body), drover_writer_size(body), 0);
    drover_writer_free(body);
}

int main(void)
{
    const char *endpoint = getenv(WORKER_ENV_ENDPOINT), *page_fd = getenv(WORKER_ENV_PAGE);
    const char *lifeline = getenv(WORKER_ENV_LIFELINE);

    if (endpoint == NULL || page_fd == NULL || lifeline == NULL)
        return 3;
    sys_seed_libzmq();
    void *page = mmap(NULL, STARTWORD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(page_fd), 0);
    void *context = zmq_ctx_new(), *dealer = zmq_socket(context, ZMQ_DEALER);
    if (page == MAP_FAILED || zmq_connect(dealer, endpoint) != 0)
        return 3;
    say_hello(dealer, page);
    struct pollfd end = {.fd = atoi(lifeline), .events = POLLIN};
    (void)poll(&end, 1, -1);
    zmq_close(dealer);
    zmq_ctx_term(context);
    return 0;
}
