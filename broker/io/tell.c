/* tell.c - see tell.h */
#include <stdlib.h>
#include <string.h>

#include "broker/io/tell.h"

static const unsigned char empty_map[] = {0x80};

/* As orders.h says: a lost order would be a lie to some caller. */
static char *copy_text(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL && text != NULL)
        abort();
    return copy;
}

static void put_data(struct order *order, const void *data, size_t size)
{
    if (size == 0)
        return;
    order->data = malloc(size);
    if (order->data == NULL)
        abort();
    memcpy(order->data, data, size);
    order->size = size;
}

static struct order *about_service(enum order_kind kind, const char *service)
{
    struct order *order = order_new(kind);
    order->service = copy_text(service);
    return order;
}

static struct order *about_worker(enum order_kind kind, const struct host_event *event)
{
    struct order *order = order_new(kind);
    order->worker = event->worker;
    order->started = event->started;
    return order;
}

void tell_interface(void *pair, const struct config_service *service, const char *interface)
{
    struct order *order = about_service(ORDER_SET_SERVICE, service->name);
    order->text = copy_text(interface);
    order->limits = (struct core_service){.deadline_ms = service->deadline_ms,
                                          .queue_calls = service->queue_calls,
                                          .queue_bytes = service->queue_bytes,
                                          .max_body = service->max_body,
                                          .hang_ms = service->hang_ms,
                                          .retry = service->retry};
    order_send(pair, order);
}

void tell_service(void *pair, const struct config_service *service)
{
    tell_interface(pair, service, service->interface);
}

void tell_removal(void *pair, const char *service)
{
    order_send(pair, about_service(ORDER_REMOVE_SERVICE, service));
}

void tell_refusal(void *pair, const char *service, const char *reason)
{
    struct order *order = about_service(ORDER_REFUSE_SERVICE, service);
    order->text = copy_text(reason);
    order_send(pair, order);
}

void tell_expected(void *pair, const struct host_event *event)
{
    struct order *order = about_service(ORDER_EXPECT_WORKER, event->service);
    order->worker = event->worker;
    order->generation = event->generation;
    order->text = copy_text(event->artefact);
    memcpy(order->token, event->token, sizeof(order->token));
    put_data(order, event->settings, event->settings_size);
    order_send(pair, order);
}

void tell_switch(void *pair, const struct host_event *event)
{
    struct order *order = about_service(ORDER_SWITCH, event->service);
    order->generation = event->generation;
    order_send(pair, order);
}

void tell_probe(void *pair, const struct host_event *event)
{
    const struct host_self_test *test = event->self_test;
    struct order *order = about_worker(ORDER_PROBE, event);
    order->text = copy_text(test->method);
    order->limits.deadline_ms = event->limit_ms;
    if (test->request != NULL)
        put_data(order, test->request, test->request_size);
    else if (test->method != NULL)
        put_data(order, empty_map, sizeof(empty_map));
    order_send(pair, order);
}

void tell_settings(void *pair, const struct host_event *event)
{
    struct order *order = about_worker(ORDER_RECONFIGURE, event);
    order->limits.deadline_ms = event->limit_ms;
    if (event->settings != NULL)
        put_data(order, event->settings, event->settings_size);
    else
        put_data(order, empty_map, sizeof(empty_map));
    order_send(pair, order);
}

void tell_count(void *pair, const struct host_event *event)
{
    struct order *order = about_service(ORDER_COUNT, event->service);
    order->generation = event->generation;
    order->started = event->previous;
    order_send(pair, order);
}

void tell_closed(void *pair, const struct host_event *event)
{
    order_send(pair, about_worker(ORDER_WORKER_CLOSED, event));
}

void tell_lost(void *pair, const struct host_event *event)
{
    order_send(pair, about_worker(ORDER_WORKER_LOST, event));
}
