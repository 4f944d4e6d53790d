/* reloader.h - when the configuration file is read again: by hand, by SIGHUP, or by itself
 *
 * START: reloader_init(). OPERATION: reloader_read() for `drover reload`, reloader_run() for SIGHUP, reloader_touched()
 * when the file may have changed, reloader_turn() once a turn of the loop. What then happens is the business of
 * change.h. A request by signal, or by itself, that comes while a change is under way is carried out after it; one by
 * hand is refused.
 */
#ifndef DROVER_IO_RELOADER_H
#define DROVER_IO_RELOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/io/change.h"
#include "broker/io/history.h"
#include "broker/io/lockkeeper.h"
#include "broker/io/roster.h"

/* The first four are borrowed. */
struct reloader {
    struct roster *roster; /* in force */
    struct lockkeeper *keeper;
    struct history *history;
    struct change *change;
    char seen[HOST_HASH_SIZE]; /* of the file, when it was last looked at; "" when it could not be read */
    char told[HOST_HASH_SIZE]; /* of the file, when it was last said or seen that it has changed */
    bool again;                /* it is to be read when the change that is under way has ended */
};

void reloader_init(struct reloader *reloader, struct roster *roster, struct lockkeeper *keeper, struct history *history,
                   struct change *change);

/* Read the file and begin what it says. `*ret_plan` has the mistakes, and then `*ret_number` is 0 and nothing was
 * begun; else it is empty, and change_describe() has the plan. Release it with plan_done() in any case. Errors: those
 * of plan_make() and of change_begin(). */
DROVER_MUST_CHECK enum drover_status reloader_read(struct reloader *reloader, uint64_t now_ms, struct plan *ret_plan,
                                                   uint64_t *ret_number, struct drover_error *error);

/* The same, for nobody who would be told: the log is. */
void reloader_run(struct reloader *reloader, uint64_t now_ms);

/* The file may have changed: say so once, or apply it, as the configuration has it (`broker: reload`). */
void reloader_touched(struct reloader *reloader, uint64_t now_ms);

void reloader_turn(struct reloader *reloader, uint64_t now_ms);

/* Is the file another one than what is in force? */
bool reloader_file_has_changed(const struct reloader *reloader);

#endif
