/* inquiry.h - questions to the broker itself, one after the other, and the latest answer */
#ifndef DROVER_CLI_INQUIRY_H
#define DROVER_CLI_INQUIRY_H

#include "client/cli/cli.h"

struct inquiry {
    const struct cli_globals *globals;
    struct drover_client *client;
    struct drover_writer *request;
    struct drover_reply reply;
    struct drover_document *document; /* of the last good answer, or NULL */
};

/* Connect. Returns 0, or tells the user what is wrong and returns the exit status; release with inquiry_close() in any
 * case. `globals` are borrowed. */
int inquiry_open(struct inquiry *inquiry, const struct cli_globals *globals);
void inquiry_close(struct inquiry *inquiry);

/* The next question, which is empty as yet: one map is to be written. Borrowed. */
struct drover_writer *inquiry_begin(struct inquiry *inquiry);

/* The next question is {service}, or {} when that is NULL. */
void inquiry_about(struct inquiry *inquiry, const char *service);

/* Ask the question, which stays what it is. The answer of before is kept when there is no new one. Errors: those of
 * drover_client_admin(), INTERNAL, RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status inquiry_ask(struct inquiry *inquiry, const char *verb, uint32_t deadline_ms,
                                                 struct drover_error *error);

/* The answer; NULL when there was none. Borrowed until the next one. */
const struct drover_value *inquiry_answer(const struct inquiry *inquiry);

/* Connect, ask {service}, and say what was asked: all that `restart` and `drain` do. Returns the exit status. */
int inquiry_order(const struct cli_globals *globals, const char *verb, const char *service, const char *said);

#endif
