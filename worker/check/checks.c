/* checks.c - see checks.h */
#include "worker/check/checks.h"

#define NOTHING CHECK_NEEDS_NOTHING
#define HELLO CHECK_NEEDS_HELLO
#define READY CHECK_NEEDS_READY

const struct check checks[] = {
#define CHECK(function, name, needs, summary) {name, needs, summary, check_##function},
#include "worker/check/checks.def"
#undef CHECK
};

const size_t check_count = sizeof(checks) / sizeof(checks[0]);
