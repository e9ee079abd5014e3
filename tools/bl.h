/* SPDX-License-Identifier: MIT */
/* The tool's table of commands. */
#ifndef BH_TOOLS_BL_H
#define BH_TOOLS_BL_H

#include <stdbool.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

/* An option: it sets *text to its argument or counts in *count. */
struct opt {
    char letter;          /* 0: none */
    const char *name;     /* without the two hyphens; NULL: none */
    const char *argument; /* what it takes, for messages; NULL: nothing */
    const char *purpose;
    const char **text;
    unsigned *count;
};

struct command {
    const char *name, *operands, *purpose;
    unsigned least, most;              /* operands */
    const struct opt *opts;            /* the last one is empty; NULL: none */
    bool local;                        /* takes no -H and no -o json */
    const char *details;               /* for help; NULL: none */
    int (*run)(int argc, char **argv); /* the operands, and NULL behind them */
};
#define BL_MANY ~0U                            /* most operands: no limit */
extern const struct command *const commands[]; /* NULL behind the last */

extern const struct command cmd_create, cmd_destroy, cmd_shutdown, cmd_reboot, cmd_restart,
    cmd_pause, cmd_unpause, cmd_list, cmd_console, cmd_domid, cmd_domname, cmd_rename, cmd_uptime,
    cmd_wait, cmd_config, cmd_dump_core, cmd_trigger, cmd_sysrq, cmd_vcpu_list, cmd_vcpu_pin,
    cmd_vcpu_set, cmd_mem_set, cmd_mem_max, cmd_sched_weight, cmd_info, cmd_top, cmd_dmesg,
    cmd_monitor, cmd_store_connect, cmd_hub, cmd_image, cmd_version, cmd_help;

/* What the options that all commands have say. */
extern const char *bl_host; /* NULL: none given */
extern bool bl_json;

/* NULL: there is none of this name. */
const struct command *bl_command(const char *name);

/* One line on stderr; the exit code. */
int bl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int bl_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A step of long work, on a terminal only; each takes the place of the one before. NULL: done. */
void bl_progress(const char *text);

#endif
