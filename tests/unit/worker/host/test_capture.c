/* test_capture.c - what workers print, by line; without processes */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/host/capture.h"

static struct capture_stream stream;
static struct capture_log log_of_one;
static uint64_t next_serial;
static struct capture_origin origin;

static void set_up(void)
{
    memset(&stream, 0, sizeof(stream));
    memset(&log_of_one, 0, sizeof(log_of_one));
    next_serial = 1;
    origin = (struct capture_origin){.pid = 7, .wall_ms = 1700000000000, .next_serial = &next_serial};
}

static void tear_down(void)
{
    capture_log_done(&log_of_one);
}

TestSuite(capture, .init = set_up, .fini = tear_down);

static void feed(const char *text)
{
    capture_feed(&stream, &log_of_one, &origin, text, strlen(text));
}

static void finish(void)
{
    capture_finish(&stream, &log_of_one, &origin);
}

/* Line `index`, the oldest being 0; "(none)" beyond the last. */
static const char *line(unsigned index)
{
    const struct capture_line *found = NULL;
    uint64_t after = 0;
    for (unsigned i = 0; i <= index; i++) {
        found = capture_next(&log_of_one, after);
        if (found == NULL)
            return "(none)";
        after = found->serial;
    }
    return found->text;
}

Test(capture, cuts_bytes_into_lines)
{
    feed("one\ntwo\n\nfour\n");
    cr_expect_str_eq(line(0), "one");
    cr_expect_str_eq(line(1), "two");
    cr_expect_str_eq(line(2), "");
    cr_expect_str_eq(line(3), "four");
    cr_expect_str_eq(line(4), "(none)");
}

Test(capture, joins_what_comes_in_pieces_at_any_place)
{
    const char text[] = "first line\nsecond\r\nthird";
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        tear_down();
        set_up();
        capture_feed(&stream, &log_of_one, &origin, text, cut);
        feed(text + cut);
        finish();
        cr_expect_str_eq(line(0), "first line");
        cr_expect_str_eq(line(1), "second");
        cr_expect_str_eq(line(2), "third");
        cr_expect_str_eq(line(3), "(none)");
    }
}

Test(capture, a_last_line_without_its_end_is_a_line_and_nothing_is_none)
{
    feed("half");
    cr_expect_str_eq(line(0), "(none)");
    finish();
    cr_expect_str_eq(line(0), "half");
    finish();
    cr_expect_str_eq(line(1), "(none)");
}

Test(capture, makes_lines_printable)
{
    feed("\033[31mred\001\xff\xc3\xa9\n");
    cr_expect_str_eq(line(0), "?[31mred??\xc3\xa9");
}

Test(capture, keeps_eight_kibibytes_of_a_line_and_goes_on_with_the_next)
{
    char block[1000];
    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 1000; i++)
        capture_feed(&stream, &log_of_one, &origin, block, sizeof(block));
    feed("\nnext\n");
    cr_expect_eq(strlen(line(0)), (size_t)CAPTURE_LINE_MAX);
    cr_expect_str_eq(line(1), "next");
}

Test(capture, a_line_of_exactly_the_limit_is_whole)
{
    char text[CAPTURE_LINE_MAX + 2];
    memset(text, 'x', CAPTURE_LINE_MAX);
    strcpy(text + CAPTURE_LINE_MAX, "\n");
    feed(text);
    cr_expect_eq(strlen(line(0)), (size_t)CAPTURE_LINE_MAX);
    cr_expect_str_eq(line(1), "(none)");
}

static void feed_numbers(unsigned from, unsigned to)
{
    char text[16];
    for (unsigned i = from; i < to; i++) {
        snprintf(text, sizeof(text), "%u\n", i);
        feed(text);
    }
}

Test(capture, keeps_the_last_hundred_lines)
{
    feed_numbers(0, 250);
    cr_expect_str_eq(line(0), "150");
    cr_expect_str_eq(line(99), "249");
    cr_expect_str_eq(line(100), "(none)");
    cr_expect_eq(next_serial, 251U);
}

Test(capture, finds_lines_by_their_serial_both_ways)
{
    feed_numbers(0, 250); /* serials 1 to 250, of which 151 to 250 are kept */
    cr_expect_eq(capture_next(&log_of_one, 0)->serial, 151U);
    cr_expect_eq(capture_next(&log_of_one, 200)->serial, 201U);
    cr_expect_null(capture_next(&log_of_one, 250));
    cr_expect_eq(capture_previous(&log_of_one, UINT64_MAX)->serial, 250U);
    cr_expect_eq(capture_previous(&log_of_one, 200)->serial, 199U);
    cr_expect_null(capture_previous(&log_of_one, 151));
}

Test(capture, drops_what_is_beyond_the_rate_and_tells_it_in_the_next_second)
{
    feed_numbers(0, 1500);
    cr_expect_eq(log_of_one.dropped, 500U);
    origin.wall_ms += 1000;
    feed("later\n");
    cr_expect_str_eq(line(97), "999");
    cr_expect_str_eq(line(98), "500 lines dropped");
    cr_expect_str_eq(line(99), "later");
    cr_expect_eq(log_of_one.dropped, 0U);
}

Test(capture, tells_what_was_dropped_at_the_end_too)
{
    feed_numbers(0, 1001);
    finish();
    cr_expect_str_eq(line(99), "1 line dropped");
}

Test(capture, a_clock_that_is_set_back_does_not_stop_the_lines)
{
    feed_numbers(0, 1001);
    origin.wall_ms -= 5000;
    feed("earlier\n");
    cr_expect_str_eq(line(99), "earlier");
}

Test(capture, finds_the_last_words_of_one_process_on_standard_error)
{
    origin.source = CAPTURE_STDERR;
    feed("of this one\n\n");
    origin.source = CAPTURE_STDOUT;
    feed("on standard output\n");
    origin.source = CAPTURE_STDERR;
    origin.pid = 8;
    feed("of another one\n");
    cr_expect_str_eq(capture_last_error(&log_of_one, 7), "of this one");
    cr_expect_str_eq(capture_last_error(&log_of_one, 8), "of another one");
    cr_expect_str_eq(capture_last_error(&log_of_one, 9), "");
}

Test(capture, remembers_who_wrote_what_and_when)
{
    origin.source = CAPTURE_STDERR;
    feed("x\n");
    const struct capture_line *found = capture_next(&log_of_one, 0);
    cr_expect_eq(found->pid, 7);
    cr_expect_eq(found->source, CAPTURE_STDERR);
    cr_expect_eq(found->wall_ms, 1700000000000U);
    cr_expect_str_eq(capture_source_name(found->source), "stderr");
    cr_expect_str_eq(capture_source_name(CAPTURE_STDOUT), "stdout");
}
