/* listener.c - gives a server a port that is free: listener MODE [PROGRAM ARGUMENT...]
 *
 * Listens on a port of 127.0.0.1 that the system chooses, prints its number on standard output, and
 *
 *     each PROGRAM...     runs the program for each connection, which is its standard input and output (as inetd(8)
 * does) pass PROGRAM...     becomes the program; the listening socket is its descriptor 3 (as systemd(1) does), PORT
 * its number silent              accepts connections and never says a word
 *
 * Ends with the process that started it; so does what it runs. SIGTERM ends what `each` has started, and then itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSTEMD_DESCRIPTOR 3
#define KEPT_MAX 64
#define PATIENCE_S 5

static volatile sig_atomic_t is_ending;
static int listening = -1;

/* The socket is shut as well: accept() then fails, also when it is only about to be called. */
static void on_signal(int number)
{
    (void)number;
    is_ending = 1;
    shutdown(listening, SHUT_RD);
}

static void die(const char *what)
{
    fprintf(stderr, "listener: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void listen_somewhere(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    listening = socket(AF_INET, SOCK_STREAM, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) != 0 || listen(listening, 64) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) != 0)
        die("no port");
    *ret_port = ntohs(address.sin_port);
}

static void follow_parent(void)
{
    const pid_t parent = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        exit(1);
}

/* Become the program. The parent-death signal stays set over exec. */
static void run(char **command)
{
    execvp(command[0], command);
    die(command[0]);
}

static void start(int connection, char **command)
{
    if (fork() == 0) {
        follow_parent();
        signal(SIGCHLD, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        dup2(connection, STDIN_FILENO);
        dup2(connection, STDOUT_FILENO);
        close(connection);
        close(listening);
        run(command);
    }
    close(connection);
}

/* End what runs in this group and wait for it, whoever started it: orphans are handed to the listener. */
static void end_all(void)
{
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    alarm(PATIENCE_S);
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
}

static void serve_each(char **command)
{
    const struct sigaction ending = {.sa_handler = on_signal}; /* no SA_RESTART: it ends accept() */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setpgid(0, 0);
    signal(SIGCHLD, SIG_IGN);
    sigaction(SIGTERM, &ending, NULL);
    while (!is_ending) {
        int connection = accept(listening, NULL, NULL);
        if (connection >= 0)
            start(connection, command);
    }
    end_all();
}

static void serve_nobody(void)
{
    int kept[KEPT_MAX], count = 0;
    for (;;) {
        int connection = accept(listening, NULL, NULL);
        if (connection >= 0 && count < KEPT_MAX)
            kept[count++] = connection;
    }
    (void)kept;
}

static void pass(unsigned port, char **command)
{
    char number[16];
    if (listening != SYSTEMD_DESCRIPTOR) {
        if (dup2(listening, SYSTEMD_DESCRIPTOR) < 0)
            die("descriptor");
        close(listening);
    }
    snprintf(number, sizeof number, "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "1", 1);
    snprintf(number, sizeof number, "%u", port);
    setenv("PORT", number, 1);
    run(command);
}

int main(int argc, char **argv)
{
    unsigned port = 0;
    const char *mode = argc > 1 ? argv[1] : "";
    if (argc < (strcmp(mode, "silent") == 0 ? 2 : 3)) {
        fputs("usage: listener each|pass|silent [PROGRAM ARGUMENT...]\n", stderr);
        return 2;
    }
    follow_parent();
    listen_somewhere(&port);
    printf("%u\n", port);
    /* The reader waits for the end of it; the descriptor must not become a connection's. */
    if (!freopen("/dev/null", "w", stdout))
        die("standard output");
    if (strcmp(mode, "each") == 0)
        serve_each(argv + 2);
    else if (strcmp(mode, "pass") == 0)
        pass(port, argv + 2);
    else
        serve_nobody();
    return 0;
}
