/* odd_module.c - shared objects that drover-worker cannot host, each for a reason of its own; and one that it can
 *
 * ODD_... says which. Whatever runs of it before it was found to be a module would show: its constructor ends the
 * process.
 */
#include <stdlib.h>

#include <drover/worker.h>

static const struct drover_driver driver __attribute__((unused)) = {
#if defined(ODD_ABI)
    .abi = DROVER_DRIVER_ABI + 98,
#else
    .abi = DROVER_DRIVER_ABI,
#endif
    .interface = "odd",
    .interface_version = "1.0.0",
#if !defined(ODD_NAMELESS)
    .name = "odd",
#endif
    .version = "1.0.0",
};

#if defined(ODD_FUNCTION)
DROVER_EXPORT const struct drover_driver *drover_driver_descriptor(void);
const struct drover_driver *drover_driver_descriptor(void)
{
    return &driver;
}
#elif defined(ODD_REFERENCE)
extern const struct drover_driver *const drover_driver_descriptor;
DROVER_EXPORT const struct drover_driver *odd_driver(void);
const struct drover_driver *odd_driver(void)
{
    return driver.name ? drover_driver_descriptor : NULL;
}
#elif defined(ODD_HIDDEN)
extern const struct drover_driver *const drover_driver_descriptor;
const struct drover_driver *const drover_driver_descriptor = &driver;
#else
DROVER_EXPORT extern const struct drover_driver *const drover_driver_descriptor;
#if defined(ODD_EMPTY)
const struct drover_driver *const drover_driver_descriptor = NULL;
#else
const struct drover_driver *const drover_driver_descriptor = &driver;
#endif
#endif

#if defined(ODD_UNRESOLVED)
extern void odd_function_that_is_nowhere(void);
DROVER_EXPORT void odd_call(void);
void odd_call(void)
{
    odd_function_that_is_nowhere();
}
#endif

#if defined(ODD_FUNCTION) || defined(ODD_REFERENCE) || defined(ODD_HIDDEN)
__attribute__((constructor)) static void show_that_it_was_run(void)
{
    exit(99);
}
#endif
