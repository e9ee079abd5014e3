/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/bl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/options.h"
#include "xml/domcfg.h"

const struct command *const commands[] = {
    &cmd_create,        &cmd_destroy, &cmd_shutdown,  &cmd_reboot,
    &cmd_restart,       &cmd_pause,   &cmd_unpause,   &cmd_list,
    &cmd_console,       &cmd_domid,   &cmd_domname,   &cmd_rename,
    &cmd_uptime,        &cmd_wait,    &cmd_config,    &cmd_dump_core,
    &cmd_trigger,       &cmd_sysrq,   &cmd_vcpu_list, &cmd_vcpu_pin,
    &cmd_vcpu_set,      &cmd_mem_set, &cmd_mem_max,   &cmd_sched_weight,
    &cmd_info,          &cmd_top,     &cmd_dmesg,     &cmd_monitor,
    &cmd_store_connect, &cmd_hub,     &cmd_image,     &cmd_version,
    &cmd_help,          NULL,
};

const struct command *bl_command(const char *name)
{
    for (unsigned i = 0; commands[i]; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

/* Words may come from anywhere: no other line, and nothing that a terminal obeys. */
static void say(const char *fmt, va_list ap)
{
    char *text;

    if (vasprintf(&text, fmt, ap) < 0)
        return;
    hostcfg_one_line(text);
    fputs(text, stderr);
    free(text);
}

int bl_fail(const char *fmt, ...)
{
    va_list ap;

    bl_progress(NULL);
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int bl_usage(const char *command, const char *fmt, ...)
{
    va_list ap;

    fputs("bl: ", stderr);
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fprintf(stderr, "; see: bl help%s%s\n", command ? " " : "", command ? command : "");
    return EXIT_USAGE;
}

void bl_progress(const char *text)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s", text ? text : "");
    fflush(stderr);
}

/* Nothing that we open may become stdin, stdout or stderr: those that are closed are taken, and
 * writing to them stays an error. */
static void take_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct command *c;
    int first, operand, rc;

    take_standard();
    if (options_before(argc, argv, &first))
        return EXIT_USAGE;
    if (first == argc)
        return bl_usage(NULL, "a command is missing");
    c = bl_command(argv[first]);
    if (!c)
        return bl_usage(NULL, "there is no command '%s'", argv[first]);
    argc -= first;
    argv += first;
    if (options_parse(c, argc, argv, &operand))
        return EXIT_USAGE;
    rc = c->run(argc - operand, argv + operand);
    if ((fflush(stdout) || ferror(stdout)) && rc == EXIT_OK)
        rc = bl_fail("the output: %s", strerror(errno));
    return rc;
}
