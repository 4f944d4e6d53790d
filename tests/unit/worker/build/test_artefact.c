/* test_artefact.c - what may come out of a build: an ELF file of this machine, where it was said to be */
#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "folder.h"
#include "worker/build/artefact.h"

TestSuite(artefact, .init = (void (*)(void))folder_make, .fini = folder_remove);

static void copy_file_of(const char *path, const char *name)
{
    char *data;
    size_t size;
    cr_assert_eq(sys_read_file(path, 64u << 20, &data, &size, NULL), DROVER_OK);
    folder_write_bytes(name, 0755, data, size);
    free(data);
}

/* This test itself is an executable of this machine. */
static void write_program(const char *name)
{
    copy_file_of("/proc/self/exe", name);
}

static void write_module(const char *name)
{
    copy_file_of(DROVER_BINARY_DIR "/drivers/echo/echo.so", name);
}

static enum drover_status take_form(const char *path, const char *name, enum artefact_form form,
                                    struct drover_error *error)
{
    enum artefact_form seen = form == ARTEFACT_MODULE ? ARTEFACT_EXECUTABLE : ARTEFACT_MODULE;
    unlink(folder_path("to"));
    const enum drover_status status = artefact_take(folder_path("r"), path, name, folder_path("to"), &seen, error);
    cr_expect(status != DROVER_OK || seen == form);
    return status;
}

static enum drover_status take(const char *path, const char *name, struct drover_error *error)
{
    return take_form(path, name, ARTEFACT_EXECUTABLE, error);
}

static void refused(const char *path, const char *why)
{
    struct drover_error error = {0};
    cr_expect_eq(take(path, "", &error), DROVER_FAILED_PRECONDITION, "%s", path);
    cr_expect_not_null(strstr(error.text, why), "%s: %s", path, error.text);
}

Test(artefact, is_copied_from_where_it_was_said_to_be)
{
    struct stat about;
    write_program("r/out/driver");
    cr_expect_eq(take("out/driver", "", NULL), DROVER_OK);
    cr_assert_eq(stat(folder_path("to"), &about), 0);
    cr_expect_eq(about.st_mode & 07777, 0755);
}

Test(artefact, is_the_only_program)
{
    write_program("r/sub/driver");
    write_program("r/CMakeFiles/3.25/a.out");
    folder_write("r/build.sh", 0755, "#!/bin/sh\n");
    cr_expect_eq(take(NULL, "", NULL), DROVER_OK);
}

Test(artefact, is_the_one_with_the_name_when_there_are_several)
{
    struct drover_error error = {0};
    write_program("r/one");
    write_program("r/two");
    cr_expect_eq(take(NULL, "two", NULL), DROVER_OK);
    cr_expect_eq(take(NULL, "", &error), DROVER_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "several executables"), "%s", error.text);
}

Test(artefact, is_the_only_module_where_there_is_no_program)
{
    write_module("r/sub/driver.so");
    copy_file_of(DROVER_BINARY_DIR "/lib/libdrover-worker.so", "r/libhelp.so");
    cr_expect_eq(take_form(NULL, "", ARTEFACT_MODULE, NULL), DROVER_OK);
    write_program("r/driver");
    cr_expect_eq(take(NULL, "", NULL), DROVER_OK, "an executable comes first");
    cr_expect_eq(take_form("sub/driver.so", "", ARTEFACT_MODULE, NULL), DROVER_OK);
    refused("libhelp.so", "is a shared object that is no driver");
}

Test(artefact, has_to_be_there)
{
    struct drover_error error = {0};
    folder_write("r/README", 0644, "x");
    refused("driver", "artefact 'driver': the build did not make it");
    cr_expect_eq(take(NULL, "", &error), DROVER_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "made no executable"), "%s", error.text);
}

Test(artefact, is_no_folder_script_empty_file_or_text)
{
    folder_write("r/folder/x", 0644, "x");
    folder_write("r/script", 0755, "#!/bin/sh\nexit 0\n");
    folder_write("r/empty", 0755, "");
    folder_write("r/text", 0755, "hello");
    folder_write("r/short", 0755, "\177ELF");
    refused("folder", "is a folder");
    refused("script", "is a script");
    refused("empty", "is an empty file");
    refused("text", "is neither an executable nor a shared object");
    refused("short", "is ");
}

Test(artefact, has_to_be_executable_by_mode_and_kind)
{
    Elf64_Ehdr header = {.e_ident = ELFMAG, .e_type = ET_DYN, .e_machine = EM_NONE};
    header.e_ident[EI_CLASS] = ELFCLASS64;
    folder_write_bytes("r/alien", 0755, &header, sizeof(header));
    write_program("r/plain");
    cr_assert_eq(chmod(folder_path("r/plain"), 0644), 0);
    refused("plain", "no x bit");
    refused("alien", "another kind of machine");
}

Test(artefact, follows_no_link_in_any_part)
{
    write_program("elsewhere/driver");
    folder_write("r/README", 0644, "x");
    cr_assert_eq(symlink("../elsewhere/driver", folder_path("r/link")), 0);
    cr_assert_eq(symlink("../elsewhere", folder_path("r/folder")), 0);
    refused("link", "is a symlink");
    refused("folder/driver", "no folder of its own");
    struct drover_error error = {0};
    cr_expect_eq(take(NULL, "", &error), DROVER_FAILED_PRECONDITION, "found through a link");
}
