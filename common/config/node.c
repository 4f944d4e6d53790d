/* node.c - builds the tree from libyaml's events
 *
 * Who calls it: config_parse(). OPERATION: load() turns the next event into a node and calls itself for collections;
 * it returns NULL at the end of a collection, or when `stopped` is set because nothing further can be read.
 *
 * Source: YAML 1.2.2, https://yaml.org/spec/1.2.2/
 */
#include "common/config/node.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct loader {
    yaml_parser_t parser;
    struct report *report;
    const char *text;
    size_t size;
    bool stopped;
};

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* Line and column of a byte: the reader's errors have no mark. */
static struct place place_of_offset(const struct loader *loader, size_t offset)
{
    struct place place = {1, 1};
    for (size_t i = 0; i < offset && i < loader->size; i++) {
        if (loader->text[i] == '\n')
            place = (struct place){place.line + 1, 1};
        else if (((unsigned char)loader->text[i] & 0xC0) != 0x80)
            place.column++;
    }
    return place;
}

static void report_syntax(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    loader->stopped = true;
    if (parser->error == YAML_MEMORY_ERROR)
        loader->report->no_memory = true;
    else if (parser->error == YAML_READER_ERROR)
        report_mistake(loader->report, place_of_offset(loader, parser->problem_offset),
                       "the file is not plain UTF-8 text: %s", parser->problem);
    else if (parser->context)
        report_mistake(loader->report, place_of(parser->problem_mark), "not valid YAML: %s (%s, line %zu)",
                       parser->problem, parser->context, parser->context_mark.line + 1);
    else
        report_mistake(loader->report, place_of(parser->problem_mark), "not valid YAML: %s", parser->problem);
}

static bool next_event(struct loader *loader, yaml_event_t *event)
{
    if (yaml_parser_parse(&loader->parser, event))
        return true;
    report_syntax(loader);
    return false;
}

static struct node *node_new(struct loader *loader, enum node_kind kind, const yaml_event_t *event)
{
    struct node *node = calloc(1, sizeof *node);
    if (!node) {
        loader->report->no_memory = true;
        loader->stopped = true;
        return NULL;
    }
    node->kind = kind;
    node->place = place_of(event->start_mark);
    return node;
}

struct node *node_free(struct node *node)
{
    if (!node)
        return NULL;
    for (struct node *child = node->child; child;) {
        struct node *next = child->next;
        node_free(child);
        child = next;
    }
    node_free(node->key);
    free(node->text);
    free(node);
    return NULL;
}

static void append_child(struct node *parent, struct node *child)
{
    if (parent->last_child)
        parent->last_child->next = child;
    else
        parent->child = child;
    parent->last_child = child;
    parent->count++;
}

/* Anchors and tags: what may stand before a value. Returns false when there was one. */
static bool refuse_properties(struct loader *loader, const yaml_event_t *event, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    char quote[REPORT_QUOTE_SIZE];
    if (anchor)
        report_mistake(loader->report, place_of(event->start_mark),
                       "anchor '&%s': anchors are not allowed here (write the value where it is needed)",
                       report_quote((const char *)anchor, strlen((const char *)anchor), quote));
    if (tag)
        report_mistake(loader->report, place_of(event->start_mark),
                       "tag '%s': tags are not allowed here (quote a value to make it a string)",
                       report_quote((const char *)tag, strlen((const char *)tag), quote));
    return !anchor && !tag;
}

static struct node *load_alias(struct loader *loader, const yaml_event_t *event)
{
    char quote[REPORT_QUOTE_SIZE];
    const char *name = (const char *)event->data.alias.anchor;
    report_mistake(loader->report, place_of(event->start_mark),
                   "alias '*%s': aliases are not allowed here (write the value where it is needed)",
                   report_quote(name, strlen(name), quote));
    return node_new(loader, NODE_BROKEN, event);
}

static struct node *load_scalar(struct loader *loader, const yaml_event_t *event)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!tag && !quoted && !event->data.scalar.plain_implicit)
        tag = (const yaml_char_t *)"!"; /* the non-specific tag arrives as a flag only */
    bool plain = refuse_properties(loader, event, event->data.scalar.anchor, tag);
    struct node *node = node_new(loader, plain ? NODE_SCALAR : NODE_BROKEN, event);
    if (!node)
        return NULL;
    node->size = event->data.scalar.length;
    node->quoted = quoted;
    node->text = calloc(1, node->size + 1);
    if (!node->text) {
        loader->report->no_memory = true;
        loader->stopped = true;
        return node_free(node);
    }
    memcpy(node->text, event->data.scalar.value, node->size);
    return node;
}

static struct node *load(struct loader *loader, unsigned depth);

static bool load_list(struct loader *loader, struct node *list, unsigned depth)
{
    struct node *item;
    while ((item = load(loader, depth)))
        append_child(list, item);
    return !loader->stopped;
}

/* May `key` be a key? Says why not. */
static bool check_key(struct loader *loader, const struct node *key)
{
    if (key->kind == NODE_SCALAR && (key->size > 0 || key->quoted))
        return true;
    if (key->kind == NODE_SCALAR)
        report_mistake(loader->report, key->place, "a key is missing before ':'");
    else if (key->kind != NODE_BROKEN)
        report_mistake(loader->report, key->place, "a key must be a word, not a list or a map");
    return false;
}

/* A key, to be sorted. */
struct sorted_key {
    const struct node *node;
};

static int compare_texts(const struct node *a, const struct node *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(a->text, b->text, a->size);
}

static int compare_keys(const void *a, const void *b)
{
    const struct node *left = ((const struct sorted_key *)a)->node, *right = ((const struct sorted_key *)b)->node;
    int order = compare_texts(left, right);
    if (order != 0)
        return order;
    if (left->place.line != right->place.line)
        return left->place.line < right->place.line ? -1 : 1;
    return left->place.column < right->place.column ? -1 : 1;
}

/* Sorted, not compared pair by pair: a map may have as many keys as the file has room for. */
static void refuse_duplicates(struct loader *loader, const struct node *map)
{
    if (map->count < 2)
        return;
    struct sorted_key *keys = calloc(map->count, sizeof *keys);
    if (!keys) {
        loader->report->no_memory = true;
        return;
    }
    size_t count = 0;
    for (const struct node *child = map->child; child; child = child->next)
        keys[count++].node = child->key;
    qsort(keys, count, sizeof *keys, compare_keys);
    char quote[REPORT_QUOTE_SIZE];
    for (size_t i = 1; i < count; i++) {
        const struct node *first = keys[i - 1].node, *second = keys[i].node;
        if (compare_texts(first, second) == 0)
            report_mistake(loader->report, second->place,
                           "key '%s': stands here for the second time (the first is at line %u)",
                           report_quote(second->text, second->size, quote), first->place.line);
    }
    free(keys);
}

static bool load_map(struct loader *loader, struct node *map, unsigned depth)
{
    struct node *key;
    while ((key = load(loader, depth))) {
        struct node *value = load(loader, depth);
        if (!value) {
            node_free(key);
            return false;
        }
        if (check_key(loader, key)) {
            value->key = key;
            append_child(map, value);
        } else {
            node_free(key);
            node_free(value);
        }
    }
    if (!loader->stopped)
        refuse_duplicates(loader, map);
    return !loader->stopped;
}

static struct node *load_collection(struct loader *loader, const yaml_event_t *event, unsigned depth)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (depth >= NODE_DEPTH_MAX) {
        report_mistake(loader->report, place_of(event->start_mark), "lists and maps are nested deeper than %d levels",
                       NODE_DEPTH_MAX);
        loader->stopped = true;
        return NULL;
    }
    refuse_properties(loader, event, anchor, tag);
    struct node *node = node_new(loader, is_map ? NODE_MAP : NODE_LIST, event);
    if (!node)
        return NULL;
    bool complete = is_map ? load_map(loader, node, depth + 1) : load_list(loader, node, depth + 1);
    return complete ? node : node_free(node);
}

/* The next value, or NULL at the end of the collection (or the document's absence) and when stopped. */
static struct node *load(struct loader *loader, unsigned depth)
{
    yaml_event_t event;
    struct node *node = NULL;
    if (!next_event(loader, &event))
        return NULL;
    if (event.type == YAML_SCALAR_EVENT)
        node = load_scalar(loader, &event);
    else if (event.type == YAML_ALIAS_EVENT)
        node = load_alias(loader, &event);
    else if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
        node = load_collection(loader, &event, depth);
    yaml_event_delete(&event);
    return node;
}

/* Take one event and tell whether it is of `type`; `*ret_place` is where it stands. */
static bool expect(struct loader *loader, yaml_event_type_t type, struct place *ret_place)
{
    yaml_event_t event;
    if (!next_event(loader, &event))
        return false;
    bool matches = event.type == type;
    *ret_place = place_of(event.start_mark);
    yaml_event_delete(&event);
    return matches;
}

static struct node *load_stream(struct loader *loader)
{
    struct place place;
    if (!expect(loader, YAML_STREAM_START_EVENT, &place) || !expect(loader, YAML_DOCUMENT_START_EVENT, &place))
        return NULL;
    struct node *root = load(loader, 0);
    if (!root)
        return NULL;
    if (expect(loader, YAML_DOCUMENT_END_EVENT, &place) && !expect(loader, YAML_STREAM_END_EVENT, &place) &&
        !loader->stopped)
        report_mistake(loader->report, place, "a second document begins here: a file holds one configuration");
    return loader->stopped ? node_free(root) : root;
}

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

struct node *node_parse(const char *text, size_t size, struct report *report)
{
    /* libyaml counts it as a column, and then takes the first key for indented. */
    if (size >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
        text += 3;
        size -= 3;
    }
    struct loader loader = {.report = report, .text = text, .size = size};
    if (!yaml_parser_initialize(&loader.parser)) {
        report->no_memory = true;
        return NULL;
    }
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)text, size);
    /* Said beforehand, or the first bytes could make it UTF-16. */
    yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
    struct node *root = load_stream(&loader);
    yaml_parser_delete(&loader.parser);
    return root;
}

bool node_is(const struct node *node, const char *word)
{
    return node->kind == NODE_SCALAR && strlen(word) == node->size && memcmp(node->text, word, node->size) == 0;
}

bool node_is_null(const struct node *node)
{
    return !node->quoted && !node->secret &&
           (node_is(node, "") || node_is(node, "~") || node_is(node, "null") || node_is(node, "Null") ||
            node_is(node, "NULL"));
}

const struct node *node_get(const struct node *map, const char *name)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (const struct node *child = map->child; child; child = child->next)
        if (node_is(child->key, name))
            return child;
    return NULL;
}
