/* layers.h - which layers of the sandbox took hold, and the line that tells it
 *
 * A layer that nobody asked for stays LAYER_UNUSED and is not told.
 */
#ifndef DROVER_LAUNCH_LAYERS_H
#define DROVER_LAUNCH_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>

#include "worker/launch/profile.h"

#define LAYER_TEXT_SIZE 96
#define LAYERS_ABSENT_MAX 64
#define LAYERS_SUMMARY_SIZE 240
#define LAYERS_REPORT_SIZE 4096 /* what a pipe takes at once */

enum layer {
#define LAYER(NAME, name, insisted, word) LAYER_##NAME,
#include "worker/launch/layers.def"
#undef LAYER
    LAYERS
};

enum layer_state {
    LAYER_UNUSED,
    LAYER_HELD,
    LAYER_MISSING,  /* wanted, and the system did not give it */
    LAYER_LEFT_OUT, /* wanted, and left out on purpose: no reason to refuse */
    LAYER_STATES
};

struct layers {
    struct {
        enum layer_state state;
        char text[LAYER_TEXT_SIZE]; /* what holds, or why it does not */
    } of[LAYERS];
    unsigned landlock_abi;                 /* 0: none */
    const char *absent[LAYERS_ABSENT_MAX]; /* granted paths that do not exist; borrowed */
    size_t absent_count;
};

/* Note what became of a layer; the text is cut to LAYER_TEXT_SIZE. */
void layers_note(struct layers *layers, enum layer layer, enum layer_state state, const char *format, ...)
    DROVER_PRINTF(4, 5);

/* Note LAYER_MISSING for what failed with errno, and leave errno alone. */
void layers_note_failure(struct layers *layers, enum layer layer, const char *what);

/* Note a granted path that does not exist. Beyond LAYERS_ABSENT_MAX they are forgotten. */
void layers_note_absent(struct layers *layers, const char *path);

/* Does what took hold suffice for the policy? Errors: FAILED_PRECONDITION, naming every layer that is missing. */
DROVER_MUST_CHECK enum drover_status layers_check(const struct layers *layers, enum sandbox_policy policy,
                                                  struct drover_error *error);

/* For a person: the words of what holds, then the names of what does not, as "user landlock seccomp limits, without
 * namespaces"; "off" for that policy. */
void layers_summarise(const struct layers *layers, enum sandbox_policy policy, char ret_text[LAYERS_SUMMARY_SIZE]);

/* The report, one line of JSON with LF and NUL: {"summary": ..., "policy": ..., "landlock_abi": 7, "held": {name:
 * what}, "missing": {name: why}, "left_out": {name: why}, "absent": [path]}. Returns its length; absent paths that do
 * not fit are left out. */
size_t layers_report(const struct layers *layers, enum sandbox_policy policy, char ret_line[LAYERS_REPORT_SIZE]);

/* The report of a launch that failed: {"status": "DATA_LOSS", "error": text}. Returns its length. */
size_t layers_report_error(enum drover_status status, const char *text, char ret_line[LAYERS_REPORT_SIZE]);

#endif
