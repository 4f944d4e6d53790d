/* orders.c - see orders.h */
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "broker/io/orders.h"

static void *need(void *memory)
{
    if (memory == NULL) {
        (void)fputs("drover-broker: no memory for a message between its threads\n", stderr);
        abort();
    }
    return memory;
}

struct order *order_new(enum order_kind kind)
{
    struct order *order = need(calloc(1, sizeof(*order)));
    order->kind = kind;
    return order;
}

struct notice *notice_new(enum notice_kind kind)
{
    struct notice *notice = need(calloc(1, sizeof(*notice)));
    notice->kind = kind;
    return notice;
}

struct order *order_free(struct order *order)
{
    if (order != NULL) {
        free(order->service);
        free(order->text);
        free(order->data);
        free(order);
    }
    return NULL;
}

struct notice *notice_free(struct notice *notice)
{
    if (notice != NULL) {
        for (size_t i = 0; i < notice->figures.service_count; i++)
            free(notice->figures.names[i]);
        free(notice->figures.names);
        free(notice->figures.services);
        free(notice->figures.workers);
        free(notice->service);
        free(notice->text);
        free(notice->data);
        free(notice);
    }
    return NULL;
}

static void send_pointer(void *pair, void *pointer)
{
    while (zmq_send(pair, &pointer, sizeof(pointer), 0) < 0) {
        if (zmq_errno() != EINTR) {
            (void)fprintf(stderr, "drover-broker: its threads cannot talk: %s\n", zmq_strerror(zmq_errno()));
            abort();
        }
    }
}

static void *receive_pointer(void *pair)
{
    void *pointer = NULL;
    return zmq_recv(pair, &pointer, sizeof(pointer), ZMQ_DONTWAIT) == (int)sizeof(pointer) ? pointer : NULL;
}

void order_send(void *pair, struct order *order)
{
    send_pointer(pair, order);
}

void notice_send(void *pair, struct notice *notice)
{
    send_pointer(pair, notice);
}

struct order *order_receive(void *pair)
{
    return receive_pointer(pair);
}

struct notice *notice_receive(void *pair)
{
    return receive_pointer(pair);
}
