/* principal.h - who a connection belongs to: the unit of fairness, and of the right to administer */
#ifndef DROVER_CORE_PRINCIPAL_H
#define DROVER_CORE_PRINCIPAL_H

#include "broker/core/state.h"

/* The uid of a local peer with the address "localhost:uid:gid:pid". False when the address is of another form, or
 * NULL. */
bool principal_uid(const char *address, uint64_t *ret_uid);

/* The principal of a connection: "uid:pid" of a local process, else (also when its pid is 0: it is of another pid
 * namespace) the connection itself. NULL: no memory. */
struct principal *principal_get(struct core *core, const char *address, uint64_t peer);

/* Free a principal that nothing refers to any more. NULL is allowed. */
void principal_release(struct core *core, struct principal *principal);

#endif
