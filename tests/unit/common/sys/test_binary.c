/* test_binary.c - what a file is as a program, whoever made it */
#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/binary.h"
#include "common/sys/sys.h"

#define ODD(name) DROVER_BINARY_DIR "/tests/odd_" name ".so"

static char path[64];

static void remove_file(void)
{
    if (path[0])
        unlink(path);
}

TestSuite(binary, .fini = remove_file);

/* What a file with these octets is. */
static enum binary_kind kind_of(const void *data, size_t size)
{
    remove_file();
    strcpy(path, "/tmp/drover-binary-XXXXXX");
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, data, size), (ssize_t)size);
    close(file);
    return binary_look_at(path);
}

#define cr_expect_kind(kind, wanted)                                                                      \
    do {                                                                                                  \
        const enum binary_kind seen = (kind);                                                             \
        cr_expect_eq(seen, wanted, "it is %s, not %s", binary_kind_text(seen), binary_kind_text(wanted)); \
    } while (0)

/* This test is position-independent: of the type of shared objects. */
Test(binary, an_executable_is_one_although_it_could_be_loaded_anywhere)
{
    char *data;
    size_t size;
    cr_expect_kind(binary_look_at("/proc/self/exe"), BINARY_EXECUTABLE);
    cr_assert_eq(sys_read_file("/proc/self/exe", 64u << 20, &data, &size, NULL), DROVER_OK);
    cr_expect_eq(((const ElfW(Ehdr) *)(const void *)data)->e_type, ET_DYN);
    free(data);
}

Test(binary, a_shared_object_with_the_descriptor_is_a_module)
{
    cr_expect_kind(binary_look_at(DROVER_BINARY_DIR "/drivers/echo/echo.so"), BINARY_MODULE);
    cr_expect_kind(binary_look_at(ODD("good")), BINARY_MODULE);
    cr_expect_kind(binary_look_at(ODD("sysv")), BINARY_MODULE); /* another kind of hash table */
}

Test(binary, a_shared_object_without_the_descriptor_is_none)
{
    cr_expect_kind(binary_look_at(DROVER_BINARY_DIR "/lib/libdrover-worker.so"), BINARY_LIBRARY);
    cr_expect_kind(binary_look_at(ODD("function")), BINARY_LIBRARY);
    cr_expect_kind(binary_look_at(ODD("reference")), BINARY_LIBRARY);
    cr_expect_kind(binary_look_at(ODD("hidden")), BINARY_LIBRARY);
}

Test(binary, what_is_no_elf_is_told_apart)
{
    cr_expect_kind(kind_of("", 0), BINARY_EMPTY);
    cr_expect_kind(kind_of("#", 1), BINARY_OTHER);
    cr_expect_kind(kind_of("#!/bin/sh\n", 10), BINARY_SCRIPT);
    cr_expect_kind(kind_of("hello", 5), BINARY_OTHER);
    cr_expect_kind(kind_of(ELFMAG, SELFMAG), BINARY_DAMAGED);
}

static enum binary_kind kind_of_header(unsigned type, unsigned machine_change, unsigned class_change)
{
    ElfW(Ehdr) header;
    char *data;
    size_t size;
    cr_assert_eq(sys_read_file("/proc/self/exe", 64u << 20, &data, &size, NULL), DROVER_OK);
    memcpy(&header, data, sizeof(header));
    free(data);
    header.e_type = (ElfW(Half))type;
    header.e_machine = (ElfW(Half))(header.e_machine + machine_change);
    header.e_ident[EI_CLASS] = (unsigned char)(header.e_ident[EI_CLASS] ^ class_change);
    header.e_phnum = 0;
    return kind_of(&header, sizeof(header));
}

Test(binary, elf_files_of_other_kinds_and_machines_are_told_apart)
{
    cr_expect_kind(kind_of_header(ET_EXEC, 0, 0), BINARY_EXECUTABLE);
    cr_expect_kind(kind_of_header(ET_REL, 0, 0), BINARY_OBJECT);
    cr_expect_kind(kind_of_header(ET_CORE, 0, 0), BINARY_OBJECT);
    cr_expect_kind(kind_of_header(ET_DYN, 0, 0), BINARY_LIBRARY);
    cr_expect_kind(kind_of_header(ET_DYN, 1, 0), BINARY_ALIEN);
    cr_expect_kind(kind_of_header(ET_DYN, 0, 3), BINARY_ALIEN);
}

/* As while somebody still writes it. */
Test(binary, a_module_that_is_cut_off_is_no_module_but_never_a_fault)
{
    char *data;
    size_t size, modules = 0;
    cr_assert_eq(sys_read_file(ODD("good"), 64u << 20, &data, &size, NULL), DROVER_OK);
    for (size_t cut = 1; cut < 2048 && cut < size; cut++)
        modules += kind_of(data, cut) == BINARY_MODULE;
    cr_expect_eq(modules, 0);
    cr_expect_kind(kind_of(data, size), BINARY_MODULE);
    free(data);
}

/* Where the last octet stands that is loaded from a file; what comes behind it is for debuggers. */
static size_t end_of_segments(const char *data)
{
    const ElfW(Ehdr) *header = (const void *)data;
    const ElfW(Phdr) *segments = (const void *)(data + header->e_phoff);
    size_t end = 0;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const size_t its_end = (size_t)(segments[i].p_offset + segments[i].p_filesz);
        if (segments[i].p_type == PT_LOAD && its_end > end)
            end = its_end;
    }
    return end;
}

Test(binary, an_executable_that_is_cut_off_is_damaged)
{
    char *data;
    size_t size;
    cr_assert_eq(sys_read_file(DROVER_BINARY_DIR "/drivers/echo/echo", 64u << 20, &data, &size, NULL), DROVER_OK);
    const size_t end = end_of_segments(data);
    cr_assert_leq(end, size);
    for (size_t cut = end - 1; cut >= SELFMAG; cut /= 2)
        cr_expect_kind(kind_of(data, cut), BINARY_DAMAGED);
    cr_expect_kind(kind_of(data, end), BINARY_EXECUTABLE);
    cr_expect_kind(kind_of(data, size), BINARY_EXECUTABLE);
    free(data);
}

Test(binary, what_is_no_regular_file_is_not_read)
{
    char folder[] = "/tmp/drover-binary-XXXXXX", fifo[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    cr_expect_kind(binary_look_at(fifo), BINARY_OTHER);
    cr_expect_kind(binary_look_at(folder), BINARY_OTHER);
    cr_expect_kind(binary_look_at("/dev/zero"), BINARY_OTHER);
    unlink(fifo);
    rmdir(folder);
    cr_expect_kind(binary_look_at(folder), BINARY_UNREADABLE);
}

Test(binary, looking_does_not_move_the_position_of_a_file)
{
    const int file = memfd_create("binary", 0);
    cr_assert_eq(write(file, "#!/bin/sh", 9), 9);
    cr_expect_kind(binary_look(file), BINARY_SCRIPT);
    cr_expect_eq(lseek(file, 0, SEEK_CUR), 9);
    close(file);
}
