/* sys.h - what drover asks of the operating system in more than one place
 *
 * The pure parts (common/base, common/wire, common/config, broker/core) do not use it: they get time and randomness
 * as parameters.
 */
#ifndef DROVER_SYS_H
#define DROVER_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

/* Milliseconds of CLOCK_MONOTONIC, and microseconds. */
uint64_t sys_now_ms(void);
uint64_t sys_now_us(void);

/* Milliseconds since 1970, for log lines. */
uint64_t sys_wall_ms(void);

/* Fill `data` from the kernel's random numbers. Aborts when there are none. */
void sys_random(void *data, size_t size);
uint64_t sys_random64(void);

/* The status that belongs to an errno of a call on a file: NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (no memory,
 * no space, no descriptors), INTERNAL (anything else). */
enum drover_status sys_status_of(int code);

/* Read a whole file of at most `limit` bytes; a NUL is put behind it. The caller frees `*ret_data`. Errors: NOT_FOUND,
 * PERMISSION_DENIED, RESOURCE_EXHAUSTED (too large), INTERNAL; each names the path. */
DROVER_MUST_CHECK enum drover_status sys_read_file(const char *path, size_t limit, char **ret_data, size_t *ret_size,
                                                   struct drover_error *error);

/* SHA-256 of a file as 64 hex digits and NUL. Errors as sys_read_file(). */
DROVER_MUST_CHECK enum drover_status sys_hash_file(const char *path, char ret_hex[65], struct drover_error *error);

/* The folder of the running program, for the caller to free(). NULL when it cannot be told. */
char *sys_program_dir(void);

/* The path of one of drover's helper programs, for the caller to free(): beside the running program, as in a build's
 * folder, else in ../libexec/drover, as installed. NULL when there is no memory; what is not there is found out by
 * running it. */
char *sys_helper_path(const char *name);

/* Make a relative path absolute against the working directory and normalise "." and ".." without looking at links, for
 * the caller to free(). NULL when there is no memory, or no working directory any more. */
char *sys_absolute_path(const char *path);

/* Let the random numbers that libzmq draws (routing ids, jitter) differ between processes: it uses an unseeded rand().
 * Called first thing in every program that makes a ZeroMQ context. */
void sys_seed_libzmq(void);

/* Raise the limit of open descriptors as far as it goes; returns the limit. */
uint64_t sys_raise_descriptor_limit(void);

#endif
