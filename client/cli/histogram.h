/* histogram.h - how long things took: counts in buckets whose width grows with the value, exact to 1 part in 128 */
#ifndef DROVER_CLI_HISTOGRAM_H
#define DROVER_CLI_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS 7 /* values below 2^7 have a bucket each */
#define HISTOGRAM_VALUE_BITS 40
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t max; /* exact */
};

/* Count a value. Those of more than 40 bits count as the largest. */
void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that `percent` of the values do not exceed; never above the largest value. 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

#endif
