/* SPDX-License-Identifier: MIT */
#include "tools/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t came;

static void note(int signal)
{
    (void)signal;
    came = 1;
}

void interrupt_catch(void)
{
    struct sigaction sa = {.sa_handler = note, .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    sigaction(SIGQUIT, &sa, NULL);
    signal(SIGXFSZ, SIG_IGN); /* the write fails: EFBIG, */
    signal(SIGPIPE, SIG_IGN); /* EPIPE */
}

bool interrupt_came(void)
{
    return came;
}
