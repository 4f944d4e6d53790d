/* print.c - what stat() says of files, as one number to compare: FNV-1a, 64 bits
 *
 * http://www.isthe.com/chongo/tech/comp/fnv/
 */
#include "worker/watch/print.h"

#define PRIME UINT64_C(0x100000001b3)

static uint64_t add_octet(uint64_t print, unsigned char octet)
{
    return (print ^ octet) * PRIME;
}

uint64_t print_number(uint64_t print, uint64_t number)
{
    for (unsigned shift = 0; shift < 64; shift += 8)
        print = add_octet(print, (unsigned char)(number >> shift));
    return print;
}

uint64_t print_text(uint64_t print, const char *text)
{
    for (; *text != '\0'; text++)
        print = add_octet(print, (unsigned char)*text);
    return add_octet(print, 0);
}

uint64_t print_stat(uint64_t print, const struct stat *about)
{
    print = print_number(print, (uint64_t)about->st_dev);
    print = print_number(print, (uint64_t)about->st_ino);
    print = print_number(print, (uint64_t)about->st_mode);
    print = print_number(print, (uint64_t)about->st_size);
    print = print_number(print, (uint64_t)about->st_mtim.tv_sec);
    print = print_number(print, (uint64_t)about->st_mtim.tv_nsec);
    print = print_number(print, (uint64_t)about->st_ctim.tv_sec);
    return print_number(print, (uint64_t)about->st_ctim.tv_nsec);
}
