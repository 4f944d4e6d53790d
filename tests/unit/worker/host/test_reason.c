/* test_reason.c - why a worker is not there, in one line */
#include <criterion/criterion.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "worker/host/reason.h"

static char text[REASON_SIZE];

static struct reason_death exited_with(int status)
{
    return (struct reason_death){.artefact = "0123456789abcdef",
                                 .driver = "json",
                                 .code = CLD_EXITED,
                                 .status = status,
                                 .was_ready = true,
                                 .ready_limit_ms = 10000,
                                 .last_line = ""};
}

static const char *say(const struct reason_death *death)
{
    reason_of_death(death, text);
    return text;
}

Test(reason, names_artefact_driver_and_status)
{
    const struct reason_death death = exited_with(3);
    cr_expect_str_eq(say(&death), "0123456789ab: json exited with status 3");
}

Test(reason, says_when_it_was_not_ready_and_how_often)
{
    struct reason_death death = exited_with(0);
    death.was_ready = false;
    death.deaths_in_a_row = 1;
    cr_expect_str_eq(say(&death), "0123456789ab: json exited with status 0 before it was ready");
    death.deaths_in_a_row = 5;
    death.last_line = "oh no";
    cr_expect_str_eq(say(&death),
                     "0123456789ab: json exited with status 0 before it was ready (5 times in a row): oh no");
}

Test(reason, names_signals)
{
    struct reason_death death = exited_with(SIGSEGV);
    death.code = CLD_DUMPED;
    cr_expect_str_eq(say(&death), "0123456789ab: json was killed by SIGSEGV");
    death.code = CLD_KILLED;
    death.status = SIGRTMIN + 3;
    cr_expect_not_null(strstr(say(&death), "was killed by signal 3"), "%s", text);
}

Test(reason, says_why_the_host_ended_it)
{
    struct reason_death death = exited_with(SIGABRT);
    death.code = CLD_KILLED;
    death.cause = SUPERVISE_HUNG;
    cr_expect_str_eq(say(&death), "0123456789ab: json hung and was killed by SIGABRT");
    death.cause = SUPERVISE_LATE;
    death.was_ready = false;
    death.deaths_in_a_row = 2;
    cr_expect_str_eq(say(&death), "0123456789ab: json was not ready within 10000 ms and was killed by SIGABRT "
                                  "(2 times in a row)");
}

Test(reason, says_that_it_could_not_be_started)
{
    struct reason_death death = {.artefact = "0123456789abcdef",
                                 .driver = "json",
                                 .start_error = "cannot start /x: Permission denied",
                                 .last_line = ""};
    cr_expect_str_eq(say(&death), "0123456789ab: cannot start /x: Permission denied");
}

Test(reason, is_one_printable_line_whatever_the_worker_wrote)
{
    char wild[9000];
    struct reason_death death = exited_with(1);
    memset(wild, '\n', sizeof(wild));
    wild[sizeof(wild) - 1] = '\0';
    death.last_line = wild;
    cr_expect_null(strchr(say(&death), '\n'));
    cr_expect_lt(strlen(text), (size_t)REASON_SIZE);

    reason_of_config_error("0123456789abcdef", "json", wild, text);
    cr_expect_null(strchr(text, '\n'));
}

Test(reason, cuts_between_characters)
{
    char umlauts[1000] = "x";
    struct reason_death death = exited_with(1);
    for (int i = 0; i < 400; i++)
        strcat(umlauts, "\xc3\xa9");
    death.last_line = umlauts;
    say(&death);
    cr_expect_eq((unsigned char)text[strlen(text) - 1], 0xa9U, "ends with a whole character");
}

Test(reason, of_a_configuration_error_bears_the_words_of_the_driver)
{
    reason_of_config_error("0123456789abcdef", "json", "users.json: no such file", text);
    cr_expect_str_eq(text, "0123456789ab: json configuration error: users.json: no such file");
    reason_of_config_error("0123456789abcdef", "json", "", text);
    cr_expect_str_eq(text, "0123456789ab: json configuration error: exit status 78, and nothing on stderr");
}
