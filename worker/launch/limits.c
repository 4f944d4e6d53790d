/* limits.c - see limits.h */
#include "worker/launch/limits.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

/* clang says it with a feature, gcc with a macro. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#define LAYER_OF(limit) ((enum layer)(LAYER_MEMORY + (limit)))
#define LAST_SECONDS 1 /* between SIGXCPU, which can be caught, and SIGKILL */

#define LIMIT(NAME, option, resource, read, value, help) \
    _Static_assert((int)LAYER_##NAME == (int)LAYER_MEMORY + (int)LIMIT_##NAME, "layers.def has another order");
#include "worker/launch/limits.def"
#undef LIMIT

/* NOLINTNEXTLINE(bugprone-branch-clone): the type of the first parameter differs between C libraries */
static bool set_limit(int resource, uint64_t value)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
        return false;
    const rlim_t hard = resource == RLIMIT_CPU ? value + LAST_SECONDS : value;
    if (hard < limit.rlim_max)
        limit.rlim_max = hard;
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* Why a limit is not worth setting; NULL when it is. */
static const char *reason_against(enum limit limit, enum layer_state *ret_state)
{
    if (limit == LIMIT_MEMORY && IS_SANITIZED) {
        *ret_state = LAYER_LEFT_OUT;
        return "built with a sanitizer, which reserves terabytes of address space";
    }
    if (limit == LIMIT_PROCESSES && getuid() == 0) {
        *ret_state = LAYER_MISSING;
        return "the kernel does not count the processes of root; give it another user";
    }
    return NULL;
}

void limits_enforce(const struct settings *settings, struct layers *layers)
{
    static const int resources[LIMITS] = {
#define LIMIT(NAME, option, resource, read, value, help) [LIMIT_##NAME] = resource,
#include "worker/launch/limits.def"
#undef LIMIT
    };

    if (set_limit(RLIMIT_CORE, 0))
        layers_note(layers, LAYER_CORE, LAYER_HELD, "0");
    else
        layers_note_failure(layers, LAYER_CORE, "setrlimit");
    for (int i = 0; i < LIMITS; i++) {
        enum layer_state state = LAYER_HELD;
        const char *reason = reason_against((enum limit)i, &state);
        if (!settings->limits[i].given)
            continue;
        if (reason != NULL)
            layers_note(layers, LAYER_OF(i), state, "%s", reason);
        else if (set_limit(resources[i], settings->limits[i].value))
            layers_note(layers, LAYER_OF(i), LAYER_HELD, "%" PRIu64, settings->limits[i].value);
        else
            layers_note_failure(layers, LAYER_OF(i), "setrlimit");
    }
}
