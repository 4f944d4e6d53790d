/* login.h - the method of interface authprovider over a directory in memory
 *
 * Shared by its drivers, which differ in where their directory comes from. Their state is a `struct users` made with
 * USERS_FOR_LOGIN.
 */
#ifndef DRIVERS_USERS_LOGIN_H
#define DRIVERS_USERS_LOGIN_H

#include <drover/worker.h>

#define LOGIN_INTERFACE_VERSION "1.0.0"
#define LOGIN_METHOD_COUNT 1

extern const struct drover_method login_methods[LOGIN_METHOD_COUNT];

#endif
