/* self_test.c - see self_test.h */
#include "common/config/self_test.h"

#include "common/config/settings.h"

static bool is_nothing(const struct node *node)
{
    return node->kind == NODE_SCALAR && node_is_null(node);
}

void self_test_read_request(const struct node *request, struct report *report, void **data, size_t *size)
{
    if (request->kind != NODE_BROKEN && !is_nothing(request) && !*data)
        settings_pack(request, report, data, size);
}

void self_test_check(const struct node *test, struct report *report)
{
    const bool is_map = test && (test->kind == NODE_MAP || is_nothing(test));
    if (is_map && !node_get(test, "method"))
        report_mistake(report, test->key->place, "key 'self_test': 'method' is missing: write 'method: NAME' into it");
}
