/* histogram.c - how long things took; see histogram.h */
#include "client/cli/histogram.h"

#include <stddef.h>

#define STEPS (UINT64_C(1) << HISTOGRAM_BITS)

/* A value of n significant bits is shifted right until HISTOGRAM_BITS + 1 remain; the shift names the row. */
static size_t bucket_of(uint64_t value)
{
    unsigned shift = 0;

    if (value >= UINT64_C(1) << HISTOGRAM_VALUE_BITS)
        value = (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1;
    while (value >> shift >= 2 * STEPS)
        shift++;
    return (size_t)((uint64_t)shift * STEPS + (value >> shift));
}

/* The largest value that falls into a bucket. */
static uint64_t bucket_end(size_t bucket)
{
    uint64_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;

    return ((bucket - shift * STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    double rank = (double)histogram->total * percent / 100;
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= rank)
            return bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
    }
    return histogram->max;
}
