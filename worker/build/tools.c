/* tools.c - finds and identifies compilers and the like (tools.h) */
#include "worker/build/tools.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/build/run.h"
#include "worker/build/trouble.h"

#define WORKER_PACKAGE "drover-worker"

static bool is_program(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

char *tools_path(void)
{
    const char *all = getenv("PATH");
    if (!all || !*all)
        all = TOOLS_DEFAULT_PATH;
    char *path = calloc(1, strlen(all) + 1);
    size_t used = 0;
    for (const char *at = all; path && *at; at += strspn(at, ":")) {
        const size_t size = strcspn(at, ":");
        if (*at == '/') {
            if (used > 0)
                path[used++] = ':'; /* in the place of one in `all` */
            memcpy(path + used, at, size);
            used += size;
        }
        at += size;
    }
    return path;
}

char *tool_find(const char *name)
{
    char *folders = tools_path(), *found = NULL, *rest = NULL;
    for (char *folder = folders ? strtok_r(folders, ":", &rest) : NULL; folder && !found;
         folder = strtok_r(NULL, ":", &rest)) {
        found = text_format("%s/%s", folder, name);
        if (found && !is_program(found)) {
            free(found);
            found = NULL;
        }
    }
    free(folders);
    return found;
}

/* What short commands are run with. */
static void add_environment(struct words *environment)
{
    char *path = tools_path();
    words_format(environment, "PATH=%s", path ? path : TOOLS_DEFAULT_PATH);
    words_add(environment, "LC_ALL=C");
    free(path);
}

static enum drover_status ask(const char *path, const char *question, struct digest *digest, struct drover_error *error)
{
    struct words arguments = {0}, environment = {0};
    char *answer = NULL;
    words_add(&arguments, path);
    words_add(&arguments, question);
    add_environment(&environment);
    const enum drover_status status = run_for_output(&arguments, &environment, &answer, error);
    if (status == DROVER_OK)
        digest_add(digest, question, answer);
    free(answer);
    words_done(&arguments);
    words_done(&environment);
    return status;
}

enum drover_status tool_identify(const char *path, const char *const *questions, struct digest *digest,
                                 struct drover_error *error)
{
    struct stat about;
    char *real = realpath(path, NULL);
    if (!real || stat(real, &about) != 0) {
        const int code = errno;
        free(real);
        return trouble_errno(error, code, "program '%s'", path);
    }
    char numbers[96];
    (void)snprintf(numbers, sizeof(numbers), "%jd %jd.%09ld", (intmax_t)about.st_size, (intmax_t)about.st_mtim.tv_sec,
                   about.st_mtim.tv_nsec);
    digest_add(digest, "program", real);
    digest_add(digest, "file", numbers);
    free(real);
    enum drover_status status = DROVER_OK;
    for (; *questions && status == DROVER_OK; questions++)
        status = ask(path, *questions, digest, error);
    return status;
}

/* Add the words of an answer: separated by blanks, a backslash takes the next octet as it is. */
static void split(const char *answer, struct words *words)
{
    char *word = malloc(strlen(answer) + 1);
    size_t size = 0;
    if (!word) {
        words->no_memory = true;
        return;
    }
    for (const char *at = answer;; at++) {
        const bool ends = *at == '\0' || *at == ' ' || *at == '\n';
        if (!ends) {
            if (*at == '\\' && at[1])
                at++;
            word[size++] = *at;
        } else if (size > 0) {
            word[size] = '\0';
            words_add(words, word);
            size = 0;
        }
        if (*at == '\0')
            break;
    }
    free(word);
}

enum drover_status tools_ask_packages(const struct words *packages, const char *question, const char *question2,
                                      struct words *words, struct drover_error *error)
{
    struct words arguments = {0}, environment = {0};
    struct drover_error why = {0};
    char *answer = NULL, *program = tool_find("pkg-config");
    enum drover_status status = DROVER_OK;
    words_add(&arguments, program ? program : "pkg-config");
    words_add(&arguments, "--print-errors");
    words_add(&arguments, question);
    if (question2)
        words_add(&arguments, question2);
    const size_t options = arguments.count;
    for (size_t i = 0; i < packages->count; i++) {
        if (strcmp(packages->items[i], WORKER_PACKAGE) != 0)
            words_add(&arguments, packages->items[i]);
    }
    add_environment(&environment);
    if (arguments.count > options && !program)
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                  "driver.yaml names packages for pkg-config, which is not installed");
    else if (arguments.count > options)
        status = run_for_output(&arguments, &environment, &answer, &why);
    if (status == DROVER_OK && answer)
        split(answer, words);
    else if (why.status != DROVER_OK)
        status = drover_error_set(error, status, "driver.yaml, key 'pkg_config': %.400s", why.text);
    free(answer);
    free(program);
    words_done(&arguments);
    words_done(&environment);
    return status == DROVER_OK && words->no_memory ? trouble_memory(error) : status;
}
