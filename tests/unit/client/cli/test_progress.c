/* test_progress.c - how far a long piece of work is: a bar, lines, or nothing */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "client/cli/progress.h"

static char *printed;
static size_t size;
static struct progress progress;

static void start(bool quiet, bool is_terminal)
{
    progress_init(&progress, open_memstream(&printed, &size), quiet, is_terminal);
}

static void finish(void)
{
    progress_done(&progress);
    fclose(progress.out);
}

static void show(unsigned percent)
{
    const struct progress_state state = {
        .percent = percent, .objects = percent * 2, .total_objects = 200, .bytes = percent * UINT64_C(1024)};
    progress_show(&progress, &state);
}

Test(progress, is_a_bar_on_a_terminal_and_leaves_nothing_behind)
{
    start(false, true);
    show(50);
    fflush(progress.out);
    cr_expect_str_eq(printed, "\r\033[K[###############               ]  50 %  100/200 objects  50.0 KiB");
    finish();
    cr_expect_str_eq(printed + size - 4, "\r\033[K");
    free(printed);
}

Test(progress, is_a_few_lines_elsewhere)
{
    start(false, false);
    for (unsigned percent = 0; percent <= 100; percent++)
        show(percent);
    finish();
    size_t lines = 0;
    for (const char *at = printed; (at = strchr(at, '\n')); at++)
        lines++;
    cr_expect_eq(lines, 6, "%s", printed);
    cr_expect_not_null(strstr(printed, "fetching: 100 %, 200/200 objects, 100.0 KiB\n"), "%s", printed);
    cr_expect_null(strchr(printed, '\r'));
    free(printed);
}

Test(progress, can_be_silent)
{
    start(true, true);
    show(50);
    progress_line(&progress, "text");
    finish();
    cr_expect_eq(size, 0, "%s", printed);
    free(printed);
}

Test(progress, lines_of_others_stand_above_the_bar_and_are_printable)
{
    start(false, true);
    show(10);
    progress_line(&progress, "a\033[31mb");
    finish();
    cr_expect_not_null(strstr(printed, "\r\033[Ka?[31mb\n"), "%s", printed);
    free(printed);
}

Test(progress, more_than_all_is_all)
{
    start(false, true);
    show(4000);
    finish();
    cr_expect_not_null(strstr(printed, "##] 100 %"), "%s", printed);
    free(printed);
}

Test(progress, sizes_are_told_in_the_largest_unit)
{
    char buffer[PROGRESS_SIZE_TEXT];
    cr_expect_str_eq(progress_size(0, buffer), "0 B");
    cr_expect_str_eq(progress_size(1023, buffer), "1023 B");
    cr_expect_str_eq(progress_size(1536, buffer), "1.5 KiB");
    cr_expect_str_eq(progress_size(UINT64_C(3) << 40, buffer), "3.0 TiB");
    cr_expect_str_eq(progress_size(UINT64_MAX, buffer), "16777216.0 TiB");
}
