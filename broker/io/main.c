/* main.c - drover-broker: options, configuration, locks, then the two threads */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/io/absent.h"
#include "broker/io/control.h"
#include "broker/io/data.h"
#include "broker/io/listen.h"
#include "broker/io/lockkeeper.h"
#include "broker/io/log.h"
#include "broker/io/roster.h"
#include "broker/io/single.h"
#include "common/base/options.h"
#include "common/base/text.h"
#include "common/load/load.h"
#include "common/sys/sys.h"
#include "worker/host/host.h"

enum { PASSABLE = 0711 }; /* folders */

enum {
    EXIT_USAGE = 2,
    EXIT_INTERNAL = 70,
    EXIT_CONFIG = 78,
};

struct arguments {
    const char *config;
    const char *log_format;
    const char *log_level;
    bool check, locked, frozen, help, version;
};

static const struct option table[] = {
    {"config", 'c', OPTION_TEXT, offsetof(struct arguments, config), "FILE",
     "the configuration (default /etc/drover/drover.yaml)"},
    {"check", 0, OPTION_FLAG, offsetof(struct arguments, check), NULL, "check the configuration and do not start"},
    {"locked", 0, OPTION_FLAG, offsetof(struct arguments, locked), NULL,
     "refuse drivers that drover.lock does not have, or has otherwise"},
    {"frozen", 0, OPTION_FLAG, offsetof(struct arguments, frozen), NULL, "the same, and do not use the network"},
    {"log-format", 0, OPTION_TEXT, offsetof(struct arguments, log_format), "text|json", "how log lines are written"},
    {"log-level", 0, OPTION_TEXT, offsetof(struct arguments, log_level), "LEVEL",
     "debug, info (default), warning or error"},
    {"help", 'h', OPTION_FLAG, offsetof(struct arguments, help), NULL, "print this help"},
    {"version", 0, OPTION_FLAG, offsetof(struct arguments, version), NULL, "print the version"},
    {0},
};

/* What the broker holds while it runs; broker_done() is total. */
struct broker {
    struct lockkeeper keeper;
    struct roster roster; /* owns the configuration that is in force */
    struct data *data;
    struct host *host;
    char *run_folder, *services_folder, *store, *memory, *endpoint;
    char *worker_program, *helpers, *library_folder; /* what belongs to this installation */
    int signals;
};

/* ---- command line ---- */

static int print_help(void)
{
    char *help = options_help(table);
    if (help == NULL)
        return EXIT_INTERNAL;
    (void)printf("usage: drover-broker --config FILE [OPTION...]\n\n"
                 "Routes calls to drivers and keeps their workers alive. See drover-broker(8), drover.yaml(5).\n\n%s",
                 help);
    free(help);
    return 0;
}

static int wrong_usage(const char *text)
{
    (void)fprintf(stderr, "drover-broker: %s (see drover-broker --help)\n", text);
    return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *ret)
{
    struct drover_error error = {0};
    enum log_level level = LOG_LEVEL_INFO;
    int rest = 0;
    if (options_parse(table, argc, argv, 1, ret, &rest, &error) != DROVER_OK)
        return wrong_usage(error.text);
    if (ret->help)
        return print_help();
    if (ret->version) {
        (void)printf("drover-broker %s\n", DROVER_VERSION);
        return 0;
    }
    if (rest < argc)
        return wrong_usage("it takes options only");
    if (ret->log_format != NULL && strcmp(ret->log_format, "text") != 0 && strcmp(ret->log_format, "json") != 0)
        return wrong_usage("--log-format is text or json");
    if (ret->log_level != NULL && !log_level_parse(ret->log_level, &level))
        return wrong_usage("--log-level is debug, info, warning or error");
    if (ret->config == NULL)
        ret->config = "/etc/drover/drover.yaml";
    log_setup(level, ret->log_format != NULL && strcmp(ret->log_format, "json") == 0);
    return -1;
}

static int print_messages(enum drover_status status, struct config_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        (void)fprintf(stderr, "%s\n", messages->lines[i]);
    config_messages_done(messages);
    return status == DROVER_OK ? 0 : EXIT_CONFIG;
}

static int print_error(const struct drover_error *error)
{
    (void)fprintf(stderr, "drover-broker: %s\n", error->text[0] != '\0' ? error->text : "no memory");
    return error->status == DROVER_RESOURCE_EXHAUSTED ? EXIT_INTERNAL : EXIT_CONFIG;
}

/* The programs that nobody starts by hand: beside this one in a build's folder, in libexec/drover where it is
 * installed. For the caller to free(). */
static char *find_helpers(const char *folder)
{
    char *beside = text_format("%s/drover-launch", folder);
    const bool built = beside != NULL && access(beside, X_OK) == 0;
    free(beside);
    return built ? strdup(folder) : text_format("%s/../" DROVER_LIBEXECDIR "/drover", folder);
}

static enum drover_status find_installation(struct broker *broker, struct drover_error *error)
{
    char *folder = sys_program_dir();
    if (folder != NULL) {
        broker->worker_program = text_format("%s/drover-worker", folder);
        broker->helpers = find_helpers(folder);
        broker->library_folder = text_format("%s/../" DROVER_LIBDIR, folder);
    }
    free(folder);
    if (broker->worker_program == NULL || broker->helpers == NULL || broker->library_folder == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for paths");
    return DROVER_OK;
}

static enum drover_status name_paths(struct broker *broker, struct drover_error *error)
{
    const char *state_dir = broker->roster.config->state_dir;
    broker->run_folder = text_format("%s/run", state_dir);
    broker->endpoint = text_format("ipc://%s/run/workers.sock", state_dir);
    broker->services_folder = text_format("%s/services", state_dir);
    broker->store = text_format("%s/store", state_dir);
    broker->memory = text_format("%s/versions", state_dir);
    if (broker->run_folder == NULL || broker->endpoint == NULL || broker->services_folder == NULL ||
        broker->store == NULL || broker->memory == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for paths");
    return DROVER_OK;
}

/* What the lock file and the paths add to a configuration, which is taken. */
static int complete(const struct arguments *arguments, struct broker *broker, struct config *config)
{
    enum lockkeeper_mode mode = arguments->locked ? LOCKKEEPER_LOCKED : LOCKKEEPER_WRITES;
    struct config_messages messages = {0};
    struct drover_error error = {0};
    if (arguments->frozen)
        mode = LOCKKEEPER_FROZEN;
    if (print_messages(lockkeeper_read(&broker->keeper, config, mode, &messages), &messages) != 0) {
        config_free(config);
        return EXIT_CONFIG;
    }
    if (roster_init(&broker->roster, &config, &broker->keeper, broker->worker_program, &error) != DROVER_OK ||
        name_paths(broker, &error) != DROVER_OK)
        return print_error(&error);
    return 0;
}

/* The configuration and its lock file. To start, a driver need not be there that a service can do without. */
static int load(const struct arguments *arguments, struct broker *broker)
{
    struct config_messages mistakes = {0};
    struct config *config = NULL;
    char hash[HOST_HASH_SIZE];
    roster_hash_file(arguments->config, hash);
    const enum drover_status status = arguments->check ? load_config(arguments->config, &config, &mistakes)
                                                       : load_config_leniently(arguments->config, &config, &mistakes);
    if (status != DROVER_OK) {
        (void)print_messages(status, &mistakes);
        return EXIT_CONFIG;
    }
    const int result = complete(arguments, broker, config);
    if (result == 0 && !absent_settle(&broker->roster, broker->memory))
        return print_messages(DROVER_INVALID_ARGUMENT, &mistakes);
    config_messages_done(&mistakes);
    memcpy(broker->roster.file_hash, hash, sizeof(hash));
    return result;
}

/* ---- set up ---- */

/* A reload that is asked for while the configuration is still being read for the first time waits for the control loop,
 * and does not end the broker. */
static void hold_hangup(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Threads inherit the mask, so that every signal comes to the control loop. */
static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigdelset(&set, SIGCHLD);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static enum drover_status lock_all(const struct config *config, struct drover_error *error)
{
    char *path = text_format("%s/lock", config->state_dir);
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;
    if (path != NULL)
        status = single_lock(path, error);
    free(path);
    for (size_t i = 0; status == DROVER_OK && i < config->listen_count; i++) {
        const char *socket = listen_ipc_path(config->listen[i]);
        if (socket == NULL)
            continue;
        char *folder = strdup(socket);
        path = text_format("%s.lock", socket);
        status = folder != NULL && path != NULL ? single_make_folder(dirname(folder), 0755, error)
                                                : DROVER_RESOURCE_EXHAUSTED;
        if (status == DROVER_OK)
            status = single_lock(path, error);
        free(folder);
        free(path);
    }
    return status;
}

static enum drover_status find_group(const struct config *config, int64_t *ret_group, struct drover_error *error)
{
    *ret_group = -1;
    if (config->group == NULL)
        return DROVER_OK;
    const struct group *group = getgrnam(config->group);
    if (group == NULL)
        return drover_error_set(error, DROVER_NOT_FOUND, "%s: key 'group': there is no group '%s'", config->path,
                                config->group);
    *ret_group = (int64_t)group->gr_gid;
    return DROVER_OK;
}

/* Workers and compilers of root's broker run as other users: they may pass through its folders, but not list them. */
static enum drover_status make_passable(const char *path, struct drover_error *error)
{
    struct stat about;
    if (single_make_folder(path, PASSABLE, error) != DROVER_OK)
        return error->status;
    if (getuid() != 0 || stat(path, &about) != 0 || (about.st_mode & S_IXOTH) != 0 ||
        chmod(path, about.st_mode | S_IXOTH) == 0)
        return DROVER_OK;
    return drover_error_set(error, DROVER_PERMISSION_DENIED, "folder '%s' cannot be opened to workers: %s", path,
                            strerror(errno));
}

static enum drover_status set_up(struct broker *broker, struct drover_error *error)
{
    const struct config *config = broker->roster.config;
    int64_t group = -1;
    if (find_group(config, &group, error) != DROVER_OK || make_passable(config->state_dir, error) != DROVER_OK ||
        make_passable(broker->run_folder, error) != DROVER_OK ||
        make_passable(broker->services_folder, error) != DROVER_OK || lock_all(config, error) != DROVER_OK)
        return error->status;
    const struct data_options data = {.listen = config->listen,
                                      .listen_count = config->listen_count,
                                      .mode = config->mode,
                                      .group = group,
                                      .workers = broker->endpoint,
                                      .owner_uid = (uint64_t)getuid()};
    const struct host_options host = {.endpoint = broker->endpoint,
                                      .worker_program = broker->worker_program,
                                      .helpers = broker->helpers,
                                      .store = broker->store,
                                      .library_folder = broker->library_folder,
                                      .memory = broker->memory,
                                      .unwatched = config->state_dir};
    if (data_new(&data, &broker->data, error) != DROVER_OK || host_new(&host, &broker->host, error) != DROVER_OK)
        return error->status;
    return data_start(broker->data, error);
}

static void announce(const struct broker *broker)
{
    const struct config *config = broker->roster.config;
    for (size_t i = 0; i < config->listen_count; i++)
        log_line(LOG_LEVEL_INFO, "listening on %s", config->listen[i]);
    for (size_t i = 0; i < config->service_count; i++) {
        if (config->services[i].resolution.warning != NULL)
            log_line(LOG_LEVEL_WARNING, "service '%s': %s", config->services[i].name,
                     config->services[i].resolution.warning);
    }
}

static void remove_sockets(const struct broker *broker)
{
    const struct config *config = broker->roster.config;
    for (size_t i = 0; i < config->listen_count; i++) {
        const char *path = listen_ipc_path(config->listen[i]);
        if (path != NULL)
            (void)unlink(path);
    }
    (void)unlink(listen_ipc_path(broker->endpoint));
}

static void broker_done(struct broker *broker)
{
    const bool bound = broker->data != NULL;
    if (broker->data != NULL && broker->host != NULL)
        broker->host = host_free(broker->host);
    broker->data = data_free(broker->data);
    if (bound)
        remove_sockets(broker);
    roster_done(&broker->roster);
    lockkeeper_done(&broker->keeper);
    free(broker->run_folder);
    free(broker->services_folder);
    free(broker->store);
    free(broker->memory);
    free(broker->endpoint);
    free(broker->worker_program);
    free(broker->helpers);
    free(broker->library_folder);
    if (broker->signals >= 0)
        close(broker->signals);
}

static int run(struct broker *broker)
{
    struct drover_error error = {0};
    broker->signals = block_signals();
    sys_seed_libzmq();
    (void)sys_raise_descriptor_limit();
    if (broker->signals < 0)
        (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "no signalfd: %s", strerror(errno));
    if (broker->signals < 0 || set_up(broker, &error) != DROVER_OK)
        return print_error(&error);
    announce(broker);
    const struct control_options options = {.data = broker->data,
                                            .host = broker->host,
                                            .roster = &broker->roster,
                                            .keeper = &broker->keeper,
                                            .signals = broker->signals};
    if (control_run(&options, &error) != DROVER_OK) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return EXIT_INTERNAL;
    }
    log_line(LOG_LEVEL_INFO, "stopped");
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct broker broker = {.signals = -1};
    struct drover_error error = {0};
    int status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;
    hold_hangup();
    if (find_installation(&broker, &error) != DROVER_OK)
        status = print_error(&error);
    else
        status = load(&arguments, &broker);
    if (status == 0 && !arguments.check)
        status = run(&broker);
    else if (status == 0)
        (void)printf("%s: %zu services, no mistakes\n", arguments.config, broker.roster.count);
    broker_done(&broker);
    return status;
}
