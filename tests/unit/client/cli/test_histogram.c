/* test_histogram.c - percentiles are exact for small values and near for large ones */
#include <criterion/criterion.h>

#include "client/cli/histogram.h"

static struct histogram histogram;

Test(histogram, is_zero_when_empty)
{
    cr_expect_eq(histogram_percentile(&histogram, 50), 0);
}

Test(histogram, is_exact_below_256)
{
    for (uint64_t i = 1; i <= 100; i++)
        histogram_add(&histogram, i);
    cr_expect_eq(histogram_percentile(&histogram, 50), 50);
    cr_expect_eq(histogram_percentile(&histogram, 99), 99);
    cr_expect_eq(histogram_percentile(&histogram, 100), 100);
    cr_expect_eq(histogram_percentile(&histogram, 0), 1);
}

Test(histogram, is_exact_to_one_part_in_128)
{
    for (uint64_t value = 1; value < UINT64_C(1) << 39; value = value * 5 / 4 + 1) {
        struct histogram one = {0};
        histogram_add(&one, value);
        histogram_add(&one, UINT64_C(1) << 39);
        uint64_t found = histogram_percentile(&one, 50);
        cr_expect(found >= value && found - value <= value / 128, "%lu became %lu", value, found);
    }
}

Test(histogram, never_says_more_than_the_largest_value)
{
    histogram_add(&histogram, 1000001);
    cr_expect_eq(histogram_percentile(&histogram, 99), 1000001);
}

Test(histogram, counts_values_beyond_its_range_as_the_largest)
{
    histogram_add(&histogram, UINT64_MAX);
    cr_expect_eq(histogram.total, 1);
    cr_expect_eq(histogram.max, UINT64_MAX);
}
