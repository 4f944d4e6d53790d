/* obtain_rig.h - a broker, repositories, and a git server on loopback
 *
 * START: obtain_rig_init() makes a folder for repositories and starts the server; then make what the configuration is
 * to name; obtain_rig_configure(). OPERATION: `broker` is as in broker_rig.h. END: obtain_rig_done().
 */
#ifndef DROVER_TESTS_OBTAIN_RIG_H
#define DROVER_TESTS_OBTAIN_RIG_H

#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"
#include "tests/support/command.h"

/* A driver of interface `hello` as it stands in tests/examples, and a call that it answers. */
#define OBTAIN_HELLO DROVER_SOURCE_DIR "/tests/examples/hello_driver.c"

struct obtain_rig {
    struct broker_rig broker;
    char folder[32]; /* for sources and repositories */
    pid_t server;
    unsigned port; /* of the git server */
};

void obtain_rig_init(struct obtain_rig *rig);

/* Run a script of a shell in the rig's folder, with `set -e`; a failure ends the test. git has an author, and no
 * configuration of the user's. Functions of it: `repository NAME` makes the work tree work/NAME and the bare
 * repository git/NAME; `commit NAME` commits all in work/NAME and pushes it with its tags, by force. $HELLO is a
 * driver's source. */
void obtain_rig_run(const struct obtain_rig *rig, const char *format, ...) DROVER_PRINTF(2, 3);

/* What a script prints, without the last newline; one of four buffers. */
const char *obtain_rig_ask(const struct obtain_rig *rig, const char *format, ...) DROVER_PRINTF(2, 3);

/* Make the broker's folder and configuration. In `services` GIT stands for the server's URL, DIR for the rig's folder;
 * see broker_rig_init() for the rest. Schemes git and file are allowed. */
void obtain_rig_configure(struct obtain_rig *rig, const char *services);

/* Start the broker with an option ("--locked") or NULL; stop it. */
void obtain_rig_start(struct obtain_rig *rig, const char *option);
void obtain_rig_stop(struct obtain_rig *rig);

/* The server goes away, and comes back at another port. */
void obtain_rig_stop_server(struct obtain_rig *rig);

/* `SERVICE.greet` answers "Hello, Ada", or what `greeting` says. */
void obtain_rig_expect_greeting(const struct obtain_rig *rig, const char *service, const char *greeting);

/* Wait for a state; the status is left in `*ret`. Then the reason bears `text`. */
void obtain_rig_await(struct obtain_rig *rig, const char *service, const char *state, const char *text,
                      struct broker_rig_service *ret);

/* How many processes there are, besides the broker, that have to do with its folder. */
unsigned obtain_rig_count_processes(const struct obtain_rig *rig);

/* Wait until there are none, for a bounded time; false when some are left. */
bool obtain_rig_await_no_process(const struct obtain_rig *rig);

void obtain_rig_done(struct obtain_rig *rig);

#endif
