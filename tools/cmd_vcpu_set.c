/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/units.h"
#include "tools/xsclient.h"

static int run(int argc, char **argv)
{
    struct bh_domain_info d;
    struct xsclient x;
    const char *wrong = NULL;
    uint64_t n;

    (void)argc;
    if (!units_number(argv[1], 1, BUNDLE_MAX_VCPUS, &n))
        return bl_usage("vcpu-set", "'%s' is no number of vCPUs; 1 to %u", argv[1],
                        BUNDLE_MAX_VCPUS);
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (n > d.vcpus)
        return bl_fail("%s: it has %u vCPUs; more need another <vcpu> in its XML", d.name, d.vcpus);
    xsclient_open(&x, d.domid);
    for (uint32_t i = 0; i < d.vcpus && !wrong; i++) {
        char path[40];

        snprintf(path, sizeof(path), "cpu/%u/availability", i);
        wrong = xsclient_write(&x, path, i < n ? "online" : "offline");
    }
    xsclient_close(&x);
    return wrong ? bl_fail("%s: the store refuses it: %s", d.name, wrong) : EXIT_OK;
}

const struct command cmd_vcpu_set = {
    .name = "vcpu-set",
    .operands = "DOMAIN NUMBER",
    .purpose = "ask a domain to use so many of its vCPUs",
    .least = 2,
    .most = 2,
    .run = run,
};
