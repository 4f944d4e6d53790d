/* subject.c - see subject.h */
#include "worker/check/subject.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"

#define READ_MAX 64 /* reads of one look: a driver that prints without end must not keep us */

void subject_init(struct subject *subject, const struct subject_plan *plan)
{
    *subject = (struct subject){.plan = plan};
    process_init(&subject->process);
}

static struct launch_plan plan_of(const struct subject *subject, const char *endpoint)
{
    const struct subject_plan *plan = subject->plan;

    return (struct launch_plan){
        .helpers = plan->helpers,
        .name = "driver",
        .program = plan->is_module ? plan->worker : plan->file,
        .module = plan->is_module ? plan->file : NULL,
        .artefact = plan->artefact,
        .library_folder = plan->library_folder,
        .directory = plan->directory,
        .endpoint = endpoint,
        .number = 1,
    };
}

enum drover_status subject_start(struct subject *subject, const char *endpoint, const uint8_t token[WIRE_TOKEN_SIZE],
                                 struct drover_error *error)
{
    const struct launch_plan launch = plan_of(subject, endpoint);

    subject_end(subject);
    subject->ended = false;
    subject->output_size = 0;
    enum drover_status status = process_prepare(&subject->process, token, error);
    if (status == DROVER_OK)
        status = process_launch(&subject->process, &launch, error);
    return status;
}

void subject_end(struct subject *subject)
{
    process_destroy(&subject->process);
    process_done(&subject->process);
    subject->ended = true;
}

/* ---- output ---- */

static bool is_binary(char c)
{
    return (unsigned char)c < 0x20 && !strchr("\t\n\r\f\b\a\033", c);
}

static void keep(struct subject *subject, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        subject->printed_binary |= data[i] == '\0' || is_binary(data[i]);
    if (size > sizeof(subject->output)) {
        data += size - sizeof(subject->output);
        size = sizeof(subject->output);
    }
    const size_t kept =
        subject->output_size + size > sizeof(subject->output) ? sizeof(subject->output) - size : subject->output_size;
    memmove(subject->output, subject->output + subject->output_size - kept, kept);
    memcpy(subject->output + kept, data, size);
    subject->output_size = kept + size;
}

static void read_pipe(struct subject *subject, int *fd)
{
    char data[4096];

    for (int i = 0; i < READ_MAX && *fd >= 0; i++) {
        const ssize_t size = read(*fd, data, sizeof(data));
        if (size < 0)
            return;
        if (size > 0) {
            keep(subject, data, (size_t)size);
            continue;
        }
        close(*fd); /* or it would be found readable for ever */
        *fd = -1;
    }
}

void subject_read(struct subject *subject)
{
    read_pipe(subject, &subject->process.output[CAPTURE_STDOUT]);
    read_pipe(subject, &subject->process.output[CAPTURE_STDERR]);
}

/* ---- its end ---- */

bool subject_has_ended(struct subject *subject)
{
    if (!subject->ended && subject->process.pid != 0)
        subject->ended = process_reap(&subject->process, &subject->code, &subject->status);
    return subject->ended;
}

/* The last line that it printed. */
static struct drover_text last_line(const struct subject *subject)
{
    const char *start = subject->output, *end = start + subject->output_size;

    while (end > start && end[-1] == '\n')
        end--;
    const char *line = end;
    while (line > start && line[-1] != '\n')
        line--;
    return (struct drover_text){line, (size_t)(end - line)};
}

const char *subject_end_text(struct subject *subject, char *text, size_t capacity)
{
    const struct launch_plan launch = plan_of(subject, NULL);
    struct drover_error error = {0};
    char line[256];

    subject_read(subject);
    const struct drover_text last = last_line(subject);
    if (process_trouble(&subject->process, &launch, &error))
        (void)snprintf(text, capacity, "was not executed: %s", error.text);
    else
        (void)snprintf(text, capacity, "%s %d%s%s",
                       subject->code == CLD_EXITED ? "ended with exit status" : "was killed by signal", subject->status,
                       last.size ? ", printing: " : "", text_printable(last.data, last.size, line, sizeof(line)));
    return text;
}

/* ---- signals ----
 *
 * The number is safe: the process is our child, and as long as it is not reaped nobody else gets it. */

/* Without the SIGCONT that process_signal() adds: it could undo the stop by which LeakSanitizer looks at the threads of
 * a process that ends. */
void subject_terminate(const struct subject *subject)
{
    if (!subject->ended)
        (void)kill(subject->process.pid, SIGTERM);
}

void subject_freeze(const struct subject *subject)
{
    siginfo_t info = {0};

    if (subject->ended || kill(subject->process.pid, SIGSTOP) != 0)
        return;
    (void)waitid(P_PIDFD, (id_t)subject->process.pidfd, &info, WSTOPPED | WEXITED | WNOWAIT);
}

void subject_thaw(const struct subject *subject)
{
    if (!subject->ended)
        (void)kill(subject->process.pid, SIGCONT);
}
