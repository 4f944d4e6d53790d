/* secret.c - comparing secrets in a time that says nothing */
#include "drivers/users/secret.h"

#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* The hashes that are taken. What is not listed here has a form in which method and cost are not simply the first
 * bytes. */
struct method {
    const char *prefix;
    size_t hash_size;  /* characters after the last '$' */
    bool salt_in_hash; /* they begin with the salt; else it stands between '$' and '$' before them */
};

static const struct method methods[] = {
    {"$y$", 43, false}, {"$gy$", 43, false}, {"$6$", 86, false}, {"$5$", 43, false},
    {"$2a$", 53, true}, {"$2b$", 53, true},  {"$2y$", 53, true}, {"$1$", 22, false},
};

/* "$", a word, "$": nobody writes that by accident, and to take a hash for plain text would make the hash the password.
 */
static bool looks_hashed(const char *stored)
{
    size_t size = 1;

    if (stored[0] != '$')
        return false;
    while (isalnum((unsigned char)stored[size]))
        size++;
    return size > 1 && (stored[size] == '$' || stored[size] == ',');
}

/* Where the last '$' of the first `size` bytes is; 0 when there is none. */
static size_t last_dollar(const char *stored, size_t size)
{
    const char *found = memrchr(stored, '$', size);

    return found ? (size_t)(found - stored) : 0;
}

/* How many bytes of a hash say method and cost; 0: it is not one that can be verified. */
static size_t kind_size(const char *stored)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        size_t prefix = strlen(methods[i].prefix);
        if (strncmp(stored, methods[i].prefix, prefix) != 0)
            continue;

        size_t end = last_dollar(stored, strlen(stored));
        if (strlen(stored + end + 1) != methods[i].hash_size)
            return 0;
        if (!methods[i].salt_in_hash)
            end = last_dollar(stored, end);
        return end + 1 < prefix || crypt_checksalt(stored) == CRYPT_SALT_INVALID ? 0 : end + 1;
    }
    return 0;
}

static bool is_of_kind(const char *stored, const struct secret_kind *kind)
{
    return looks_hashed(stored) && kind_size(stored) == kind->size && memcmp(stored, kind->sample, kind->size) == 0;
}

const char *secret_kinds_add(struct secret_kinds *kinds, const char *stored)
{
    if (!looks_hashed(stored))
        return NULL;

    size_t size = kind_size(stored);
    if (size == 0)
        return "is neither plain text nor a complete crypt(3) hash of $y$, $gy$, $6$, $5$, $2a$, $2b$, $2y$ or $1$ "
               "(hash it again)";
    for (size_t i = 0; i < kinds->count; i++)
        if (is_of_kind(stored, &kinds->kinds[i]))
            return NULL;
    if (kinds->count == SECRET_KINDS_MAX)
        return "is of a ninth kind of crypt(3) hash in this file (use the same method and cost for all)";
    kinds->kinds[kinds->count++] = (struct secret_kind){.sample = stored, .size = size};
    return NULL;
}

/* The time depends on `given` alone: beyond the end of `stored` its final NUL is compared again and again. */
static bool plain_equals(const char *stored, struct drover_text given)
{
    size_t size = strlen(stored);
    volatile unsigned differs = size != given.size;

    for (size_t i = 0; i < given.size; i++)
        differs |= (unsigned)((unsigned char)given.data[i] ^ (unsigned char)stored[i < size ? i : size]);
    return differs == 0;
}

/* One crypt(3) of `phrase` with a stored hash. */
static enum drover_status hash_equals(const char *stored, const char *phrase, bool *ret_equal,
                                      struct drover_error *error)
{
    struct crypt_data data = {0};

    errno = 0;
    const char *hash = crypt_r(phrase, stored, &data);
    enum drover_status status = DROVER_OK;
    if (errno == ENOMEM)
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory to verify a secret: try again");
    else
        *ret_equal = hash && plain_equals(stored, (struct drover_text){hash, strlen(hash)});
    explicit_bzero(&data, sizeof(data));
    return status;
}

/* One crypt(3) for each kind. Sets `*matches` when the user's own hash is among them and fits. */
static enum drover_status verify_kinds(const struct secret_kinds *kinds, const char *stored, const char *phrase,
                                       bool *matches, struct drover_error *error)
{
    for (size_t i = 0; i < kinds->count; i++) {
        bool own = is_of_kind(stored, &kinds->kinds[i]);
        bool equal = false;
        enum drover_status status = hash_equals(own ? stored : kinds->kinds[i].sample, phrase, &equal, error);

        if (status != DROVER_OK)
            return status;
        *matches |= own && equal;
    }
    return DROVER_OK;
}

/* Copy what crypt(3) can take. False for what it cannot: such a secret matches no hash, and as that is seen at the
 * given secret alone, the time tells nothing. */
static bool copy_phrase(char phrase[CRYPT_MAX_PASSPHRASE_SIZE], struct drover_text given)
{
    if (given.size >= CRYPT_MAX_PASSPHRASE_SIZE)
        return false;
    if (given.size > 0)
        memcpy(phrase, given.data, given.size);
    phrase[given.size] = '\0';
    return strlen(phrase) == given.size;
}

enum drover_status secret_verify(const struct secret_kinds *kinds, const char *stored, struct drover_text given,
                                 struct drover_error *error)
{
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE];
    const char *known = stored ? stored : "";
    bool matches = plain_equals(known, given) && known[0] != '\0' && !looks_hashed(known);
    enum drover_status status = DROVER_OK;

    if (copy_phrase(phrase, given))
        status = verify_kinds(kinds, known, phrase, &matches, error);
    explicit_bzero(phrase, sizeof(phrase));
    if (status == DROVER_OK && !matches)
        status = drover_error_set(error, DROVER_UNAUTHENTICATED, "client_id or client_secret is wrong");
    return status;
}
