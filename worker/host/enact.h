/* enact.h - what the rollout machine says is to be done is done */
#ifndef DROVER_HOST_ENACT_H
#define DROVER_HOST_ENACT_H

#include "worker/host/state.h"

/* Carry out what has come of an event. */
void enact(struct service *service, const struct rollout_output *output, enum rollout_event event, uint64_t now_ms);

#endif
