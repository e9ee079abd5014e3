/* SPDX-License-Identifier: MIT */
/* bl dmesg: the host's log, line by line. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "tools/bl.h"
#include "tools/host.h"
#include "tools/json.h"

#define PIECE    16384
#define LINE_MAX 4096
#define PAUSE_NS 500000000L

static unsigned follow;
static char line[LINE_MAX];
static size_t used;

/* Lines are what JSON has; a longer one is cut into several. */
static void say(const char *text, size_t n)
{
    if (!bl_json) {
        (void)fwrite(text, 1, n, stdout);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\n')
            line[used++] = text[i];
        if (text[i] == '\n' || used == sizeof(line) - 1) {
            line[used] = '\0';
            json_string(NULL, line);
            used = 0;
        }
    }
}

static int run(int argc, char **argv)
{
    struct timespec pause = {0, PAUSE_NS};
    struct bh_control args = {0};
    char piece[PIECE];

    (void)argc;
    (void)argv;
    if (follow && bl_json)
        return bl_usage("dmesg", "-f has no end, JSON needs one");
    json_begin(NULL, '[');
    for (;;) {
        int rc;

        args.size = sizeof(piece);
        rc = host_call(BH_CONTROL_read_log, &args, NULL, 0, piece, sizeof(piece));
        if (rc)
            return host_refused("the host", "read its log", rc);
        if (args.size > sizeof(piece))
            host_nonsense();
        if (!args.size && !follow)
            break;
        say(piece, args.size);
        args.a += args.size;
        if (fflush(stdout))
            break; /* main() says why */
        if (!args.size)
            nanosleep(&pause, NULL);
    }
    if (used)
        say("\n", 1);
    json_end();
    return EXIT_OK;
}

static const struct opt opts[] = {
    {'f', "follow", NULL, "go on with what is logged from now on", NULL, &follow},
    {0},
};

const struct command cmd_dmesg = {
    .name = "dmesg",
    .operands = "",
    .purpose = "show the host's log",
    .opts = opts,
    .run = run,
};
