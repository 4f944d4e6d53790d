/* text.h - small things done with strings: times, sizes, the nearest name, safe quoting */
#ifndef DROVER_BASE_TEXT_H
#define DROVER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read "200ms", "30s", "5m", "2h" (a whole number and a unit) as milliseconds. False when it is no time. */
bool text_parse_time(const char *text, uint64_t *ret_ms);

/* Read "512", "64KiB", "10MiB", "1GiB" as bytes. False when it is no size. */
bool text_parse_size(const char *text, uint64_t *ret_bytes);

/* Read a decimal number. False when it is none or does not fit. */
bool text_parse_number(const char *text, uint64_t *ret);

/* The name nearest to `word` by edit distance, or NULL when none is near enough to be meant. Looks at no more than
 * the first 64 octets of `word`. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* printf into new memory, for the caller to free(). NULL when there is no memory. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copy `size` octets of untrusted text into `buffer`, control characters and broken UTF-8 as '?', always ended by NUL
 * (cut to `capacity` - 1). Returns `buffer`. */
char *text_printable(const char *data, size_t size, char *buffer, size_t capacity);

/* 2 * size hex digits and NUL into `buffer`. */
void text_hex(const void *data, size_t size, char *buffer);

#endif
