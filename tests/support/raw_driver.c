/* raw_driver.c - a worker's process without a worker: it says where the broker expects it, and waits for its end
 *
 * A line with its pid, the descriptor of its page and the endpoint goes into the FIFO `introductions` of the working
 * directory; whoever reads that may speak in its place (siege.h).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire/startword.h"

int main(void)
{
    const char *endpoint = getenv(WORKER_ENV_ENDPOINT), *page = getenv(WORKER_ENV_PAGE);
    const char *lifeline = getenv(WORKER_ENV_LIFELINE);
    char line[256], octet;

    if (!endpoint || !page || !lifeline)
        return 2;
    const int introductions = open("introductions", O_WRONLY | O_CLOEXEC);
    const int size = snprintf(line, sizeof(line), "%d %s %s\n", (int)getpid(), page, endpoint);
    if (introductions < 0 || write(introductions, line, (size_t)size) != size)
        return 1;
    close(introductions);
    while (read(atoi(lifeline), &octet, 1) > 0)
        ;
    return 0;
}
