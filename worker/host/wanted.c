/* wanted.c - what is wanted of a service: a copy of what the host was told */
#include "worker/host/wanted.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "worker/host/question.h"

/* Where the texts are. */
static const size_t service_texts[] = {
    offsetof(struct host_service, name),     offsetof(struct host_service, interface),
    offsetof(struct host_service, driver),   offsetof(struct host_service, kind),
    offsetof(struct host_service, program),  offsetof(struct host_service, builtin),
    offsetof(struct host_service, artefact), offsetof(struct host_service, directory),
    offsetof(struct host_service, folder),
};
static const size_t origin_texts[] = {
    offsetof(struct host_origin, path),          offsetof(struct host_origin, pin),
    offsetof(struct host_origin, settings_name), offsetof(struct host_origin, url),
    offsetof(struct host_origin, ref),           offsetof(struct host_origin, subdir),
    offsetof(struct host_origin, commit),        offsetof(struct host_origin, content),
    offsetof(struct host_origin, grants),        offsetof(struct host_origin, policy),
    offsetof(struct host_origin, obstacle),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char **text_at(const void *base, size_t offset)
{
    return (const char **)((uintptr_t)base + offset);
}

/* Replace each borrowed text by a copy. After a failure the rest is NULL, so that all can be released. */
static bool copy_texts(void *base, const size_t *offsets, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        const char **text = text_at(base, offsets[i]);
        const bool there = *text != NULL;
        *text = there && good ? strdup(*text) : NULL;
        good = good && (!there || *text != NULL);
    }
    return good;
}

static void free_texts(void *base, const size_t *offsets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)*text_at(base, offsets[i]));
}

static const char *const *copy_words(const char *const *words, bool *good)
{
    size_t count = 0;
    while (words != NULL && words[count] != NULL)
        count++;
    char **copy = words != NULL && *good ? calloc(count + 1, sizeof(*copy)) : NULL;
    *good = *good && (words == NULL || copy != NULL);
    for (size_t i = 0; copy != NULL && *good && i < count; i++)
        *good = (copy[i] = strdup(words[i])) != NULL;
    return (const char *const *)copy;
}

static void free_words(const char *const *words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free((char *)(uintptr_t)words[i]);
    free((void *)(uintptr_t)words);
}

/* What is granted to the workers. */
static bool copy_sandbox(struct wanted *wanted, const struct launch_sandbox *sandbox)
{
    bool good = true;
    wanted->sandbox = *sandbox;
    wanted->service.sandbox = &wanted->sandbox;
    wanted->sandbox.user = sandbox->user != NULL ? strdup(sandbox->user) : NULL;
    wanted->sandbox.read = copy_words(sandbox->read, &good);
    wanted->sandbox.write = copy_words(sandbox->write, &good);
    return good && (sandbox->user == NULL || wanted->sandbox.user != NULL);
}

/* What the workers are given, and asked. */
static bool copy_settings(struct wanted *wanted, const struct host_service *service)
{
    const bool good = question_copy(&wanted->service.self_test, &service->self_test);
    const bool has_settings = service->settings != NULL;
    void *settings = has_settings ? malloc(service->settings_size + 1) : NULL;
    wanted->service.settings = settings;
    if (settings != NULL)
        memcpy(settings, service->settings, service->settings_size);
    return good && (!has_settings || settings != NULL);
}

struct wanted *wanted_new(const struct host_service *service)
{
    struct wanted *wanted = calloc(1, sizeof(*wanted));
    if (wanted == NULL)
        return NULL;
    wanted->references = 1;
    wanted->service = *service;
    bool good = copy_settings(wanted, service); /* before anything can fail: it takes borrowed pointers away */
    good = copy_texts(&wanted->service, service_texts, COUNT(service_texts)) && good;
    if (service->origin != NULL) {
        wanted->origin = *service->origin;
        wanted->service.origin = &wanted->origin;
        good = copy_texts(&wanted->origin, origin_texts, COUNT(origin_texts)) && good;
        wanted->origin.fetch = copy_words(service->origin->fetch, &good);
        wanted->origin.built = copy_words(service->origin->built, &good);
    }
    if (service->sandbox != NULL)
        good = copy_sandbox(wanted, service->sandbox) && good;
    return good ? wanted : wanted_unref(wanted);
}

/* --- what makes a difference --------------------------------------------------------------------------------------
 */

/* Each part is hashed with its length, so that none can be taken for another. */
static void add(crypto_hash_sha256_state *state, const void *data, size_t size)
{
    const uint64_t length = data != NULL ? size : UINT64_MAX;
    crypto_hash_sha256_update(state, (const unsigned char *)&length, sizeof(length));
    if (data != NULL)
        crypto_hash_sha256_update(state, data, size);
}

static void add_text(crypto_hash_sha256_state *state, const char *text)
{
    add(state, text, text != NULL ? strlen(text) : 0);
}

static void add_words(crypto_hash_sha256_state *state, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++)
        add_text(state, *words);
    add(state, NULL, 0);
}

static void add_sandbox(crypto_hash_sha256_state *state, const struct launch_sandbox *sandbox)
{
    const uint64_t numbers[] = {(uint64_t)sandbox->policy, (uint64_t)sandbox->network, sandbox->memory_bytes,
                                sandbox->cpus, sandbox->foreign};
    add(state, numbers, sizeof(numbers));
    add_text(state, sandbox->user);
    add_words(state, sandbox->read);
    add_words(state, sandbox->write);
}

static void add_service(crypto_hash_sha256_state *state, const struct host_service *service)
{
    const char *const texts[] = {service->interface, service->driver,    service->kind,  service->program,
                                 service->builtin,   service->directory, service->folder};
    const uint64_t replicas = service->replicas;
    for (size_t i = 0; i < COUNT(texts); i++)
        add_text(state, texts[i]);
    add(state, &replicas, sizeof(replicas));
}

static struct rollout_hash hash(const struct wanted *wanted, bool with_settings)
{
    crypto_hash_sha256_state state;
    struct rollout_hash result;
    crypto_hash_sha256_init(&state);
    add_service(&state, &wanted->service);
    if (wanted->service.sandbox != NULL)
        add_sandbox(&state, &wanted->sandbox);
    if (with_settings)
        add(&state, wanted->service.settings, wanted->service.settings_size);
    crypto_hash_sha256_final(&state, result.octets);
    return result;
}

struct rollout_hash wanted_configuration(const struct wanted *wanted)
{
    return hash(wanted, true);
}

bool wanted_fits(const struct wanted *wanted, const struct rollout_version *version)
{
    const struct rollout_hash configuration = wanted_configuration(wanted);
    const char *pin = wanted->service.origin != NULL ? wanted->origin.pin : NULL;
    char artefact[ROLLOUT_HASH_TEXT_SIZE];
    return rollout_hash_equal(&version->configuration, &configuration) &&
           (pin == NULL || strcmp(pin, rollout_hash_text(&version->artefact, artefact)) == 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_words(const char *const *a, const char *const *b)
{
    size_t i = 0;
    if (a == NULL || b == NULL)
        return a == b;
    while (a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0)
        i++;
    return a[i] == b[i]; /* both at their end */
}

bool wanted_same_origin(const struct wanted *a, const struct wanted *b)
{
    const struct host_origin *first = a->service.origin, *second = b->service.origin;
    if (first == NULL || second == NULL)
        return first == second;
    for (size_t i = 0; i < COUNT(origin_texts); i++)
        if (!same_text(*text_at(&a->origin, origin_texts[i]), *text_at(&b->origin, origin_texts[i])))
            return false;
    return first->kind == second->kind && first->locked == second->locked && first->offline == second->offline &&
           same_words(first->fetch, second->fetch) && same_words(first->built, second->built);
}

bool wanted_differ_in_settings_only(const struct wanted *a, const struct wanted *b)
{
    const struct rollout_hash first = hash(a, false), second = hash(b, false);
    const struct rollout_hash whole = hash(a, true), other = hash(b, true);
    return wanted_same_origin(a, b) && rollout_hash_equal(&first, &second) && !rollout_hash_equal(&whole, &other);
}

struct wanted *wanted_ref(struct wanted *wanted)
{
    wanted->references++;
    return wanted;
}

struct wanted *wanted_unref(struct wanted *wanted)
{
    if (wanted == NULL || --wanted->references > 0)
        return NULL;
    free_texts(&wanted->service, service_texts, COUNT(service_texts));
    free_texts(&wanted->origin, origin_texts, COUNT(origin_texts));
    free_words(wanted->origin.fetch);
    free_words(wanted->origin.built);
    free((char *)(uintptr_t)wanted->sandbox.user);
    free((void *)(uintptr_t)wanted->service.settings);
    question_done(&wanted->service.self_test);
    free_words(wanted->sandbox.read);
    free_words(wanted->sandbox.write);
    free(wanted);
    return NULL;
}
