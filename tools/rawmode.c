/* SPDX-License-Identifier: MIT */
#include "tools/rawmode.h"

#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile sig_atomic_t is_raw;

void rawmode_end(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    is_raw = 0;
}

static void on_signal(int signal)
{
    rawmode_end();
    raise(signal); /* its handler is the default again: SA_RESETHAND */
}

void rawmode_begin(bool keep_signals)
{
    static const int ends[] = {SIGHUP,  SIGINT, SIGQUIT, SIGTERM, SIGPIPE,
                               SIGABRT, SIGBUS, SIGFPE,  SIGSEGV, SIGALRM};
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &before))
        return;
    atexit(rawmode_end);
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaction(ends[i], &sa, NULL);
    raw = before;
    cfmakeraw(&raw);
    if (keep_signals) {
        raw.c_lflag |= ISIG;
        raw.c_oflag |= OPOST;
        raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* whoever gets the terminal then would find it raw */
    }
    is_raw = 1;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}
