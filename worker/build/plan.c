/* plan.c - chooses how to build a source, and writes down the commands (plan.h) */
#include "worker/build/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "worker/build/copy.h"
#include "worker/build/files.h"
#include "worker/build/trouble.h"

#define JOBS "1" /* a build runs beside workers that serve */

static bool has_file(const char *folder, const char *name)
{
    char *path = text_format("%s/%s", folder, name);
    const bool has = path && files_is_regular(path);
    free(path);
    return has;
}

static bool has_sources(const char *folder)
{
    static const char *const endings[] = {".c", NULL};
    struct words names = {0};
    const bool has = files_list(folder, endings, &names, NULL) == DROVER_OK && names.count > 0;
    words_done(&names);
    return has;
}

enum drover_status plan_choose(const struct manifest *manifest, const char *folder, const char *label,
                               enum build_system *ret, struct drover_error *error)
{
    if (manifest->system != SYSTEM_UNSAID)
        *ret = manifest->system;
    else if (has_file(folder, "CMakeLists.txt"))
        *ret = SYSTEM_CMAKE;
    else if (has_file(folder, "GNUmakefile") || has_file(folder, "Makefile") || has_file(folder, "makefile"))
        *ret = SYSTEM_MAKE;
    else if (has_sources(folder))
        *ret = SYSTEM_CC;
    else
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "folder '%s': nothing to build: no CMakeLists.txt, no Makefile, no *.c, and no "
                                "" MANIFEST_FILE " that says 'build: {system: ...}'",
                                label);
    return DROVER_OK;
}

/* --- the steps of each system --------------------------------------------------------------------------------------
 */

static enum drover_status need(const char *program, const char *name, const char *package, struct drover_error *error)
{
    if (program)
        return DROVER_OK;
    return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                            "this driver is built with '%s', which is not in the PATH%s%s%s", name,
                            package ? " (package '" : "", package ? package : "", package ? "')" : "");
}

static struct words *new_step(struct plan *plan, const char *program)
{
    struct words *step = &plan->steps[plan->step_count++];
    words_add(step, program);
    return step;
}

static enum drover_status plan_cmake(const struct plan_input *input, const char *root, struct plan *plan,
                                     struct drover_error *error)
{
    const struct plan_tools *tools = input->tools;
    enum drover_status status = need(tools->cmake, "cmake", "cmake", error);
    if (status == DROVER_OK)
        status = need(tools->ninja ? tools->ninja : tools->make, "ninja or make", "ninja-build", error);
    if (status != DROVER_OK)
        return status;
    struct words *step = new_step(plan, tools->cmake);
    words_format(step, "-S%s/source", root);
    words_format(step, "-B%s/build", root);
    words_format(step, "-G%s", tools->ninja ? "Ninja" : "Unix Makefiles");
    words_add(step, "--no-warn-unused-cli");
    words_add(step, "-DCMAKE_BUILD_TYPE=Release");
    words_add(step, "-DCMAKE_SKIP_RPATH=ON"); /* a build's folder is gone when its artefact runs */
    words_add(step, "-DFETCHCONTENT_FULLY_DISCONNECTED=ON");
    step = new_step(plan, tools->cmake);
    words_add(step, "--build");
    words_format(step, "%s/build", root);
    words_add(step, "--parallel");
    words_add(step, JOBS);
    if (input->manifest->target) {
        words_add(step, "--target");
        words_add(step, input->manifest->target);
    }
    plan->results = text_format("%s/build", root);
    return DROVER_OK;
}

static enum drover_status plan_make_system(const struct plan_input *input, const char *root, struct plan *plan,
                                           struct drover_error *error)
{
    const enum drover_status status = need(input->tools->make, "make", "make", error);
    if (status != DROVER_OK)
        return status;
    struct words *step = new_step(plan, input->tools->make);
    words_add(step, "-j" JOBS);
    if (input->manifest->target)
        words_add(step, input->manifest->target);
    plan->results = text_format("%s/source", root);
    return DROVER_OK;
}

/* A file may be called '-rf.c' or '@a.c', which is no option and no file of options. */
static enum drover_status plan_cc(const struct plan_input *input, const char *root, struct plan *plan,
                                  struct drover_error *error)
{
    static const char *const flags[] = {"-std=gnu17",
                                        "-O2",
                                        "-g",
                                        "-Wall",
                                        "-fPIE",
                                        "-pie",
                                        "-pthread",
                                        "-fstack-protector-strong",
                                        "-Wl,-z,relro",
                                        "-Wl,-z,now",
                                        "-Wl,--build-id=sha1"};
    char *cc = text_format("%s/bin/cc", root);
    struct words *step = new_step(plan, cc ? cc : "cc");
    free(cc);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        words_add(step, flags[i]);
    words_add(step, "-o");
    words_format(step, "%s/build/driver", root);
    for (size_t i = 0; i < input->sources->count; i++)
        words_format(step, "%s%s", strchr("-@", *input->sources->items[i]) ? "./" : "", input->sources->items[i]);
    words_append(step, input->package_flags);
    words_add(step, "-ldrover-worker");
    plan->results = text_format("%s/build", root);
    plan->artefact = strdup("driver");
    if (input->sources->count > 0)
        return plan->artefact ? DROVER_OK : trouble_memory(error);
    return drover_error_set(error, DROVER_FAILED_PRECONDITION, "no *.c file in the folder that 'cc' is to build");
}

static enum drover_status plan_command(const struct plan_input *input, const char *root, struct plan *plan,
                                       struct drover_error *error)
{
    const struct words *command = &input->manifest->command;
    const bool is_path = strchr(command->items[0], '/') != NULL;
    const enum drover_status status = need(is_path ? "" : input->tools->command, command->items[0], NULL, error);
    if (status != DROVER_OK)
        return status;
    struct words *step = new_step(plan, is_path ? command->items[0] : input->tools->command);
    for (size_t i = 1; i < command->count; i++)
        words_add(step, command->items[i]);
    plan->results = text_format("%s/source", root);
    return DROVER_OK;
}

/* --- what they have in common --------------------------------------------------------------------------------------
 */

static void set_environment(const struct plan_input *input, const char *root, struct words *environment)
{
    static const char *const fixed[] = {"LC_ALL=C", "TZ=UTC", "CC=cc", "CXX=c++", "LDFLAGS=-Wl,--build-id=sha1"};
    static const char *const below[][2] = {
        {"HOME", "home"},         {"TMPDIR", "tmp"},           {"CMAKE_PREFIX_PATH", "sdk"},
        {"CPATH", "sdk/include"}, {"LIBRARY_PATH", "sdk/lib"}, {"PKG_CONFIG_PATH", "sdk/lib/pkgconfig"},
    };
    words_format(environment, "PATH=%s/bin:%s", root, input->path);
    words_format(environment, "DROVER_BUILD_ROOT=%s", root);
    words_format(environment, "SOURCE_DATE_EPOCH=%d", COPY_TIME);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        words_add(environment, fixed[i]);
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
        words_format(environment, "%s=%s/%s", below[i][0], root, below[i][1]);
}

static bool lacks_memory(const struct plan *plan)
{
    bool lacks = plan->environment.no_memory || !plan->directory || !plan->results;
    for (size_t i = 0; i < plan->step_count; i++)
        lacks |= plan->steps[i].no_memory;
    return lacks;
}

enum drover_status plan_make(const struct plan_input *input, const char *root, struct plan *ret,
                             struct drover_error *error)
{
    static enum drover_status (*const systems[SYSTEM_END])(const struct plan_input *input, const char *root,
                                                           struct plan *plan, struct drover_error *error) = {
        [SYSTEM_CMAKE] = plan_cmake,
        [SYSTEM_MAKE] = plan_make_system,
        [SYSTEM_CC] = plan_cc,
        [SYSTEM_COMMAND] = plan_command,
    };
    *ret = (struct plan){.directory = text_format("%s/source", root)};
    enum drover_status status = DROVER_OK;
    if (input->system != SYSTEM_COMMAND) /* a command may need none */
        status = need(input->tools->cc, "cc", "gcc", error);
    if (status == DROVER_OK)
        status = systems[input->system](input, root, ret, error);
    if (status != DROVER_OK)
        return status;
    if (input->manifest->artefact && input->system != SYSTEM_CC) {
        ret->artefact = strdup(input->manifest->artefact);
        if (!ret->artefact)
            return trouble_memory(error);
    }
    set_environment(input, root, &ret->environment);
    return lacks_memory(ret) ? trouble_memory(error) : DROVER_OK;
}

void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < PLAN_STEPS_MAX; i++)
        words_done(&plan->steps[i]);
    words_done(&plan->environment);
    free(plan->directory);
    free(plan->results);
    free(plan->artefact);
    *plan = (struct plan){0};
}

void plan_identify(const struct plan *plan, struct digest *digest)
{
    for (size_t i = 0; i < plan->step_count; i++)
        digest_add_words(digest, "step", &plan->steps[i]);
    digest_add_words(digest, "environment", &plan->environment);
    digest_add(digest, "artefact", plan->artefact);
}
