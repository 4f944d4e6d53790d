/* command.c - see command.h */
#include "tests/support/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/sys/sys.h"

#define OUTPUT_MAX ((size_t)64 << 20)

static char *take_file(const struct broker_rig *rig, const char *name)
{
    struct drover_error error = {0};
    char *text = NULL;
    size_t size = 0;

    if (sys_read_file(broker_rig_path(rig, name), OUTPUT_MAX, &text, &size, &error) != DROVER_OK) {
        fprintf(stderr, "command: %s\n", error.text);
        abort();
    }
    return text;
}

/* The command is bounded as a whole, with all that it starts; a file spares it a second layer of quotes. */
static int run_script(const struct broker_rig *rig, const char *line)
{
    char *script = NULL, *start = NULL;

    if (asprintf(&script,
                 "cd '%s' || exit 125\n"
                 "export PATH=" DROVER_BINARY_DIR "/bin:\"$PATH\" DROVER_BROKER='%s'\n"
                 "exec >command.out 2>command.err </dev/null\n%s\n",
                 rig->folder, rig->endpoint, line) < 0 ||
        asprintf(&start, "timeout -k 5 %d sh '%s/command.sh'", COMMAND_PATIENCE_S, rig->folder) < 0)
        abort();
    broker_rig_write(rig, "command.sh", 0600, script);
    const int status = system(start); /* NOLINT: the command is the test's own */
    free(script);
    free(start);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void command_run(struct command *ret, const struct broker_rig *rig, const char *format, ...)
{
    char *line = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0)
        abort();
    va_end(arguments);
    *ret = (struct command){.status = run_script(rig, line)};
    ret->out = take_file(rig, "command.out");
    ret->err = take_file(rig, "command.err");
    ret->json = json_loads(ret->out, JSON_DECODE_ANY, NULL);
    free(line);
}

void command_done(struct command *command)
{
    json_decref(command->json);
    free(command->out);
    free(command->err);
    *command = (struct command){0};
}

const json_t *command_at(const json_t *json, const char *path)
{
    char part[64];

    while (json != NULL && *path != '\0') {
        const size_t size = strcspn(path, ".");
        snprintf(part, sizeof(part), "%.*s", (int)size, path);
        json = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10)) : json_object_get(json, part);
        path += size + (path[size] == '.');
    }
    return json;
}

const char *command_text(const struct command *command, const char *path)
{
    const char *text = json_string_value(command_at(command->json, path));

    return text != NULL ? text : "";
}
