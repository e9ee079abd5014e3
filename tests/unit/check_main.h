/* SPDX-License-Identifier: MIT */
/* The main() of a Check program with one suite: tests are run in forks. */
#ifndef BH_UNIT_CHECK_MAIN_H
#define BH_UNIT_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Not a message to the parent for each assertion that holds: it moves all that follow one by one. */
#define _mark_point(file, line) ((void)0)

#define CHECK_TIMEOUT 600 /* s: for endless loops only */

static inline int check_main(const char *name, void (*fill)(TCase *tc))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    SRunner *runner;
    int failed;

    tcase_set_timeout(tc, CHECK_TIMEOUT);
    fill(tc);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
