/* test_garbage.c - octets that are no ZeroMQ, ZeroMQ that is no drover, and peers that come and go
 *
 * The generator is seeded, so each run sends the same.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/siege.h"

static struct siege siege;
static uint64_t state;

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016) */
static uint64_t next_number(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static size_t next_below(size_t limit)
{
    return (size_t)(next_number() % limit);
}

static void fill(uint8_t *octets, size_t size)
{
    for (size_t i = 0; i < size; i++)
        octets[i] = (uint8_t)(next_number() >> 32);
}

/* ---- no ZeroMQ ---- */

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    const char *path = siege.rig.endpoint + strlen("ipc://");
    cr_assert_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    cr_assert(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0, "%s", strerror(errno));
    return fd;
}

/* Send what the other side will take; it may close at any time. */
static void send_raw(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (size > 0) {
        const ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        size -= (size_t)sent;
    }
}

/* Read until the other side closes. False when it does not in time. */
static bool await_close(int fd)
{
    uint8_t octets[4096];
    struct pollfd end = {.fd = fd, .events = POLLIN};

    for (;;) {
        if (poll(&end, 1, PEER_PATIENCE_MS) != 1)
            return false;
        if (recv(fd, octets, sizeof(octets), 0) <= 0)
            return true;
    }
}

/* RFC 23 (ZMTP 3.0): greeting with the mechanism NULL, and the command READY of a DEALER. */
static const uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
static const char ready[] = "\x04\x28\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                            "DEALER\x08Identity\x00\x00\x00\x00";

static int connect_zmtp(void)
{
    const int fd = connect_raw();

    send_raw(fd, greeting, sizeof(greeting));
    send_raw(fd, ready, sizeof(ready) - 1);
    return fd;
}

Test(garbage, on_the_socket_is_dropped_with_its_connection)
{
    static uint8_t octets[65536];

    state = 1;
    siege_begin(&siege, "");
    for (unsigned i = 0; i < 300; i++) {
        const int fd = connect_raw();
        const size_t size = next_below(i % 10 == 0 ? sizeof(octets) : 200);
        fill(octets, size);
        if (i % 3 == 0) /* the beginning is right */
            send_raw(fd, greeting, next_below(sizeof(greeting) + 1));
        send_raw(fd, octets, size);
        close(fd);
    }
    siege_end(&siege);
}

/* A greeting as it should be, and then nothing but noise. */
Test(garbage, after_a_good_greeting_is_dropped_with_its_connection)
{
    static uint8_t octets[8192];

    state = 2;
    siege_begin(&siege, "");
    for (unsigned i = 0; i < 300; i++) {
        const int fd = i % 2 ? connect_zmtp() : connect_raw();
        if (i % 2 == 0)
            send_raw(fd, greeting, sizeof(greeting));
        const size_t size = next_below(sizeof(octets));
        fill(octets, size);
        send_raw(fd, octets, size);
        close(fd);
    }
    siege_end(&siege);
}

/* A frame of 2^62 octets is announced: the connection goes, and no memory with it. */
Test(garbage, frame_of_an_impossible_size_closes_the_connection)
{
    static const uint8_t large[] = {0x02, 0x40, 0, 0, 0, 0, 0, 0, 0, 'x', 'y', 'z'};

    siege_begin(&siege, "");
    const size_t before_kib = siege_memory_kib(&siege);
    for (unsigned i = 0; i < 20; i++) {
        const int fd = connect_zmtp();
        send_raw(fd, large, sizeof(large));
        cr_expect(await_close(fd));
        close(fd);
    }
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + 16 * 1024);
    siege_end(&siege);
}

/* Who connects and says nothing, or stops in the middle of the greeting, is let go after some seconds. */
Test(garbage, connections_that_never_finish_their_greeting_are_closed)
{
    int fds[100];

    siege_begin(&siege, "");
    for (size_t i = 0; i < 100; i++) {
        fds[i] = connect_raw();
        send_raw(fds[i], greeting, i % sizeof(greeting));
    }
    for (size_t i = 0; i < 100; i++) {
        cr_expect(await_close(fds[i]), "connection %zu is still open", i);
        close(fds[i]);
    }
    siege_end(&siege);
}

/* ---- ZeroMQ, but no drover ---- */

/* Frames of noise, half of them with our signature, a quarter with a known command: never more than one answer each. */
Test(garbage, in_good_frames_is_answered_once_at_most)
{
    static uint8_t octets[2000];
    const unsigned sessions = 150, messages = 20;
    struct drover_error error;
    struct peer_answers answers;

    state = 3;
    siege_begin(&siege, "");
    for (unsigned i = 0; i < sessions; i++) {
        struct peer peer;
        peer_connect(&peer, siege.rig.endpoint);
        if (i % 2)
            cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
        for (unsigned k = 0; k < messages; k++) {
            zmsg_t *message = zmsg_new();
            for (size_t frames = 1 + next_below(4); frames > 0; frames--) {
                const size_t size = next_below(sizeof(octets));
                fill(octets, size);
                if (size >= 4 && next_below(2) == 0)
                    memcpy(octets, "\xaa\xd7\x01", 3);
                if (size >= 4 && next_below(2) == 0)
                    octets[3] = (uint8_t)(1 + next_below(WIRE_COMMAND_END));
                zmsg_addmem(message, octets, size);
            }
            peer_send_frames(&peer, &message);
        }
        struct peer_answer answer;
        size_t count = 0;
        while (count <= messages && peer_receive(&peer, 1, &answer)) {
            peer_answer_done(&answer);
            count++;
        }
        cr_expect_leq(count, messages);
        peer_close(&peer);
    }
    struct peer last;
    peer_connect(&last, siege.rig.endpoint);
    cr_expect_eq(peer_hello(&last, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
    peer_fence(&last, &answers);
    cr_expect_eq(answers.count, 0);
    peer_close(&last);
    siege_end(&siege);
}

/* ---- routing ids ---- */

static bool gets_an_answer(const char *id, size_t size)
{
    struct peer peer;
    struct peer_answer answer;

    peer_connect_as(&peer, siege.rig.endpoint, id, size);
    peer_send(&peer, (struct wire_header){.command = WIRE_PING, .session = 1}, NULL, 0);
    siege_await_calls(&siege, 20);
    const bool answered = peer_receive(&peer, 100, &answer);
    if (answered)
        peer_answer_done(&answer);
    peer_close(&peer);
    return answered;
}

/* Only ids that the broker's socket makes itself are taken; another is passed over, with all that it says. */
Test(routing_id, of_the_peers_choice_gets_no_answer)
{
    char longest[255];

    memset(longest, 'x', sizeof(longest));
    siege_begin(&siege, "");
    cr_expect_not(gets_an_answer("x", 1));
    cr_expect_not(gets_an_answer("worker", 6));
    cr_expect_not(gets_an_answer("abcde", 5));
    cr_expect_not(gets_an_answer(longest, sizeof(longest)));
    cr_expect(gets_an_answer(NULL, 0));
    siege_end(&siege);
}

/* One that looks as if the broker's socket had made it is an address like any other: the second with it is mute, the
 * first goes on, and nobody has another's session by it. */
Test(routing_id, that_two_peers_choose_is_the_first_ones)
{
    static const char id[5] = {0, 'a', 'b', 'c', 'd'}, alike[5] = {'Z', 'a', 'b', 'c', 'd'};
    struct drover_error error;
    struct peer first, second, third;
    struct peer_answer answer;
    struct peer_answers answers;

    siege_begin(&siege, "");
    peer_connect_as(&first, siege.rig.endpoint, id, sizeof(id));
    cr_assert_eq(peer_hello(&first, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    peer_connect_as(&second, siege.rig.endpoint, id, sizeof(id));
    peer_send(&second, (struct wire_header){.command = WIRE_PING, .session = first.session}, NULL, 0);
    peer_connect_as(&third, siege.rig.endpoint, alike, sizeof(alike));
    peer_send(&third, (struct wire_header){.command = WIRE_BYE, .session = first.session}, NULL, 0);
    siege_await_calls(&siege, 20);
    cr_expect_not(peer_receive(&second, 100, &answer));
    peer_fence(&first, &answers); /* its session is there, and nobody has spoken for it */
    cr_expect_eq(answers.count, 0);
    peer_answers_done(&answers);
    peer_close(&first);
    peer_close(&second);
    peer_close(&third);
    siege_end(&siege);
}

/* ---- coming and going ---- */

static bool is_idle(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return service->queued == 0 && service->workers[0].in_flight == 0;
}

/* Some say HELLO, some call, none says goodbye. The calls that they leave behind are cancelled. */
Test(clients, that_connect_and_disconnect_2000_times_leave_nothing_behind)
{
    struct broker_rig_service service;
    struct drover_error error;

    siege_begin(&siege, "  slow: {interface: echo, driver: echo}\n");
    broker_rig_await_state(&siege.rig, "slow", "ready", &service);
    for (unsigned i = 0; i < 2000; i++) {
        struct peer peer;
        peer_connect(&peer, siege.rig.endpoint);
        if (i % 2)
            cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
        if (i % 20 == 1) {
            struct peer_answers answers;
            peer_send(&peer,
                      (struct wire_header){.command = WIRE_CALL,
                                           .flags = FIELD_TARGET,
                                           .call = 1,
                                           .service = {.data = "slow", .size = 4},
                                           .method = {.data = "sleep", .size = 5}},
                      "\x81\xa2ms\xcd\xea\x60", 7);
            peer_fence(&peer, &answers); /* the call is there */
            peer_answers_done(&answers);
        }
        peer_close(&peer);
    }
    broker_rig_await(&siege.rig, "slow", is_idle, NULL, &service);
    siege_end(&siege);
}
