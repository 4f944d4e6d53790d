/* check_frames.c - what no broker should send, and what the driver prints */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/check/checks.h"

#define NOISE_MAX 300

static bool send_one(struct stage *stage, const void *data, size_t size, struct finding *finding)
{
    return stage_send_frames(stage, &(struct drover_text){data, size}, 1, finding);
}

static bool send_noise(struct stage *stage, struct finding *finding)
{
    char noise[NOISE_MAX];

    for (size_t size = 0; size < sizeof(noise); size += 7) {
        sys_random(noise, sizeof(noise));
        noise[0] = 'x'; /* never a signature */
        if (!send_one(stage, noise, size, finding))
            return false;
    }
    return true;
}

/* Each beginning of a valid CALL. */
static bool send_cut_calls(struct stage *stage, struct finding *finding)
{
    const struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_TARGET | FIELD_SEQUENCE | FIELD_DEADLINE,
        .session = stage->session,
        .call = stage_number(0),
        .deadline_ms = 1000,
        .sequence = stage->sequence + 1,
        .service = {"s", 1},
        .method = {STAGE_NO_METHOD, sizeof(STAGE_NO_METHOD) - 1},
    };
    char octets[WIRE_HEADER_MAX];
    const size_t size = wire_header_encode(&header, octets, sizeof(octets));

    for (size_t cut = 0; cut < size; cut++) {
        if (!send_one(stage, octets, cut, finding))
            return false;
    }
    octets[size] = '\0'; /* and one octet too many */
    return send_one(stage, octets, size + 1, finding);
}

/* Commands that are not for a worker, that do not exist, of another version, in another session; three frames. */
static bool send_odd_commands(struct stage *stage, struct finding *finding)
{
    static const uint8_t commands[] = {WIRE_READY, WIRE_DRAINED, WIRE_CONFIG_ERROR, WIRE_HELLO, WIRE_REPLY, 17,
                                       200,        255};
    struct wire_header header = {.command = WIRE_PONG, .session = stage->session};
    char octets[WIRE_HEADER_MAX];
    const size_t size = wire_header_encode(&header, octets, sizeof(octets));
    const struct drover_text frames[] = {{octets, size}, {"\x80", 1}, {"\x80", 1}};

    for (size_t i = 0; i < sizeof(commands); i++) {
        octets[3] = (char)commands[i];
        if (!send_one(stage, octets, size, finding))
            return false;
    }
    octets[3] = WIRE_PONG;
    if (!stage_send_frames(stage, frames, 3, finding))
        return false;
    octets[2] = WIRE_VERSION + 1;
    if (!send_one(stage, octets, size, finding))
        return false;
    header.command = WIRE_DRAIN;
    header.session = stage->session + 2;
    return send_one(stage, octets, wire_header_encode(&header, octets, sizeof(octets)), finding);
}

bool check_garbage(struct stage *stage, struct finding *finding)
{
    const uint64_t word = stage_word(stage);

    if (!send_noise(stage, finding) || !send_cut_calls(stage, finding) || !send_odd_commands(stage, finding) ||
        !stage_sync(stage, finding))
        return false;
    if (stage_word(stage) != word)
        return finding_fail(finding, "it began a call for a message that was none");
    return finding_ok(finding, "noise, cut and odd messages were dropped");
}

/* ---- output ---- */

/* What is wrong with the driver's descriptor `number`, into which `pipe` should lead; NULL when nothing is. */
static const char *descriptor_mistake(const struct subject *subject, int number, int pipe)
{
    char path[64], target[256] = "";
    struct stat ours, its;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)subject->process.pid, number);
    if (pipe >= 0 && fstat(pipe, &ours) == 0 && stat(path, &its) == 0 && ours.st_ino == its.st_ino)
        return NULL;
    if (readlink(path, target, sizeof(target) - 1) == -1)
        return errno == ENOENT ? "is closed: the next file that it opens gets that number" : NULL;
    if (strncmp(target, "socket:", strlen("socket:")) == 0 ||
        strncmp(target, "anon_inode:", strlen("anon_inode:")) == 0)
        return "has become something else, and what a library prints would go there";
    return NULL;
}

bool check_output(struct stage *stage, struct finding *finding)
{
    struct subject *subject = &stage->subject;

    subject_read(subject);
    for (int i = 0; i < CAPTURE_SOURCES; i++) {
        const char *mistake = descriptor_mistake(subject, i + 1, subject->process.output[i]);
        if (mistake)
            return finding_fail(finding, "standard %s %s", i == CAPTURE_STDOUT ? "output" : "error", mistake);
    }
    if (subject->printed_binary)
        return finding_fail(finding, "it prints octets that are no text: the log takes lines");
    return finding_ok(finding, "both lead to the log, and bear text");
}
