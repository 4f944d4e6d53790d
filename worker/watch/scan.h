/* scan.h - reads one folder of a tree */
#ifndef DROVER_WATCH_SCAN_H
#define DROVER_WATCH_SCAN_H

#include "worker/watch/tree.h"

/* Compute the print of `node`, and make its children those folders that are in it now; new ones are fresh.
 * `entries` is advanced by how many there are. False when there is no memory or no descriptor. */
bool scan_node(struct tree *tree, struct node *node, size_t *entries);

#endif
