/* explain.h - what a driver says when a human starts it */
#ifndef DROVER_SDK_EXPLAIN_H
#define DROVER_SDK_EXPLAIN_H

#include <stdio.h>

#include <drover/worker.h>

/* Write what the driver is, its methods and how it is configured. `reference` is what stands behind `driver:`. */
void explain_driver(const struct drover_driver *driver, const char *reference, FILE *out);

/* "json 1.0.0 (userprovider 1.0.0, drover 0.1.0)" */
void explain_version(const struct drover_driver *driver, FILE *out);

#endif
