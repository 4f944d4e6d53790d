/* principal.c - see principal.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/principal.h"

/* The credentials that libzmq appends to the address of an ipc peer. */
struct credentials {
    unsigned long uid, gid, pid;
};

static bool parse(const char *address, struct credentials *ret)
{
    static const char prefix[] = "localhost";
    unsigned long *const members[] = {&ret->uid, &ret->gid, &ret->pid};
    if (address == NULL || strncmp(address, prefix, strlen(prefix)) != 0)
        return false;
    const char *at = address + strlen(prefix);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char *end = NULL;
        if (*at != ':')
            return false;
        *members[i] = strtoul(at + 1, &end, 10);
        if (end == at + 1)
            return false;
        at = end;
    }
    return *at == '\0';
}

bool principal_uid(const char *address, uint64_t *ret_uid)
{
    struct credentials credentials = {0};
    if (!parse(address, &credentials))
        return false;
    *ret_uid = credentials.uid;
    return true;
}

static void make_key(const char *address, uint64_t peer, char *key, size_t size)
{
    struct credentials credentials = {0};
    /* Processes in another container have no number here: the kernel says 0 for all of them. */
    if (parse(address, &credentials) && credentials.pid != 0)
        (void)snprintf(key, size, "%lu:%lu", credentials.uid, credentials.pid);
    else
        (void)snprintf(key, size, "connection %016llx", (unsigned long long)peer);
}

struct principal *principal_get(struct core *core, const char *address, uint64_t peer)
{
    char key[sizeof(((struct principal *)NULL)->key)];
    struct principal *principal = NULL;
    make_key(address, peer, key, sizeof(key));
    HASH_FIND_STR(core->principals, key, principal);
    if (principal != NULL)
        return principal;
    principal = calloc(1, sizeof(*principal));
    if (principal == NULL)
        return NULL;
    memcpy(principal->key, key, sizeof(principal->key));
    HASH_ADD_STR(core->principals, key, principal);
    if (principal->hh.tbl == NULL) {
        free(principal);
        return NULL;
    }
    return principal;
}

void principal_release(struct core *core, struct principal *principal)
{
    if (principal == NULL || principal->sessions > 0 || principal->lanes > 0)
        return;
    HASH_DEL(core->principals, principal);
    free(principal);
}
