/* test_lockfile.c - the lock file on the disk */
#include "tests/unit/common/load/folder.h"

#include "common/load/lockfile.h"

TestSuite(lockfile, .init = make_folder, .fini = remove_folder);

#define ID "0123456789abcdef0123456789abcdef01234567"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct lock *lock_of(const char *url)
{
    struct drover_error error = {0};
    struct lock *lock = lock_new();
    const struct lock_entry entry = {
        .url = (char *)url, .commit = (char *)ID, .tree = (char *)ID, .content = (char *)"sha256:" HASH};
    cr_assert_eq(lock_set(lock, &entry, &error), DROVER_OK, "%s", error.text);
    return lock;
}

static void write_lock(const char *url)
{
    struct drover_error error = {0};
    struct lock *lock = lock_of(url);
    cr_assert_eq(lockfile_write(at("drover.lock"), lock, &error), DROVER_OK, "%s", error.text);
    lock_free(lock);
}

Test(lockfile, one_that_is_not_there_has_no_entries)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    cr_assert_eq(lockfile_read(at("drover.lock"), &lock, &messages), DROVER_OK);
    cr_expect_eq(lock->count, 0);
    lock_free(lock);
}

Test(lockfile, is_read_back)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    write_lock("https://host/a");
    write_lock("https://host/b");
    cr_assert_eq(lockfile_read(at("drover.lock"), &lock, &messages), DROVER_OK);
    cr_assert_eq(lock->count, 1);
    cr_expect_str_eq(lock->entries[0].url, "https://host/b");
    cr_expect_eq(count_files(), 1, "nothing else is left");
    lock_free(lock);
}

Test(lockfile, keeps_its_mode_and_is_not_written_again_for_nothing)
{
    struct stat before, after;
    write_lock("https://host/a");
    cr_assert_eq(stat(at("drover.lock"), &before), 0);
    cr_expect_eq(before.st_mode & 07777, 0644);
    cr_assert_eq(chmod(at("drover.lock"), 0640), 0);
    write_lock("https://host/a");
    cr_assert_eq(stat(at("drover.lock"), &after), 0);
    cr_expect_eq(after.st_ino, before.st_ino);
    write_lock("https://host/b");
    cr_assert_eq(stat(at("drover.lock"), &after), 0);
    cr_expect_neq(after.st_ino, before.st_ino);
    cr_expect_eq(after.st_mode & 07777, 0640);
}

Test(lockfile, says_why_it_cannot_be_written)
{
    struct drover_error error = {0};
    struct lock *lock = lock_of("https://host/a");
    cr_expect_eq(lockfile_write(at("nosuch/drover.lock"), lock, &error), DROVER_NOT_FOUND);
    cr_expect_not_null(strstr(error.text, "nosuch/drover.lock': cannot be written: No such file"), "%s", error.text);
    cr_assert_eq(mkdir(at("drover.lock"), 0700), 0);
    cr_expect_neq(lockfile_write(at("drover.lock"), lock, &error), DROVER_OK);
    cr_expect_eq(count_files(), 1, "nothing else is left");
    lock_free(lock);
}

Test(lockfile, mistakes_name_the_file)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    put_file("drover.lock", "version: 9\n");
    cr_expect_eq(lockfile_read(at("drover.lock"), &lock, &messages), DROVER_INVALID_ARGUMENT);
    cr_assert_eq(messages.count, 1);
    cr_expect_not_null(strstr(messages.lines[0], "/drover.lock:1:10: key 'version'"), "%s", messages.lines[0]);
    config_messages_done(&messages);
    cr_assert_eq(unlink(at("drover.lock")), 0);
    cr_assert_eq(mkdir(at("drover.lock"), 0700), 0);
    cr_expect_eq(lockfile_read(at("drover.lock"), &lock, &messages), DROVER_INTERNAL);
    cr_expect_eq(messages.count, 1);
    config_messages_done(&messages);
}
