/* SPDX-License-Identifier: MIT */
#include "tools/bl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
    {"image", "[-o OUT.iso | --bundle OUT | --check] HOST.xml", "make a bootable image of a host",
     "  -o OUT.iso         the image; boots by BIOS and by UEFI\n"
     "  --bundle OUT       only the bundle, the loader's second file\n"
     "  --check            only check HOST.xml and all that it names\n"
     "  --hypervisor FILE  instead of the bulkhead.elf that belongs to bl\n"
     "  --control FILE     instead of the ctl.elf that belongs to bl\n",
     cmd_image},
    {"version", "", "say which version this is", "", cmd_version},
    {"help", "[COMMAND]", "say what there is", "", cmd_help},
};
const unsigned ncommands = sizeof(commands) / sizeof(commands[0]);

int bl_fail(const char *fmt, ...)
{
    va_list ap;

    bl_progress(NULL);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int bl_usage(const char *command, const char *fmt, ...)
{
    va_list ap;

    fputs("bl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
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

int main(int argc, char **argv)
{
    if (argc < 2)
        return bl_usage(NULL, "a command is missing");
    for (unsigned i = 0; i < ncommands; i++)
        if (!strcmp(commands[i].name, argv[1]))
            return commands[i].run(argc - 1, argv + 1);
    return bl_usage(NULL, "there is no command '%s'", argv[1]);
}
