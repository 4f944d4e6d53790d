/* prepare.c - all that comes before a build: the copy, the manifest, the key (job.h)
 *
 * What is hashed is the copy, so what is built is what the key says, whatever happens to the original meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/build/files.h"
#include "worker/build/job.h"
#include "worker/build/tools.h"
#include "worker/build/trouble.h"

#define KEY_SCHEMA "drover-build-1"

/* --- the copy ------------------------------------------------------------------------------------------------------
 */

static enum drover_status make_root(struct job *job, struct drover_error *error)
{
    enum drover_status status = store_tmp_new(job->store, "build", &job->tmp, error);
    if (status != DROVER_OK)
        return status;
    char *real = realpath(store_tmp_path(job->tmp), NULL);
    if (!real)
        return trouble_errno(error, errno, "folder '%s'", store_tmp_path(job->tmp));
    /* The build's user has to get through. What else is in there is readable, and secret to nobody. */
    if (chmod(real, 0711) != 0)
        status = trouble_errno(error, errno, "folder '%s'", real);
    job->root = text_format("%s/work", real);
    if (status == DROVER_OK && !job->root)
        status = trouble_memory(error);
    if (status == DROVER_OK)
        status = sandbox_choose(job->request->policy, job->request->launcher, real, &job->sandbox, error);
    free(real);
    return status == DROVER_OK ? files_make_folder(job->root, 0755, error) : status;
}

static enum drover_status copy_source(struct job *job, struct drover_error *error)
{
    struct build_result *result = job->result;
    char *to = text_format("%s/source", job->root);
    enum drover_status status = to ? DROVER_OK : trouble_memory(error);
    if (status == DROVER_OK)
        status = copy_tree(job->request->source, to, &job->sandbox.owner, error);
    if (status == DROVER_OK)
        status = store_tree_hash(to, result->record.source, error);
    free(to);
    return status;
}

/* --- the manifest --------------------------------------------------------------------------------------------------
 */

static enum drover_status read_manifest(struct job *job, struct drover_error *error)
{
    struct build_result *result = job->result;
    struct drover_error why = {0};
    char *text = NULL;
    size_t size = 0;
    char *path = text_format("%s/source/" MANIFEST_FILE, job->root);
    if (!path)
        return trouble_memory(error);
    enum drover_status status = sys_read_file(path, MANIFEST_SIZE_MAX, &text, &size, &why);
    free(path);
    if (status == DROVER_RESOURCE_EXHAUSTED)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, MANIFEST_FILE ": larger than %zu bytes",
                                MANIFEST_SIZE_MAX);
    if (status != DROVER_OK && status != DROVER_NOT_FOUND)
        return drover_error_set(error, status, "%s", why.text);
    status = manifest_parse(text ? text : "", size, MANIFEST_FILE, &result->manifest, &result->messages);
    free(text);
    if (status == DROVER_INVALID_ARGUMENT && result->messages.count > 0)
        return drover_error_set(error, status, "%s", result->messages.lines[0]);
    return status == DROVER_OK ? DROVER_OK : trouble_memory(error);
}

/* The name of the folder, or of the repository that it came from: without trailing slashes and extension. */
static char *name_of_folder(const char *folder)
{
    char *path = sys_absolute_path(folder);
    const char *base = path ? strrchr(path, '/') + 1 : "";
    const size_t size = strcspn(base, ".");
    char *name = path ? strndup(base, size > 0 ? size : strlen(base)) : NULL;
    free(path);
    return name;
}

static enum drover_status choose_names(struct job *job, struct drover_error *error)
{
    struct build_result *result = job->result;
    const struct build_request *request = job->request;
    const struct manifest *manifest = result->manifest;
    if (manifest->interface && request->interface && strcmp(manifest->interface, request->interface) != 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                MANIFEST_FILE ": the driver serves interface '%s', not '%s', which is wanted",
                                manifest->interface, request->interface);
    const char *interface = manifest->interface ? manifest->interface : request->interface;
    const char *name = manifest->name ? manifest->name : request->name;
    result->interface = strdup(interface ? interface : "");
    result->name = name ? strdup(name) : name_of_folder(request->source);
    return result->interface && result->name ? DROVER_OK : trouble_memory(error);
}

/* --- the key -------------------------------------------------------------------------------------------------------
 */

static enum drover_status list_sources(struct job *job, struct drover_error *error)
{
    static const char *const endings[] = {".c", NULL};
    char *folder = text_format("%s/source", job->root);
    enum drover_status status = folder ? DROVER_OK : trouble_memory(error);
    if (status == DROVER_OK)
        status = plan_choose(job->result->manifest, folder, job->request->source, &job->system, error);
    if (status == DROVER_OK && job->system == SYSTEM_CC)
        status = files_list(folder, endings, &job->sources, error);
    free(folder);
    (void)strncpy(job->result->record.system, build_system_name(job->system), sizeof(job->result->record.system) - 1);
    return status;
}

static void find_tools(const struct manifest *manifest, struct plan_tools *tools)
{
    if (manifest->command.count > 0 && !strchr(manifest->command.items[0], '/'))
        tools->command = tool_find(manifest->command.items[0]);
    tools->cc = tool_find("cc");
    tools->cmake = tool_find("cmake");
    tools->make = tool_find("make");
    tools->ninja = tool_find("ninja");
}

static enum drover_status identify_tools(const struct job *job, struct digest *digest, struct drover_error *error)
{
    static const char *const cc[] = {"--version", "-dumpmachine", NULL}, *const other[] = {"--version", NULL};
    const struct plan_tools *tools = &job->tools;
    const struct {
        const char *program;
        bool used;
        const char *const *questions;
    } rows[] = {
        {tools->cc, true, cc},
        {tools->cmake, job->system == SYSTEM_CMAKE, other},
        {tools->ninja, job->system == SYSTEM_CMAKE, other},
        {tools->make, job->system == SYSTEM_MAKE || (job->system == SYSTEM_CMAKE && !tools->ninja), other},
    };
    enum drover_status status = DROVER_OK;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == DROVER_OK; i++) {
        if (rows[i].program && rows[i].used)
            status = tool_identify(rows[i].program, rows[i].questions, digest, error);
    }
    return status;
}

/* What the source itself says of how it is built. */
static void identify_source(const struct job *job, struct digest *digest)
{
    const struct manifest *manifest = job->result->manifest;
    digest_add(digest, "schema", KEY_SCHEMA);
    digest_add(digest, "source", job->result->record.source);
    digest_add(digest, "system", build_system_name(job->system));
    digest_add(digest, "target", manifest->target);
    digest_add(digest, "artefact", manifest->artefact);
    digest_add_words(digest, "command", &manifest->command);
    digest_add_words(digest, "pkg_config", &manifest->packages);
    digest_add(digest, "name", manifest->name); /* it decides which of several programs is the driver */
}

static enum drover_status identify_packages(struct job *job, struct digest *digest, struct drover_error *error)
{
    const struct words *packages = &job->result->manifest->packages;
    struct words versions = {0};
    enum drover_status status = tools_ask_packages(packages, "--modversion", NULL, &versions, error);
    if (status == DROVER_OK)
        digest_add_words(digest, "versions", &versions);
    if (status == DROVER_OK && job->system == SYSTEM_CC)
        status = tools_ask_packages(packages, "--cflags", "--libs", &job->package_flags, error);
    words_done(&versions);
    return status;
}

/* What the commands would be if the build's folder had no name. */
static enum drover_status identify_plan(const struct job *job, struct digest *digest, struct drover_error *error)
{
    const struct plan_input input = {.manifest = job->result->manifest,
                                     .system = job->system,
                                     .sources = &job->sources,
                                     .package_flags = &job->package_flags,
                                     .tools = &job->tools,
                                     .path = ""};
    struct plan plan;
    const enum drover_status status = plan_make(&input, "", &plan, error);
    if (status == DROVER_OK)
        plan_identify(&plan, digest);
    plan_done(&plan);
    return status;
}

static enum drover_status compute_key(struct job *job, struct drover_error *error)
{
    struct digest digest;
    digest_init(&digest);
    digest_add(&digest, "source key", job->result->record.source_key);
    digest_add(&digest, "sandbox", SANDBOX_PROFILE);
    enum drover_status status = sdk_find(job->request->sdk, &job->sdk, error);
    job->result->library_folder = sdk_library_folder(&job->sdk);
    if (status == DROVER_OK)
        status = identify_packages(job, &digest, error);
    if (status == DROVER_OK)
        status = identify_plan(job, &digest, error);
    if (status == DROVER_OK)
        status = identify_tools(job, &digest, error);
    if (status == DROVER_OK)
        status = sdk_identify(&job->sdk, &digest, error);
    if (status == DROVER_OK)
        digest_end(&digest, job->result->record.key);
    return status;
}

enum drover_status job_prepare(struct job *job, struct drover_error *error)
{
    enum drover_status status = make_root(job, error);
    if (status == DROVER_OK)
        status = copy_source(job, error);
    if (status == DROVER_OK)
        status = read_manifest(job, error);
    if (status == DROVER_OK)
        status = choose_names(job, error);
    if (status == DROVER_OK && job->request->grants)
        status = manifest_exceeds(job->result->manifest, job->request->grants, error);
    if (status == DROVER_OK)
        status = list_sources(job, error);
    if (status != DROVER_OK)
        return status;
    struct digest digest;
    digest_init(&digest);
    identify_source(job, &digest);
    digest_end(&digest, job->result->record.source_key);
    find_tools(job->result->manifest, &job->tools);
    return compute_key(job, error);
}
