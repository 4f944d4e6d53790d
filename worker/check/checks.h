/* checks.h - the checks as a table, made of checks.def */
#ifndef DROVER_CHECK_CHECKS_H
#define DROVER_CHECK_CHECKS_H

#include <stddef.h>

#include "worker/check/stage.h"

enum check_needs { CHECK_NEEDS_NOTHING, CHECK_NEEDS_HELLO, CHECK_NEEDS_READY };

struct check {
    const char *name;
    enum check_needs needs;
    const char *summary;
    /* Look, and fill in the finding; what is returned says nothing more. A check that needs a driver that is READY has
     * one. */
    bool (*run)(struct stage *stage, struct finding *finding);
};

extern const struct check checks[];
extern const size_t check_count;

/* The functions of the table: one group a file. */
#define CHECK(function, name, needs, summary) bool check_##function(struct stage *stage, struct finding *finding);
#include "worker/check/checks.def"
#undef CHECK

/* The interface that is wanted; NULL: any. */
extern const char *check_wanted_interface;

#endif
