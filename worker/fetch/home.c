/* home.c - a home directory that has .ssh/known_hosts and nothing else */
#include "worker/fetch/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/sys/sys.h"

#define KNOWN_HOSTS_MAX ((size_t)8 << 20)
#define SYSTEM_KNOWN_HOSTS "/etc/ssh/ssh_known_hosts"

char *home_file(const char *file)
{
    const char *home = getenv("HOME");
    return home && home[0] == '/' ? text_format("%s/%s", home, file) : NULL;
}

/* Append the file at `from` to `to`. Errors: as sys_read_file(). */
static enum drover_status append_file(FILE *to, const char *from, struct drover_error *error)
{
    char *text = NULL;
    size_t size = 0;
    const enum drover_status status = sys_read_file(from, KNOWN_HOSTS_MAX, &text, &size, error);
    if (status == DROVER_OK) {
        fwrite(text, 1, size, to);
        putc('\n', to);
    }
    free(text);
    return status;
}

static enum drover_status fill(const struct request *request, FILE *to, struct drover_error *error)
{
    struct drover_error why = {0};
    if (request->known_hosts) {
        if (append_file(to, request->known_hosts, &why) != DROVER_OK)
            return drover_error_set(error, DROVER_FAILED_PRECONDITION, "option '--known-hosts': %.300s", why.text);
        return DROVER_OK;
    }
    /* Either may be absent; with neither no host is known, which the check of the host key says. */
    char *own = home_file(".ssh/known_hosts");
    if (own)
        (void)!append_file(to, own, &why);
    (void)!append_file(to, SYSTEM_KNOWN_HOSTS, &why);
    free(own);
    return DROVER_OK;
}

enum drover_status home_make(const struct request *request, const char *path, struct drover_error *error)
{
    char *folder = text_format("%s/.ssh", path);
    char *file = text_format("%s/.ssh/known_hosts", path);
    FILE *to = folder && file && mkdir(folder, 0700) == 0 ? fopen(file, "we") : NULL;
    enum drover_status status = DROVER_OK;
    if (!to)
        status = drover_error_set(error, DROVER_INTERNAL, "folder '%s': .ssh/known_hosts cannot be made", path);
    if (status == DROVER_OK)
        status = fill(request, to, error);
    if (to && fclose(to) != 0 && status == DROVER_OK)
        status = drover_error_set(error, DROVER_INTERNAL, "file '%s' cannot be written", file);
    free(folder);
    free(file);
    return status;
}
