/* helper.c - see helper.h */
#include "client/cli/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"

#define NOT_EXECUTED 127

void helper_init(struct helper_command *command, const char *program)
{
    *command = (struct helper_command){0};
    helper_add(command, program);
}

void helper_add(struct helper_command *command, const char *word)
{
    if (command->count < HELPER_WORDS_MAX)
        command->words[command->count++] = word;
}

void helper_add_option(struct helper_command *command, const char *option, const char *value)
{
    if (value == NULL)
        return;
    helper_add(command, option);
    helper_add(command, value);
}

void helper_add_text(struct helper_command *command, const char *option, char *value)
{
    if (value == NULL || command->text_count == sizeof(command->texts) / sizeof(command->texts[0])) {
        command->no_memory = true;
        free(value);
        return;
    }
    command->texts[command->text_count++] = value;
    helper_add_option(command, option, value);
}

void helper_done(struct helper_command *command)
{
    while (command->text_count > 0)
        free(command->texts[--command->text_count]);
}

const char *helper_text(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));

    return text != NULL ? text : "";
}

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

/* Put the path of the program in front. It is one of `texts` then. */
static bool find_program(struct helper_command *command)
{
    char *path = sys_helper_path(command->words[0]);

    if (path == NULL || command->text_count == sizeof(command->texts) / sizeof(command->texts[0])) {
        free(path);
        return false;
    }
    command->texts[command->text_count++] = path;
    command->words[0] = path;
    return true;
}

/* execv() takes words that are not const, and leaves them alone. */
static void execute(const struct helper_command *command)
{
    execv(command->words[0], (char *const *)(uintptr_t)command->words);
}

static enum drover_status not_there(const struct helper_command *command, struct drover_error *error)
{
    return drover_error_set(error, DROVER_INTERNAL, "'%s' cannot be executed: is drover installed as a whole?",
                            command->words[0]);
}

int helper_become(const struct cli_globals *globals, struct helper_command *command)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_NOT_STARTED};

    if (command->no_memory || !find_program(command)) {
        (void)no_memory(&error);
    } else {
        execute(command);
        (void)not_there(command, &error);
    }
    helper_done(command);
    return cli_fail(globals, &error);
}

/* In the child: `output` becomes standard output. It ends with us. */
static _Noreturn void become_child(const struct helper_command *command, int output, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(NOT_EXECUTED);
    if (dup2(output, STDOUT_FILENO) >= 0)
        execute(command);
    _exit(NOT_EXECUTED);
}

static enum drover_status start(const struct helper_command *command, pid_t *ret_pid, FILE **ret_output,
                                struct drover_error *error)
{
    int ends[2];
    pid_t parent = getpid();

    if (pipe2(ends, O_CLOEXEC) != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no pipe: %s", strerror(errno));
    *ret_pid = fork();
    if (*ret_pid == 0)
        become_child(command, ends[1], parent);
    close(ends[1]);
    *ret_output = *ret_pid > 0 ? fdopen(ends[0], "re") : NULL;
    if (*ret_output != NULL)
        return DROVER_OK;
    close(ends[0]); /* whoever writes to it now is ended by that */
    if (*ret_pid > 0)
        (void)waitpid(*ret_pid, NULL, 0);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no process: %s", strerror(errno));
}

/* One line: keep the end, pass on the rest. What is no JSON is passed over. */
static void take_line(const char *line, size_t size, const struct helper_watcher *watcher, struct helper_result *result)
{
    json_t *event = json_loadb(line, size, 0, NULL);
    const char *name = helper_text(event, "event");

    if (strcmp(name, "done") == 0 || strcmp(name, "error") == 0) {
        json_decref(result->end);
        result->end = event;
        return;
    }
    if (name[0] != '\0' && watcher != NULL)
        watcher->event(name, event, watcher->context);
    json_decref(event);
}

static void read_all(FILE *output, const struct helper_watcher *watcher, struct helper_result *result)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;

    while ((size = getline(&line, &capacity, output)) > 0)
        take_line(line, (size_t)size, watcher, result);
    free(line);
}

static enum drover_status judge(const struct helper_command *command, const struct helper_result *result, int status,
                                struct drover_error *error)
{
    const char *name = helper_text(result->end, "event");
    enum drover_status code = DROVER_INTERNAL;

    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_EXECUTED && result->end == NULL)
        return not_there(command, error);
    if (strcmp(name, "done") == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return DROVER_OK;
    *error = (struct drover_error){.origin = DROVER_ORIGIN_HOST, .outcome = DROVER_OUTCOME_NOT_STARTED};
    if (strcmp(name, "error") == 0) {
        (void)drover_status_parse(helper_text(result->end, "status"), &code);
        return drover_error_set(error, code, "%s", helper_text(result->end, "message"));
    }
    if (WIFSIGNALED(status))
        return drover_error_set(error, code, "'%s' was killed by SIG%s", command->words[0],
                                sigabbrev_np(WTERMSIG(status)));
    return drover_error_set(error, code, "'%s' ended with status %d and no result", command->words[0],
                            WEXITSTATUS(status));
}

enum drover_status helper_run(struct helper_command *command, const struct helper_watcher *watcher,
                              struct helper_result *ret, struct drover_error *error)
{
    FILE *output = NULL;
    pid_t pid = 0;
    int status = 0;
    enum drover_status result;

    *ret = (struct helper_result){.exit = EX_SOFTWARE};
    *error = (struct drover_error){.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_NOT_STARTED};
    if (command->no_memory || !find_program(command))
        return no_memory(error);
    result = start(command, &pid, &output, error);
    if (result != DROVER_OK)
        return result;
    read_all(output, watcher, ret);
    fclose(output);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) != NOT_EXECUTED)
        ret->exit = WEXITSTATUS(status);
    return judge(command, ret, status, error);
}

void helper_result_done(struct helper_result *result)
{
    json_decref(result->end);
    *result = (struct helper_result){0};
}
