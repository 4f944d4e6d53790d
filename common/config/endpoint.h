/* endpoint.h - what the broker may listen on */
#ifndef DROVER_CONFIG_ENDPOINT_H
#define DROVER_CONFIG_ENDPOINT_H

/* NULL when `endpoint` is an ipc:// path or a tcp:// address of loopback that can be bound; else what is wrong, and the
 * way out. */
const char *endpoint_mistake(const char *endpoint);

#endif
