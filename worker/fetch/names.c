/* names.c - which names may be in a driver's source */
#include "worker/fetch/names.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"

static bool is_good_octet(unsigned char octet)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-+@=,~#%^!()[]{}";
    return octet >= 0x80 || (octet != '\0' && strchr(good, octet));
}

static bool is_sound_utf8(const char *name, size_t size)
{
    char printable[NAME_MAX + 1];
    return strcmp(text_printable(name, size, printable, sizeof printable), name) == 0;
}

/* Names that git itself looks at, or that a file system takes for such: ".git" in any case, with blanks and dots behind
 * it, and its short name on other systems. */
static bool is_gits(const char *name)
{
    if (strncasecmp(name, "git~", 4) == 0)
        return true;
    return strncasecmp(name, ".git", 4) == 0 && strspn(name + 4, " .") == strlen(name + 4);
}

const char *names_mistake(const char *name)
{
    const size_t size = strlen(name);
    if (size == 0)
        return "is empty";
    if (size > NAME_MAX)
        return "is too long";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "leads out of its folder";
    if (is_gits(name))
        return "is git's own";
    if (name[0] == '-')
        return "begins with '-', which programs take for an option";
    if (name[0] == ' ' || name[size - 1] == ' ')
        return "begins or ends with a blank";
    for (size_t i = 0; i < size; i++) {
        if (!is_good_octet((unsigned char)name[i]))
            return "has a character that is not allowed in names";
    }
    return is_sound_utf8(name, size) ? NULL : "is no sound UTF-8";
}
