/* endpoint.c - checks the endpoints of `listen` before ZeroMQ sees them
 *
 * Only numeric addresses: libzmq takes anything else for the name of a network interface.
 */
#include "common/config/endpoint.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/text.h"

#define IPC_PATH_MAX 107 /* bytes: sun_path of unix(7) without its NUL */

static const char *ipc_mistake(const char *path)
{
    if (path[0] == '@')
        return "abstract sockets have no permissions: write a path";
    if (path[0] != '/')
        return "the path must be absolute, such as ipc:///run/drover/broker.sock";
    if (path[strlen(path) - 1] == '/')
        return "the path must end in the name of a socket";
    if (strlen(path) > IPC_PATH_MAX)
        return "the path is longer than 107 bytes, which is as long as the system allows";
    return NULL;
}

/* 127.0.0.0/8, or ::1 in brackets. `*ret_is_address` tells whether it is a numeric address at all. */
static bool is_loopback(const char *host, size_t size, bool *ret_is_address)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr four;
    struct in6_addr six;
    bool bracketed = size > 2 && host[0] == '[' && host[size - 1] == ']';
    const char *at = bracketed ? host + 1 : host;
    size_t length = bracketed ? size - 2 : size;
    *ret_is_address = false;
    if (length >= sizeof text)
        return false;
    memcpy(text, at, length);
    text[length] = '\0';
    if (bracketed) {
        *ret_is_address = inet_pton(AF_INET6, text, &six) == 1;
        return *ret_is_address && IN6_IS_ADDR_LOOPBACK(&six);
    }
    *ret_is_address = inet_pton(AF_INET, text, &four) == 1;
    return *ret_is_address && ntohl(four.s_addr) >> 24 == 127;
}

static const char *tcp_mistake(const char *address)
{
    static const char beyond[] = "beyond loopback needs encryption, which is not implemented in this version: use an "
                                 "address such as tcp://127.0.0.1:5570";
    const char *colon = strrchr(address, ':');
    uint64_t port;
    bool is_address;
    if (!colon || !text_parse_number(colon + 1, &port) || port < 1 || port > 65535)
        return "the address must end in a port from 1 to 65535, such as tcp://127.0.0.1:5570";
    size_t size = (size_t)(colon - address);
    if (is_loopback(address, size, &is_address))
        return NULL;
    if (is_address || (size == 1 && *address == '*'))
        return beyond;
    return "the host must be a numeric address of loopback, such as 127.0.0.1 or [::1]";
}

const char *endpoint_mistake(const char *endpoint)
{
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return ipc_mistake(endpoint + 6);
    if (strncmp(endpoint, "tcp://", 6) == 0)
        return tcp_mistake(endpoint + 6);
    return "an endpoint begins with ipc:// or tcp://, such as ipc:///run/drover/broker.sock";
}
