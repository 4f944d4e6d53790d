/* generation.h - which workers of a service are given calls, and how those of each generation do */
#ifndef DROVER_CORE_GENERATION_H
#define DROVER_CORE_GENERATION_H

#include "broker/core/state.h"

/* A call that the worker had ended; `lost`: nobody knows what became of it. */
void generation_count(const struct worker *worker, bool lost);

#endif
