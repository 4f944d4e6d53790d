/* admin.h - what the broker answers to `drover status`, `logs`, `restart` and `drain` */
#ifndef DROVER_IO_ADMIN_H
#define DROVER_IO_ADMIN_H

#include "broker/io/orders.h"
#include "broker/io/roster.h"
#include "worker/host/host.h"

/* What the verbs look at and work on. Borrowed. */
struct admin {
    struct host *host;
    struct roster *roster;
    struct lockkeeper *keeper;
    uint64_t incarnation;
    uint64_t started_ms;
};

/* Carry out one request. Returns the order that answers it, for the caller to send. */
struct order *admin_answer(const struct admin *admin, const struct notice *notice, uint64_t now_ms);

#endif
