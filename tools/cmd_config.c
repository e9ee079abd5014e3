/* SPDX-License-Identifier: MIT */
/* bl config: a domain's XML, from the record that the host has of it. */
#include <stdio.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/json.h"
#include "xml/cpuset.h"

#define PERIOD 100000U

static const char *kernel = "kernel", *initrd = "initrd";

static void element(const char *indent, const char *name, const char *text)
{
    printf("%s<%s>", indent, name);
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", stdout);
        else if (*text == '&')
            fputs("&amp;", stdout);
        else if (*text == '>')
            fputs("&gt;", stdout);
        else
            putchar(*text);
    }
    printf("</%s>\n", name);
}

static bool has_initrd(const struct bundle_domain *r)
{
    for (uint32_t i = 0; i < r->nsegments && i < BUNDLE_MAX_SEGMENTS; i++)
        if (r->segments[i].kind == BUNDLE_SEGMENT_MODULE)
            return true;
    return false;
}

static void cpus(const struct bundle_domain *r)
{
    char set[CPUSET_TEXT];

    cpuset_text(set, r->affinity);
    if (r->affinity)
        printf("  <vcpu cpuset='%s'>%u</vcpu>\n", set, r->vcpus);
    else
        printf("  <vcpu>%u</vcpu>\n", r->vcpus);
    printf("  <cputune>\n    <shares>%u</shares>\n", r->weight);
    if (r->cap)
        printf("    <period>%u</period>\n    <quota>%lu</quota>\n", PERIOD,
               (uint64_t)r->cap * PERIOD / 100);
    printf("  </cputune>\n");
}

static const char *action(uint8_t a)
{
    static const char *const words[] = {"destroy", "restart", "preserve"};

    return words[a <= BUNDLE_PRESERVE ? a : 0];
}

static void xml(const struct bundle_domain *r)
{
    char uuid[DOMLIST_UUID];

    domlist_uuid(r->uuid, uuid);
    printf("<domain type='xen'>\n");
    element("  ", "name", r->name);
    element("  ", "uuid", uuid);
    printf("  <memory unit='KiB'>%lu</memory>\n", r->memory_max >> 10);
    printf("  <currentMemory unit='KiB'>%lu</currentMemory>\n", r->memory_target >> 10);
    printf("  <memtune>\n    <min_guarantee unit='KiB'>%lu</min_guarantee>\n  </memtune>\n",
           r->memory_min >> 10);
    cpus(r);
    printf("  <os>\n    <type arch='x86_64' machine='xenpvh'>xenpvh</type>\n");
    element("    ", "kernel", kernel);
    if (has_initrd(r))
        element("    ", "initrd", initrd);
    if (*r->cmdline)
        element("    ", "cmdline", r->cmdline);
    printf("  </os>\n");
    if (r->tsc_hz)
        printf("  <clock offset='utc'>\n    <timer name='tsc' frequency='%lu'/>\n  </clock>\n",
               r->tsc_hz);
    element("  ", "on_poweroff", action(r->on_poweroff));
    element("  ", "on_reboot", action(r->on_reboot));
    element("  ", "on_crash", action(r->on_crash));
    printf("</domain>\n");
}

static void json(const struct bundle_domain *r)
{
    char uuid[DOMLIST_UUID], set[CPUSET_TEXT];

    domlist_uuid(r->uuid, uuid);
    cpuset_text(set, r->affinity);
    json_begin(NULL, '{');
    json_string("name", r->name);
    json_string("uuid", uuid);
    json_number("memory", r->memory_max);
    json_number("current_memory", r->memory_target);
    json_number("min_guarantee", r->memory_min);
    json_number("vcpus", r->vcpus);
    json_string("cpuset", r->affinity ? set : "all");
    json_number("weight", r->weight);
    json_number("cap", r->cap);
    json_number("tsc_frequency", r->tsc_hz);
    json_bool("initrd", has_initrd(r));
    json_string("cmdline", r->cmdline);
    json_string("on_poweroff", action(r->on_poweroff));
    json_string("on_reboot", action(r->on_reboot));
    json_string("on_crash", action(r->on_crash));
    json_end();
}

static int run(int argc, char **argv)
{
    struct bundle_domain r;
    struct bh_domain_info d;
    struct bh_control args = {.size = sizeof(r)};
    int rc;

    (void)argc;
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (d.class != BUNDLE_CLASS_GUEST)
        return bl_fail("%s: it is one of the host's own domains; <control/> in the host's file "
                       "makes it",
                       d.name);
    args.domid = d.domid;
    rc = host_call(BH_CONTROL_record, &args, NULL, 0, &r, sizeof(r));
    if (rc)
        return host_refused(d.name, "read its record", rc);
    r.name[sizeof(r.name) - 1] = r.cmdline[sizeof(r.cmdline) - 1] = '\0';
    if (bl_json)
        json(&r);
    else
        xml(&r);
    return EXIT_OK;
}

static const struct opt opts[] = {
    {0, "kernel", "FILE", "what stands in <kernel>, which the host does not know", &kernel, NULL},
    {0, "initrd", "FILE", "what stands in <initrd>, if it has one", &initrd, NULL},
    {0},
};

const struct command cmd_config = {
    .name = "config",
    .operands = "DOMAIN",
    .purpose = "show a domain's XML as it is now",
    .least = 1,
    .most = 1,
    .opts = opts,
    .details =
        "The host knows no paths: without --kernel and --initrd these are files named kernel\n"
        "and initrd beside the XML.",
    .run = run,
};
