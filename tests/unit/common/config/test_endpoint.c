/* test_endpoint.c - what the broker may listen on */
#include <string.h>

#include <criterion/criterion.h>

#include "common/config/endpoint.h"

#define LONG_100 "/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789"

static const struct {
    const char *endpoint;
    const char *part; /* of what is wrong with it; NULL: nothing is */
} rows[] = {
    {"ipc:///run/drover/broker.sock", NULL},
    {"ipc://" LONG_100 "/123456", NULL},
    {"ipc://" LONG_100 "/1234567", "longer than 107 bytes"},
    {"ipc://run/drover.sock", "must be absolute"},
    {"ipc://", "must be absolute"},
    {"ipc://*", "must be absolute"},
    {"ipc://@abstract", "no permissions"},
    {"ipc:///run/", "end in the name of a socket"},
    {"tcp://127.0.0.1:5570", NULL},
    {"tcp://127.255.0.9:65535", NULL},
    {"tcp://[::1]:1", NULL},
    {"tcp://0.0.0.0:5570", "beyond loopback"},
    {"tcp://*:5570", "beyond loopback"},
    {"tcp://192.168.1.1:5570", "beyond loopback"},
    {"tcp://[::]:5570", "beyond loopback"},
    {"tcp://[::ffff:127.0.0.1]:5570", "beyond loopback"},
    {"tcp://128.0.0.1:5570", "beyond loopback"},
    {"tcp://localhost:5570", "numeric address"},
    {"tcp://lo:5570", "numeric address"},
    {"tcp://example.org:5570", "numeric address"},
    {"tcp://::1:5570", "numeric address"},
    {"tcp://127.1:5570", "numeric address"},
    {"tcp://:5570", "numeric address"},
    {"tcp://127.0.0.1", "end in a port"},
    {"tcp://127.0.0.1:", "end in a port"},
    {"tcp://127.0.0.1:0", "end in a port"},
    {"tcp://127.0.0.1:65536", "end in a port"},
    {"tcp://127.0.0.1:*", "end in a port"},
    {"tcp://127.0.0.1:80x", "end in a port"},
    {"tcp://", "end in a port"},
    {"inproc://x", "begins with ipc:// or tcp://"},
    {"udp://127.0.0.1:1", "begins with ipc:// or tcp://"},
    {"/run/drover.sock", "begins with ipc:// or tcp://"},
    {"", "begins with ipc:// or tcp://"},
};

Test(endpoint, only_paths_and_loopback_can_be_listened_on)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *mistake = endpoint_mistake(rows[i].endpoint);
        if (!rows[i].part)
            cr_expect_null(mistake, "%s: %s", rows[i].endpoint, mistake);
        else
            cr_expect(mistake && strstr(mistake, rows[i].part), "%s: %s", rows[i].endpoint,
                      mistake ? mistake : "accepted");
    }
}
