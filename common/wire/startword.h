/* startword.h - the page that a local worker shares with its host
 *
 * A worker starts the calls it is given in the order of their sequence numbers 1, 2, 3, ...; before
 * each it adds one to the word. The host closes the word (to drain) or reads it after the worker's
 * death: what it holds then is the sequence number of the last call that was started, and everything
 * above it certainly was not.
 *
 * The page is a memfd that the worker inherits. It also carries the token that proves to the broker
 * who the worker is, so that it stands in no environment and on no command line.
 */
#ifndef DROVER_WIRE_STARTWORD_H
#define DROVER_WIRE_STARTWORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/wire/greeting.h"

#define STARTWORD_CLOSED (UINT64_C(1) << 63)
#define STARTWORD_PAGE_SIZE 4096
#define STARTWORD_MAGIC UINT64_C(0x64726f7665720001)

/* Environment of a supervised worker: the endpoint to connect to, the descriptor of the page, and
 * the descriptor of a pipe whose other end the host holds: end of file means the host is gone. */
#define WORKER_ENV_ENDPOINT "DROVER_WORKER_ENDPOINT"
#define WORKER_ENV_PAGE "DROVER_WORKER_PAGE_FD"
#define WORKER_ENV_LIFELINE "DROVER_WORKER_LIFELINE_FD"

struct startword_page {
    uint64_t magic;
    uint8_t token[WIRE_TOKEN_SIZE];
    _Alignas(64) _Atomic uint64_t word;
};

/* Worker: may the next call start? Counts it as started if so. */
static inline bool startword_begin(struct startword_page *page)
{
    return (atomic_fetch_add(&page->word, 1) & STARTWORD_CLOSED) == 0;
}

/* Host: close the word; returns the sequence of the last call started. Closing twice is harmless as
 * long as the worker drops what it holds after the first; the first answer is the one that counts. */
static inline uint64_t startword_close(struct startword_page *page)
{
    return atomic_fetch_or(&page->word, STARTWORD_CLOSED) & ~STARTWORD_CLOSED;
}

#endif
