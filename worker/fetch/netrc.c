/* netrc.c - looks a host up in a netrc file */
#include "worker/fetch/netrc.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"

/* What is left of the file. */
struct reader {
    char *at;
    bool is_line_start; /* no word came since the last end of a line */
};

/* Skip blanks, and comments: those begin a line, as passwords may begin with '#'. */
static void skip_blanks(struct reader *reader)
{
    for (;;) {
        const size_t size = strspn(reader->at, BLANKS);
        if (memchr(reader->at, '\n', size))
            reader->is_line_start = true;
        reader->at += size;
        if (*reader->at != '#' || !reader->is_line_start)
            return;
        reader->at += strcspn(reader->at, "\n");
    }
}

/* Take the quotes and backslashes out of a word in place; returns what follows it. */
static char *unquote(char *word)
{
    char *out = word, *in = word;
    while (*in && *in != '"') {
        if (*in == '\\' && in[1])
            in++;
        *out++ = *in++;
    }
    char *rest = *in ? in + 1 : in;
    *out = '\0';
    return rest;
}

/* Cut the next word off; NULL at the end. */
static char *next_word(struct reader *reader)
{
    skip_blanks(reader);
    char *start = reader->at;
    if (*start == '\0')
        return NULL;
    reader->is_line_start = false;
    if (*start == '"') {
        reader->at = unquote(++start);
        return start;
    }
    char *end = start + strcspn(start, BLANKS);
    reader->is_line_start = *end == '\n';
    reader->at = *end ? end + 1 : end;
    *end = '\0';
    return start;
}

/* Skip a macro: up to an empty line. */
static void skip_macro(struct reader *reader)
{
    char *end = strstr(reader->at, "\n\n");
    reader->at = end ? end + 2 : reader->at + strlen(reader->at);
    reader->is_line_start = true;
}

struct entry {
    bool fits; /* its machine is the host that is looked for */
    const char *login, *password;
};

static bool is_found(const struct entry *entry, const char *login)
{
    if (!entry->fits || !entry->password)
        return false;
    return !login || *login == '\0' || strcmp(entry->login, login) == 0;
}

/* What `word` begins within an entry. */
static void read_field(struct reader *reader, const char *word, struct entry *entry)
{
    if (strcmp(word, "macdef") == 0) {
        skip_macro(reader);
    } else if (strcmp(word, "login") == 0) {
        const char *login = next_word(reader);
        entry->login = login ? login : "";
    } else if (strcmp(word, "password") == 0) {
        entry->password = next_word(reader);
    } else if (strcmp(word, "account") == 0) {
        (void)next_word(reader);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the text is cut into words */
bool netrc_find(char *text, const char *host, const char *login, const char **ret_login, const char **ret_password)
{
    struct reader reader = {text, true};
    struct entry entry = {.login = ""};
    for (;;) {
        const char *word = next_word(&reader);
        const bool is_machine = word && strcmp(word, "machine") == 0;
        const bool is_end = !word || is_machine || strcmp(word, "default") == 0;
        if (is_end && is_found(&entry, login))
            break;
        if (!word)
            return false;
        if (is_end) {
            entry = (struct entry){.fits = true, .login = ""}; /* the default's fits any host */
            const char *name = is_machine ? next_word(&reader) : NULL;
            if (is_machine)
                entry.fits = name && strcasecmp(name, host) == 0;
        } else {
            read_field(&reader, word, &entry);
        }
    }
    *ret_login = entry.login;
    *ret_password = entry.password;
    return true;
}
