/* admin.h - what the broker answers to the verbs of administrators: `drover status`, `reload`, `events`, ... */
#ifndef DROVER_IO_ADMIN_H
#define DROVER_IO_ADMIN_H

#include "broker/io/history.h"
#include "broker/io/orders.h"
#include "broker/io/reloader.h"
#include "broker/io/roster.h"
#include "worker/host/host.h"

/* What the verbs look at and work on. Borrowed. */
struct admin {
    struct host *host;
    struct roster *roster;
    struct lockkeeper *keeper;
    struct history *history;
    struct reloader *reloader;
    const char *configuration;  /* path of the configuration file */
    bool configuration_changed; /* since it was applied */
    uint64_t incarnation;
    uint64_t started_ms;
};

/* Carry out one request. Returns the order that answers it, for the caller to send. */
struct order *admin_answer(const struct admin *admin, const struct notice *notice, uint64_t now_ms);

#endif
