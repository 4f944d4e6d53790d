/* scan.h - a look over msgpack bytes before anything is allocated for them
 *
 * msgpack-c trusts the counts that a document declares: five octets can ask for 96 GB. The scan walks the bytes with
 * a stack of DROVER_VALUE_DEPTH_MAX counters, no recursion and no memory.
 */
#ifndef DROVER_WIRE_SCAN_H
#define DROVER_WIRE_SCAN_H

#include <stddef.h>

/* NULL when `data` is exactly one complete msgpack value within the limits; else what is wrong with it. */
const char *msgpack_scan(const void *data, size_t size);

#endif
