/* siege.c - see siege.h */
#include "tests/support/siege.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/family.h"

#define LOOK_EVERY_MS 10
#define CALLS_TO_SETTLE 50 /* whoever was there before has left by then */

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "siege: %s: %s\n", what, strerror(errno));
    abort();
}

/* Let the broker work for a moment; it must not end meanwhile. */
static void let_it_work(const struct siege *siege, const char *what)
{
    if (family_await_pidfd(siege->rig.pidfd, LOOK_EVERY_MS)) {
        char *output = broker_rig_output(&siege->rig);
        fprintf(stderr, "siege: %s: the broker has ended:\n%s\n", what, output);
        abort();
    }
}

/* ---- the broker ---- */

static size_t count_descriptors(const struct siege *siege)
{
    char path[64];
    size_t count = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)siege->rig.pid);
    DIR *folder = opendir(path);
    need(folder != NULL, path);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

size_t siege_memory_kib(const struct siege *siege)
{
    char path[64], line[256];
    size_t kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)siege->rig.pid);
    FILE *file = fopen(path, "re");
    need(file != NULL, path);
    while (kib == 0 && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "VmRSS: %zu", &kib);
    fclose(file);
    return kib;
}

/* A connection that was closed is noticed a moment later. */
static void await_descriptors(const struct siege *siege)
{
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;
    size_t count = 0;

    while ((count = count_descriptors(siege)) > siege->descriptors) {
        let_it_work(siege, "waiting for its descriptors");
        if (sys_now_ms() > until_ms) {
            fprintf(stderr, "siege: the broker has %zu descriptors, %zu at the beginning\n", count, siege->descriptors);
            abort();
        }
    }
}

/* ---- the bystander ---- */

static bool call_once(struct siege *siege, struct drover_client *client, const struct drover_request *request)
{
    struct drover_reply reply = {0};
    struct drover_error error = {0};

    if (drover_client_call(client, request, &reply, &error) != DROVER_OK) {
        snprintf(siege->trouble, sizeof(siege->trouble), "call %zu: %s: %.400s", atomic_load(&siege->calls),
                 drover_status_name(error.status), error.text);
        atomic_store(&siege->is_troubled, true);
        return false;
    }
    drover_reply_done(&reply);
    atomic_fetch_add(&siege->calls, 1);
    return true;
}

static void *stand_by(void *argument)
{
    struct siege *siege = argument;
    const struct drover_client_options options = {.broker = siege->rig.endpoint, .name = "bystander"};
    static const uint8_t body[] = {0x81, 0xa7, 'p', 'a', 'y', 'l', 'o', 'a', 'd', 0xa1, 'x'};
    const struct drover_request request = {
        .service = "echo", .method = "echo", .body = body, .body_size = sizeof(body), .deadline_ms = BYSTANDER_CALL_MS};
    struct drover_client *client = NULL;
    struct drover_error error = {0};
    bool good = drover_client_new(&options, &client, &error) == DROVER_OK;

    if (!good)
        snprintf(siege->trouble, sizeof(siege->trouble), "no client: %.400s", error.text);
    atomic_store(&siege->is_troubled, !good);
    while (good && !atomic_load(&siege->stop))
        good = call_once(siege, client, &request);
    drover_client_free(client);
    return NULL;
}

void siege_await_calls(struct siege *siege, size_t count)
{
    const size_t wanted = atomic_load(&siege->calls) + count;
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;

    while (atomic_load(&siege->calls) < wanted && !atomic_load(&siege->is_troubled) && sys_now_ms() < until_ms)
        let_it_work(siege, "while the bystander calls");
    if (atomic_load(&siege->calls) < wanted) {
        fprintf(stderr, "siege: the bystander is disturbed: %s\n", siege->trouble);
        abort();
    }
}

/* ---- begin and end ---- */

void siege_begin(struct siege *siege, const char *services)
{
    char all[2048];

    *siege = (struct siege){.introductions = -1};
    snprintf(all, sizeof(all), "  echo: {driver: echo}\n%s", services);
    broker_rig_init(&siege->rig, all);
    const char *fifo = broker_rig_path(&siege->rig, "introductions");
    need(mkfifo(fifo, 0600) == 0, fifo);
    siege->introductions = open(fifo, O_RDWR | O_CLOEXEC);
    need(siege->introductions >= 0, fifo);
    broker_rig_start(&siege->rig);
    struct broker_rig_service service;
    broker_rig_await_state(&siege->rig, "echo", "ready", &service);
    need(pthread_create(&siege->bystander, NULL, stand_by, siege) == 0, "no thread");
    siege_await_calls(siege, CALLS_TO_SETTLE);
    siege->descriptors = count_descriptors(siege);
}

void siege_end(struct siege *siege)
{
    siege_await_calls(siege, 3);
    atomic_store(&siege->stop, true);
    pthread_join(siege->bystander, NULL);
    siege->descriptors--; /* the bystander's own */
    await_descriptors(siege);
    close(siege->introductions);
    broker_rig_done(&siege->rig);
}

/* ---- raw workers ---- */

static void read_line(int fd, char *line, size_t size)
{
    struct pollfd end = {.fd = fd, .events = POLLIN};
    size_t used = 0;

    do {
        need(used + 1 < size && poll(&end, 1, BROKER_RIG_PATIENCE_MS) == 1 && read(fd, line + used, 1) == 1,
             "no worker has introduced itself");
    } while (line[used++] != '\n');
    line[used - 1] = '\0';
}

void raw_worker_await(struct siege *siege, struct raw_worker *ret)
{
    char line[256], path[64];
    int pid = 0, number = -1;

    *ret = (struct raw_worker){0};
    read_line(siege->introductions, line, sizeof(line));
    need(sscanf(line, "%d %d %127s", &pid, &number, ret->endpoint) == 3, line);
    ret->pid = pid;
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, number);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    need(fd >= 0, path);
    ret->page = mmap(NULL, STARTWORD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    need(ret->page != MAP_FAILED && ret->page->magic == STARTWORD_MAGIC, "the page of a worker");
    ret->siege = siege;
    peer_connect(&ret->peer, ret->endpoint);
}

void raw_worker_serve(struct raw_worker *worker)
{
    struct drover_error error = {0};

    if (peer_hello(&worker->peer, WIRE_ROLE_WORKER, worker->page->token, "raw", &error) != WIRE_WELCOME) {
        fprintf(stderr, "siege: a worker is not welcome: %s\n", error.text);
        abort();
    }
    peer_send(&worker->peer, (struct wire_header){.command = WIRE_READY}, NULL, 0);
    if (worker->siege->is_tested)
        return;
    worker->siege->is_tested = true; /* the first worker of a generation is asked whether it answers: it does */
    peer_send(&worker->peer, (struct wire_header){.command = WIRE_REPLY, .call = raw_worker_take(worker)}, "\x80", 1);
}

uint64_t raw_worker_take(struct raw_worker *worker)
{
    struct peer_answer answer;

    need(peer_receive(&worker->peer, PEER_PATIENCE_MS, &answer) && answer.header.command == WIRE_CALL,
         "a CALL was to come");
    const uint64_t call = answer.header.call;
    peer_answer_done(&answer);
    need(startword_begin(worker->page), "the start word is closed");
    return call;
}

void raw_worker_done(struct raw_worker *worker)
{
    peer_close(&worker->peer);
    munmap(worker->page, STARTWORD_PAGE_SIZE);
}
