/* node.h - a YAML file as a tree that remembers where each value stands
 *
 * Invariants: a list's and a map's children hang on `child` in the order of the file; a map's children each have a
 * `key`, whose text is not empty unless it was quoted. What YAML offers beyond scalars, lists and maps with scalar keys
 * (anchors, aliases, tags, further documents) is a mistake in the report, and a BROKEN node in the tree.
 */
#ifndef DROVER_CONFIG_NODE_H
#define DROVER_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/report.h"

/* Deeper nesting is refused; keeps settings below what drover_document_parse() takes. */
#define NODE_DEPTH_MAX 28

enum node_kind {
    NODE_SCALAR,
    NODE_LIST,
    NODE_MAP,
    NODE_BROKEN, /* its mistake is in the report already */
};

struct node {
    enum node_kind kind;
    struct place place;
    char *text; /* of a scalar: always ended by NUL, may hold others */
    size_t size;
    bool quoted; /* not a plain scalar: a string whatever it looks like */
    bool secret; /* brought in by ${env:} or ${file:}: a string too, and never to be shown */
    struct node *key;
    struct node *child, *last_child;
    struct node *next;
    size_t count; /* of children */
};

/* Parse a file. NULL when it holds nothing, or cannot be read on: then the report says why. */
struct node *node_parse(const char *text, size_t size, struct report *report);

/* NULL is allowed. Returns NULL. */
struct node *node_free(struct node *node);

/* The value under `name` of a map (the first); NULL when there is none or `map` is no map. */
const struct node *node_get(const struct node *map, const char *name);

/* Is it an empty plain scalar, or one of the words for null? */
bool node_is_null(const struct node *node);

/* Is the scalar's text `word`? */
bool node_is(const struct node *node, const char *word);

#endif
