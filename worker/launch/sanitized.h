/* sanitized.h - whether this build has a sanitizer, and so the programs that it launches
 *
 * A sanitizer reserves terabytes of address space, and looks for leaks by tracing its own process.
 */
#ifndef DROVER_LAUNCH_SANITIZED_H
#define DROVER_LAUNCH_SANITIZED_H

/* clang says it with a feature, gcc with a macro. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#endif
