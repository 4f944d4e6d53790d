/* wanted.c - what is wanted of a service: a copy of what the host was told */
#include "worker/host/wanted.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

static const char **text_at(void *base, size_t offset)
{
    return (const char **)(void *)((char *)base + offset);
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

struct wanted *wanted_new(const struct host_service *service)
{
    struct wanted *wanted = calloc(1, sizeof(*wanted));
    if (wanted == NULL)
        return NULL;
    wanted->references = 1;
    wanted->service = *service;
    bool good = copy_texts(&wanted->service, service_texts, COUNT(service_texts));
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
    free_words(wanted->sandbox.read);
    free_words(wanted->sandbox.write);
    free(wanted);
    return NULL;
}
