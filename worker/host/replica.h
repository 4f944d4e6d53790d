/* replica.h - one replica: its machine (supervise.h) tied to its process (child.h)
 *
 * Every event of a machine goes through replica_event(), which carries out what the machine asks for.
 */
#ifndef DROVER_HOST_REPLICA_H
#define DROVER_HOST_REPLICA_H

#include "worker/host/state.h"

/* Apply an event (not EXITED: see below). */
void replica_event(struct replica *replica, enum supervise_event event, uint64_t now_ms);

/* Fork, when a launch is pending and was announced. */
void replica_launch(struct replica *replica, uint64_t now_ms);

/* Its process may be dead: if so take its last output, its word and its status. */
void replica_check_death(struct replica *replica, uint64_t now_ms);

/* The core says that its driver refused the configuration. */
void replica_config_error(struct replica *replica, const char *text, uint64_t now_ms);

#endif
