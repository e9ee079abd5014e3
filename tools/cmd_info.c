/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/host.h"
#include "tools/json.h"
#include "tools/units.h"

static void text(const struct bh_host_info *h)
{
    char uptime[UNITS_DURATION];

    units_duration(h->uptime, uptime);
    printf("host                   : %.*s\n", (int)sizeof(h->name), h->name);
    printf("machine                : x86_64\n");
    printf("nr_cpus                : %u\n", h->cpus);
    printf("cpu_mhz                : %lu.%03lu\n", h->tsc_khz / 1000, h->tsc_khz % 1000);
    printf("virt_caps              : %.*s\n", (int)sizeof(h->vendor), h->vendor);
    printf("total_memory           : %lu\n", h->memory >> 20);
    printf("free_memory            : %lu\n", h->memory_free >> 20);
    printf("bulkhead_version       : %.*s\n", (int)sizeof(h->build), h->build);
    printf("control_version        : %u\n", h->version);
    printf("uptime                 : %s\n", uptime);
    printf("idle                   : %.1f%%\n",
           h->uptime && h->cpus ? 100.0 * (double)h->idle_time / ((double)h->uptime * h->cpus)
                                : 0.0);
}

static int run(int argc, char **argv)
{
    struct bh_control args = {0};
    struct bh_host_info h;
    struct bh_about a;
    int rc;

    (void)argc;
    (void)argv;
    host_info(&h);
    rc = host_call(BH_CTL_ABOUT, &args, NULL, 0, &a, sizeof(a));
    if (rc)
        return host_refused("the control domain", "read its state", rc);
    if (!bl_json) {
        text(&h);
        return EXIT_OK;
    }
    json_begin(NULL, '{');
    json_string("host", h.name);
    json_string("machine", "x86_64");
    json_number("nr_cpus", h.cpus);
    json_number("cpu_khz", h.tsc_khz);
    json_string("virt_caps", h.vendor);
    json_number("total_memory", h.memory);
    json_number("free_memory", h.memory_free);
    json_string("bulkhead_version", h.build);
    json_number("control_version", h.version);
    json_number("control_free_memory", a.memory_free);
    json_number("control_since_ns", a.since);
    json_number("uptime_ns", h.uptime);
    json_number("idle_ns", h.idle_time);
    json_end();
    return EXIT_OK;
}

const struct command cmd_info = {
    .name = "info",
    .operands = "",
    .purpose = "say what the host is and has",
    .details = "Memory in MiB; in JSON in bytes.",
    .run = run,
};
