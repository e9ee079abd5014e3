/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/units.h"

static int run(int argc, char **argv)
{
    static const char *const words[] = {"nmi", "reset", "init"};
    struct bh_control args = {.a = sizeof(words) / sizeof(words[0])};
    struct bh_domain_info d;
    uint64_t vcpu = 0;
    int rc;

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(argv[1], words[i]))
            args.a = i;
    if (args.a == sizeof(words) / sizeof(words[0]))
        return bl_usage("trigger", "'%s' is none of nmi, reset and init", argv[1]);
    if (argc == 3 && !units_number(argv[2], 0, BUNDLE_MAX_VCPUS - 1, &vcpu))
        return bl_usage("trigger", "'%s' is no number of a vCPU", argv[2]);
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (vcpu >= d.vcpus)
        return bl_fail("%s: there is no vCPU %lu; it has %u", d.name, vcpu, d.vcpus);
    args.domid = d.domid;
    args.vcpu = (uint32_t)vcpu;
    rc = host_call(BH_CONTROL_trigger, &args, NULL, 0, NULL, 0);
    return rc ? host_refused(d.name, "trigger that", rc) : EXIT_OK;
}

const struct command cmd_trigger = {
    .name = "trigger",
    .operands = "DOMAIN nmi|reset|init [VCPU]",
    .purpose = "send an NMI, a reset or an INIT to a vCPU; without a number to the first",
    .least = 2,
    .most = 3,
    .run = run,
};
