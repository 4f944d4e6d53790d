/* sdk.c - finds, identifies and copies the SDK (sdk.h) */
#include "worker/build/sdk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/build/files.h"
#include "worker/build/trouble.h"

#define LIBRARY "libdrover-worker.so"
#define FILE_BYTES_MAX (UINT64_C(256) << 20)

static const char pkgconfig_text[] = "prefix=${pcfiledir}/../..\n"
                                     "Name: drover-worker\n"
                                     "Description: write drivers for drover\n"
                                     "Version: " DROVER_VERSION "\n"
                                     "Libs: -L${prefix}/lib -ldrover-worker\n"
                                     "Cflags: -I${prefix}/include\n";

static const char cmake_text[] =
    "if(NOT TARGET drover::worker)\n"
    "  get_filename_component(drover_prefix \"${CMAKE_CURRENT_LIST_DIR}/../../..\" ABSOLUTE)\n"
    "  add_library(drover::worker SHARED IMPORTED)\n"
    "  set_target_properties(drover::worker PROPERTIES IMPORTED_LOCATION \"${drover_prefix}/lib/" LIBRARY "\"\n"
    "    IMPORTED_NO_SONAME FALSE INTERFACE_INCLUDE_DIRECTORIES \"${drover_prefix}/include\")\n"
    "endif()\n";

static const char cmake_version_text[] = "set(PACKAGE_VERSION " DROVER_VERSION ")\n"
                                         "if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)\n"
                                         "  set(PACKAGE_VERSION_COMPATIBLE FALSE)\n"
                                         "else()\n"
                                         "  set(PACKAGE_VERSION_COMPATIBLE TRUE)\n"
                                         "endif()\n";

/* The library below a prefix, for the caller to free(); NULL when there is none. */
static char *find_library(const char *prefix)
{
    static const char *const folders[] = {DROVER_LIBDIR, "lib", "lib64"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *path = text_format("%s/%s/" LIBRARY, prefix, folders[i]);
        if (!path || files_is_regular(path))
            return path;
        free(path);
    }
    return NULL;
}

/* False when there is no SDK below the prefix. */
static bool look(const char *prefix, struct sdk *sdk)
{
    char *header = text_format("%s/include/drover/worker.h", prefix);
    const bool found = header && files_is_regular(header);
    free(header);
    if (!found)
        return false;
    sdk->library = find_library(prefix);
    sdk->headers = sdk->library ? text_format("%s/include", prefix) : NULL;
    return sdk->headers != NULL;
}

/* In a build's folder, below an installed libexec/drover, below an installed bin. */
static bool look_around(struct sdk *sdk)
{
    static const char *const places[] = {"../sdk", "../..", ".."};
    char *here = sys_program_dir();
    bool found = false;
    for (size_t i = 0; here && i < sizeof(places) / sizeof(places[0]) && !found; i++) {
        char *prefix = text_format("%s/%s", here, places[i]);
        sdk_done(sdk);
        found = prefix && look(prefix, sdk);
        free(prefix);
    }
    free(here);
    return found;
}

void sdk_done(struct sdk *sdk)
{
    free(sdk->headers);
    free(sdk->library);
    words_done(&sdk->names);
    *sdk = (struct sdk){0};
}

enum drover_status sdk_find(const char *prefix, struct sdk *ret, struct drover_error *error)
{
    static const char *const endings[] = {".h", ".def", NULL};
    *ret = (struct sdk){0};
    if (!(prefix ? look(prefix, ret) : look_around(ret)))
        return drover_error_set(error, DROVER_NOT_FOUND,
                                "the SDK is not %s%s: it needs include/drover/worker.h and lib/" LIBRARY
                                " (--sdk names the folder that holds both)",
                                prefix ? "in " : "where drover is installed", prefix ? prefix : "");
    char *folder = text_format("%s/drover", ret->headers);
    const enum drover_status status = folder ? files_list(folder, endings, &ret->names, error) : trouble_memory(error);
    free(folder);
    return status;
}

char *sdk_library_folder(const struct sdk *sdk)
{
    char *real = sdk->library ? realpath(sdk->library, NULL) : NULL;
    if (real)
        *strrchr(real, '/') = '\0';
    return real;
}

static enum drover_status identify(const char *path, const char *name, struct digest *digest,
                                   struct drover_error *error)
{
    char hash[DIGEST_SIZE];
    const enum drover_status status = path ? sys_hash_file(path, hash, error) : trouble_memory(error);
    if (status == DROVER_OK)
        digest_add(digest, name, hash);
    return status;
}

enum drover_status sdk_identify(const struct sdk *sdk, struct digest *digest, struct drover_error *error)
{
    enum drover_status status = identify(sdk->library, LIBRARY, digest, error);
    for (size_t i = 0; i < sdk->names.count && status == DROVER_OK; i++) {
        char *path = text_format("%s/drover/%s", sdk->headers, sdk->names.items[i]);
        status = identify(path, sdk->names.items[i], digest, error);
        free(path);
    }
    return status;
}

/* The library's own name, without links: copied are bytes. */
static enum drover_status stage_library(const struct sdk *sdk, const char *to, struct drover_error *error)
{
    char *real = realpath(sdk->library, NULL), *copy = text_format("%s/lib/" LIBRARY, to);
    enum drover_status status = copy ? DROVER_OK : trouble_memory(error);
    if (!real)
        status = trouble_errno(error, errno, "library '%s'", sdk->library);
    if (status == DROVER_OK)
        status = copy_file(real, copy, 0755, FILE_BYTES_MAX, error);
    free(real);
    free(copy);
    return status;
}

static enum drover_status stage_headers(const struct sdk *sdk, const char *to, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    for (size_t i = 0; i < sdk->names.count && status == DROVER_OK; i++) {
        char *from = text_format("%s/drover/%s", sdk->headers, sdk->names.items[i]);
        char *real = from ? realpath(from, NULL) : NULL;
        char *copy = text_format("%s/include/drover/%s", to, sdk->names.items[i]);
        if (!from || !copy)
            status = trouble_memory(error);
        else if (!real)
            status = trouble_errno(error, errno, "header '%s'", from);
        else
            status = copy_file(real, copy, 0644, FILE_BYTES_MAX, error);
        free(from);
        free(real);
        free(copy);
    }
    return status;
}

enum drover_status sdk_stage(const struct sdk *sdk, const char *to, struct drover_error *error)
{
    static const struct {
        const char *name, *text; /* text NULL: a folder */
    } parts[] = {
        {"", NULL},
        {"/include", NULL},
        {"/include/drover", NULL},
        {"/lib", NULL},
        {"/lib/pkgconfig", NULL},
        {"/lib/cmake", NULL},
        {"/lib/cmake/drover", NULL},
        {"/lib/pkgconfig/drover-worker.pc", pkgconfig_text},
        {"/lib/cmake/drover/drover-config.cmake", cmake_text},
        {"/lib/cmake/drover/drover-config-version.cmake", cmake_version_text},
    };
    enum drover_status status = DROVER_OK;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == DROVER_OK; i++) {
        char *path = text_format("%s%s", to, parts[i].name);
        if (!path)
            status = trouble_memory(error);
        else if (parts[i].text)
            status = files_write(path, 0644, parts[i].text, error);
        else
            status = files_make_folder(path, 0755, error);
        free(path);
    }
    if (status == DROVER_OK)
        status = stage_headers(sdk, to, error);
    return status == DROVER_OK ? stage_library(sdk, to, error) : status;
}
