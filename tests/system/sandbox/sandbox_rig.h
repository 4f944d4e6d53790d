/* sandbox_rig.h - a folder with things to be protected, and programs that run in it, free or shut in
 *
 *     mine/           what a sandbox may change; its owner is the user of the sandbox
 *     other/file      another driver's, of the same user
 *     outside/note    anybody may change it, so only a sandbox can refuse
 *     key             only the test's own user may read it
 *     launch, escape, setuid    programs; the last one is root's and setuid, where the test is root
 */
#ifndef DROVER_TESTS_SANDBOX_RIG_H
#define DROVER_TESTS_SANDBOX_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "worker/launch/profile.h"

#define RIG_ARGUMENTS_MAX 16
#define RIG_SIGNALLED 128 /* plus the signal: a status of a process that was killed */
#define RIG_REFUSED 1     /* what escape.c ends with */

/* Who starts a program. For a test that is not root both are the same. */
enum who { AS_SELF, AS_NOBODY };

struct rig {
    char folder[64];
    bool is_root;
};

struct outcome {
    int status;
    char output[8192]; /* both streams, cut */
};

/* Words of a command: ATTEMPT("tcp", port). */
#define ATTEMPT(...)      \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

/* For .init and .fini of a suite: the rig of this test. */
extern struct rig rig;
void rig_init(void);
void rig_done(void);

/* Skip this test with a reason. Criterion leaves out .fini then. */
#define rig_skip(...)              \
    do {                           \
        rig_done();                \
        cr_skip_test(__VA_ARGS__); \
    } while (0)

/* The path of something in the rig; good for the rest of the test. */
const char *rig_path(const char *name);

/* Write a file of the rig, for the user of the sandbox. */
void rig_write(const char *name, const char *text);

/* Skip the test where the kernel has an older Landlock. */
void rig_needs_landlock(unsigned abi);

/* Run a command in the rig's folder, with nothing to read, at most 50 s. The words of `rig_launch` come from a profile.
 */
struct outcome rig_run(enum who who, const char *const *words);
struct outcome rig_run_worker(enum who who, const struct sandbox_worker *profile);
struct outcome rig_run_compile(enum who who, const struct sandbox_compile *profile);

/* Profiles whose folder is mine/, with the policy `required`. */
struct sandbox_worker rig_worker(void);
struct sandbox_compile rig_compile(void);

/* Each of the users does it free, and is refused when shut in by the profile (whose command is set). Skips the test
 * when none of them can do it free on this machine, since nothing would be shown. */
void rig_refuses(const struct sandbox_worker *profile, const char *const *attempt);

/* Each of the users can do it shut in. */
void rig_allows(const struct sandbox_worker *profile, const char *const *attempt);

/* The start of an `escape wait`, by the user of the sandbox: it runs when this returns, and ends with the test. */
pid_t rig_start_victim(void);

/* Wait until nobody holds the write end of a pipe any more; false after 20 s. What was written is dropped. */
bool rig_wait_for_end(int fd);

#endif
