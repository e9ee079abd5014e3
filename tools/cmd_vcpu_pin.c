/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/units.h"
#include "xml/cpuset.h"

/* vCPU and CPUs as the words say; EXIT_OK or EXIT_USAGE. */
static int parse(char **argv, uint32_t *vcpu, uint64_t *set)
{
    uint64_t n = 0;

    if (strcmp(argv[1], "all") && !units_number(argv[1], 0, BUNDLE_MAX_VCPUS - 1, &n))
        return bl_usage("vcpu-pin", "'%s' is no number of a vCPU; or all", argv[1]);
    *vcpu = strcmp(argv[1], "all") ? (uint32_t)n : ~0U;
    *set = strcmp(argv[2], "all") ? cpuset_parse(argv[2]) : 0;
    if (!*set && strcmp(argv[2], "all") && strcmp(argv[2], "-"))
        return bl_usage("vcpu-pin", "'%s' is no list of CPUs; such as 0-3,^2,5, or all", argv[2]);
    if (argv[3] && strcmp(argv[3], "-") && strcmp(argv[3], "all"))
        return bl_usage("vcpu-pin", "'%s': there is no soft affinity here", argv[3]);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct bh_control args = {0};
    struct bh_domain_info d;
    int rc = parse(argv, &args.vcpu, &args.a);

    (void)argc;
    if (rc)
        return rc;
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (args.vcpu != ~0U && args.vcpu >= d.vcpus)
        return bl_fail("%s: there is no vCPU %u; it has %u", d.name, args.vcpu, d.vcpus);
    if (!strcmp(argv[2], "-"))
        return EXIT_OK;
    args.domid = d.domid;
    rc = host_call(BH_CONTROL_affinity, &args, NULL, 0, NULL, 0);
    if (rc == -XEN_EINVAL)
        return bl_fail("%s: the host has none of the CPUs %s; bl info says how many it has", d.name,
                       argv[2]);
    return rc ? host_refused(d.name, "pin its vCPUs", rc) : EXIT_OK;
}

const struct command cmd_vcpu_pin = {
    .name = "vcpu-pin",
    .operands = "DOMAIN VCPU|all CPUS|all|- [-]",
    .purpose = "say on which CPUs a domain's vCPUs may run",
    .least = 3,
    .most = 4,
    .details =
        "CPUS is a list such as 0-3,^2,5. The fourth word is for what xl has and we have not.",
    .run = run,
};
