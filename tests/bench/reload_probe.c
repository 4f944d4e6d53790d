/* reload_probe.c - replaces a driver's file again and again, and says how long it takes until the new one answers
 *
 *   reload_probe SERVICE PATH ROUNDS FILE...      broker: $DROVER_BROKER
 *
 * The FILEs are put into PATH in turns, by open, write and close. For each round a line is printed: from the close to
 * the first answer of the new generation, then its parts as the broker's events tell them: until the change was
 * noticed, read and stored or built, its worker ready, tested, the switch, the answer; in ms. Events are told in whole
 * ms of the wall clock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <drover/client.h>

#define PACE_MS 1
#define PATIENCE_MS 60000
#define ASK_MS 5000

/* What a new generation goes through. */
enum step { CHANGED, STARTED, READY, TESTED, SWITCHED, STEPS };
static const char *const steps[STEPS] = {"changed", "started", "ready", "tested", "switched"};

struct probe {
    struct drover_client *client;
    const char *service, *path;
    uint64_t generation; /* that answered last */
    uint64_t serial;     /* of the last event that was read */
    double steps_ms[STEPS];
};

/* An answer and its values. */
struct answer {
    struct drover_reply reply;
    struct drover_document *document;
    const struct drover_value *root;
};

static _Noreturn void give_up(const char *format, ...)
{
    va_list arguments;

    fputs("reload_probe: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static double wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

/* Other programs get the processor meanwhile; there is no descriptor to wait for. */
static void let_others_run(void)
{
    struct pollfd none = {.fd = -1};

    (void)poll(&none, 1, PACE_MS);
}

static void forget(struct answer *answer)
{
    drover_document_free(answer->document);
    drover_reply_done(&answer->reply);
    *answer = (struct answer){0};
}

static void read_answer(struct answer *answer, const char *what)
{
    struct drover_error error = {0};

    if (drover_document_parse(answer->reply.body, answer->reply.body_size, &answer->document, &error) != DROVER_OK)
        give_up("%s: %s", what, error.text);
    answer->root = drover_document_root(answer->document);
}

static uint64_t number_of(const struct drover_value *map, const char *key)
{
    uint64_t number = 0;

    (void)drover_value_uint64(drover_value_get(map, key), &number);
    return number;
}

/* A question to the broker, with one number in it, or none. */
static void ask(struct probe *probe, const char *verb, const char *key, uint64_t number, struct answer *ret)
{
    struct drover_writer *body = drover_writer_new();
    struct drover_error error = {0};

    *ret = (struct answer){0};
    drover_write_map(body, key != NULL ? 1 : 0);
    if (key != NULL) {
        drover_write_string(body, key);
        drover_write_uint64(body, number);
    }
    if (drover_client_admin(probe->client, verb, drover_writer_data(body), drover_writer_size(body), ASK_MS,
                            &ret->reply, &error) != DROVER_OK)
        give_up("%s: %s", verb, error.text);
    drover_writer_free(body);
    read_answer(ret, verb);
}

/* ---- a round ---- */

static void put(const char *path, const char *from)
{
    static char octets[1 << 22];
    const int in = open(from, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    const ssize_t size = in < 0 || out < 0 ? -1 : read(in, octets, sizeof(octets));

    if (size <= 0 || write(out, octets, (size_t)size) != size || close(out) != 0)
        give_up("%s: %s", path, strerror(errno));
    close(in);
}

/* The generation that answers a call now. */
static uint64_t call(struct probe *probe)
{
    const struct drover_request request = {.service = probe->service, .method = "whoami", .deadline_ms = ASK_MS};
    struct answer answer = {0};
    struct drover_error error = {0};

    if (drover_client_call(probe->client, &request, &answer.reply, &error) != DROVER_OK)
        give_up("%s.whoami: %s", probe->service, error.text);
    read_answer(&answer, "whoami");
    const uint64_t generation = number_of(answer.root, "generation");
    forget(&answer);
    return generation;
}

static double call_until_replaced(struct probe *probe)
{
    const double until_ms = wall_ms() + PATIENCE_MS;
    const uint64_t before = probe->generation;

    while ((probe->generation = call(probe)) == before) {
        if (wall_ms() > until_ms)
            give_up("%s: generation %" PRIu64 " is not replaced", probe->service, before);
        let_others_run();
    }
    return wall_ms();
}

static bool is_text(const struct drover_value *map, const char *key, const char *text)
{
    return drover_text_equals(drover_value_get_text(map, key, ""), text);
}

/* The latest of each kind since the last round; what was noticed has no generation yet. */
static void read_events(struct probe *probe)
{
    struct answer answer;

    ask(probe, "events", "after", probe->serial, &answer);
    const struct drover_value *events = drover_value_get(answer.root, "events");
    for (size_t i = 0; i < drover_value_count(events); i++) {
        const struct drover_value *event = drover_value_at(events, i);
        for (size_t step = 0; step < STEPS; step++)
            if (is_text(event, "service", probe->service) && is_text(event, "what", steps[step]))
                probe->steps_ms[step] = (double)number_of(event, "time_ms");
    }
    probe->serial = number_of(answer.root, "next");
    forget(&answer);
}

/* Only what serves is left, and nothing is under way. */
static bool is_at_rest(const struct drover_value *status, const char *name)
{
    const struct drover_value *services = drover_value_get(status, "services");

    for (size_t i = 0; i < drover_value_count(services); i++) {
        const struct drover_value *service = drover_value_at(services, i);
        if (is_text(service, "name", name))
            return is_text(drover_value_get(service, "rollout"), "state", "serving") &&
                   drover_value_count(drover_value_get(service, "workers")) == 1;
    }
    return false;
}

static void await_rest(struct probe *probe)
{
    const double until_ms = wall_ms() + PATIENCE_MS;
    bool done = false;

    while (!done) {
        struct answer answer;
        ask(probe, "status", NULL, 0, &answer);
        done = is_at_rest(answer.root, probe->service);
        forget(&answer);
        if (!done && wall_ms() > until_ms)
            give_up("%s does not come to rest", probe->service);
        let_others_run();
    }
}

static void run_round(struct probe *probe, const char *file)
{
    put(probe->path, file);
    const double closed_ms = wall_ms(), answered_ms = call_until_replaced(probe);
    double before_ms = closed_ms;

    read_events(probe);
    printf("%.2f", answered_ms - closed_ms);
    for (size_t step = 0; step < STEPS; step++) {
        printf(" %.2f", probe->steps_ms[step] - before_ms);
        before_ms = probe->steps_ms[step];
    }
    printf(" %.2f\n", answered_ms - before_ms);
    await_rest(probe);
}

int main(int argc, char **argv)
{
    const struct drover_client_options options = {.name = "probe", .admin = true};
    struct probe probe = {0};
    struct drover_error error = {0};

    if (argc < 5)
        give_up("usage: reload_probe SERVICE PATH ROUNDS FILE...");
    probe.service = argv[1];
    probe.path = argv[2];
    if (drover_client_new(&options, &probe.client, &error) != DROVER_OK)
        give_up("no client: %s", error.text);
    await_rest(&probe);
    probe.generation = call(&probe);
    read_events(&probe);
    for (unsigned long i = 0, rounds = strtoul(argv[3], NULL, 10); i < rounds; i++)
        run_round(&probe, argv[4 + i % (unsigned long)(argc - 4)]);
    drover_client_free(probe.client);
    return 0;
}
