/* test_refused_start.c - what a broker cannot start with: one clear message, exit status 78, nothing touched */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"

static struct broker_rig rig;

#define ECHO "  echo: {driver: echo}"
#define LISTEN "  listen: ['ipc://@/broker.sock']\n"

/* A configuration and two parts of what is said about it. */
struct start {
    char name[40], broker[256], services[128], says[64], also[64];
};

static const struct start starts[] = {
    {"unknown key", LISTEN "  state_dir: @/state\n", "  echo: {drivr: echo}", "drover.yaml:6:10:", "'driver'"},
    {"unknown driver", LISTEN "  state_dir: @/state\n", "  echo: {driver: ecko}", "'ecko'", "'echo'"},
    {"driver that is not there", LISTEN "  state_dir: @/state\n", "  echo: {driver: @/nothing}", "/nothing'", "echo"},
    {"driver that is no program", LISTEN "  state_dir: @/state\n", "  echo: {driver: @/drover.yaml}", "drover.yaml",
     ""},
    {"no yaml", LISTEN "  state_dir: @/state\n", "  echo: {driver: echo", "drover.yaml:", ""},
    {"planned key", LISTEN "  state_dir: @/state\n  http: '127.0.0.1:0'\n", ECHO, "http", "drover.yaml:4:"},
    {"long socket path",
     "  listen: ['ipc://@/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']\n"
     "  state_dir: @/state\n",
     ECHO, "107", "aaaa"},
    {"long state directory",
     LISTEN "  state_dir: @/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", ECHO,
     "107", "aaaa"},
    {"no parent of the state directory", LISTEN "  state_dir: @/no/where\n", ECHO, "/no/where'", "No such file"},
    {"state directory that is a file", LISTEN "  state_dir: @/drover.yaml\n", ECHO, "drover.yaml'", ""},
    {"state directory where none can be", LISTEN "  state_dir: /proc/drover\n", ECHO, "'/proc/drover'", ""},
    {"socket that is a file", "  listen: ['ipc://@/drover.yaml']\n  state_dir: @/state\n", ECHO, "no socket", "remove"},
    {"world-wide address", "  listen: ['tcp://0.0.0.0:5570']\n  state_dir: @/state\n", ECHO, "tcp://0.0.0.0:5570",
     "loopback"},
};

/* The broker ends with 78, after saying both. */
static void expect_refused(const char *what, const char *says, const char *also)
{
    broker_rig_start(&rig);
    const int status = broker_rig_await_end(&rig);
    char *output = broker_rig_output(&rig);
    printf("%s: %s", what, output);
    cr_expect_eq(status, 78, "%s: %d", what, status);
    cr_expect(strstr(output, says) != NULL && strstr(output, also) != NULL, "%s: %s", what, output);
    free(output);
}

ParameterizedTestParameters(refused_start, says_why)
{
    return cr_make_param_array(struct start, (void *)starts, sizeof(starts) / sizeof(starts[0]));
}

ParameterizedTest(struct start *start, refused_start, says_why)
{
    broker_rig_init_with(&rig, start->broker, start->services);
    expect_refused(start->name, start->says, start->also);
    cr_expect_eq(access(rig.config, F_OK), 0, "%s: the file is gone", start->name);
    broker_rig_done(&rig);
}

Test(refused_start, names_a_configuration_that_is_not_there)
{
    broker_rig_init(&rig, ECHO);
    cr_assert_eq(unlink(rig.config), 0);
    expect_refused("no configuration", rig.config, "no such file");
    broker_rig_done(&rig);
}

Test(refused_start, names_an_address_that_is_in_use)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    char lines[128], endpoint[64];
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(taken, (struct sockaddr *)&address, size) == 0 && listen(taken, 1) == 0);
    cr_assert_eq(getsockname(taken, (struct sockaddr *)&address, &size), 0);
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(lines, sizeof(lines), "  listen: ['%s']\n  state_dir: @/state\n", endpoint);
    broker_rig_init_with(&rig, lines, ECHO);
    expect_refused("taken address", endpoint, "in use");
    close(taken);
    broker_rig_done(&rig);
}

/* Nobody but root may mount, and nobody else is kept out by a mode. */
Test(refused_start, says_that_the_disk_is_full)
{
    broker_rig_init_with(&rig, LISTEN "  state_dir: @/disk/state\n", ECHO);
    const char *disk = broker_rig_path(&rig, "disk");
    cr_assert_eq(mkdir(disk, 0700), 0);
    const bool mounted = mount("none", disk, "tmpfs", 0, "size=4k,nr_inodes=1") == 0;
    if (mounted)
        expect_refused("full disk", "/disk/state'", "No space left");
    if (mounted)
        cr_expect_eq(umount(disk), 0);
    broker_rig_done(&rig);
    if (!mounted)
        cr_skip_test("no right to mount a small disk");
}

Test(refused_start, says_that_the_state_directory_cannot_be_written)
{
    broker_rig_init_with(&rig, LISTEN "  state_dir: @/disk/state\n", ECHO);
    const char *disk = broker_rig_path(&rig, "disk");
    cr_assert_eq(mkdir(disk, 0500), 0);
    const bool mounted = geteuid() != 0 || mount("none", disk, "tmpfs", MS_RDONLY, "size=4k") == 0;
    if (mounted)
        expect_refused("unwritable", "/disk/state'", geteuid() != 0 ? "Permission denied" : "Read-only");
    if (mounted && geteuid() == 0)
        cr_expect_eq(umount(disk), 0);
    broker_rig_done(&rig);
    if (!mounted)
        cr_skip_test("no right to mount a read-only disk");
}
