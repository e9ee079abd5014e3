/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/console.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/json.h"
#include "tools/upload.h"

static unsigned console, paused, dry_run, quiet;

static void say_plan(const struct mkdomain *m)
{
    const struct bundle_domain *r = &m->record;
    char uuid[DOMLIST_UUID];

    domlist_uuid(r->uuid, uuid);
    json_begin(NULL, '{');
    json_string("name", r->name);
    json_string("uuid", uuid);
    json_number("vcpus", r->vcpus);
    json_number("memory", r->memory_target);
    json_number("memory_max", r->memory_max);
    json_number("segments", r->nsegments);
    json_number("upload", upload_size(m));
    json_string("cmdline", r->cmdline);
    json_end();
    if (bl_json)
        return;
    printf("name                   : %s\n", r->name);
    printf("uuid                   : %s\n", uuid);
    printf("vcpus                  : %u\n", r->vcpus);
    printf("memory                 : %lu\n", r->memory_target >> 20);
    printf("memory_max             : %lu\n", r->memory_max >> 20);
    printf("segments               : %u\n", r->nsegments);
    printf("upload                 : %lu\n", upload_size(m));
    printf("cmdline                : %s\n", r->cmdline);
}

static void say_made(const char *name, uint32_t domid, uint64_t sent)
{
    json_begin(NULL, '{');
    json_string("name", name);
    json_number("domid", domid);
    json_number("uploaded", sent);
    json_end();
    if (!bl_json && !quiet)
        printf("%s is domain %u\n", name, domid);
    fflush(stdout);
}

/* It is ready: it starts, with its console from the first byte on if that was asked for. */
static int start(const char *name, uint32_t domid)
{
    struct bh_domain_info d = {.domid = domid};
    int stream = console ? host_stream(LINK_SERVICE_CONSOLE, domid) : -1, rc = EXIT_OK;

    snprintf(d.name, sizeof(d.name), "%s", name);
    if (!paused)
        rc = domlist_do(&d, "start it", BH_CONTROL_unpause, 0, 0);
    return rc || stream < 0 ? rc : console_attach(stream, name);
}

static int create(const struct domcfg *d)
{
    struct bh_host_info host = {.name = ""};
    struct mkdomain m;
    const char *wrong;
    uint32_t domid = 0;
    uint64_t sent = 0;
    int rc = EXIT_OK;

    if (!dry_run)
        host_info(&host);
    wrong = mkdomain(&m, host.name, d);
    mkdomain_seal(&m.record);
    if (wrong)
        rc = bl_fail("%s", wrong);
    else if (dry_run)
        say_plan(&m);
    else
        rc = upload(&m, &domid, &sent);
    if (!rc && !dry_run) {
        say_made(m.record.name, domid, sent);
        rc = start(m.record.name, domid);
    }
    mkdomain_free(&m);
    return rc;
}

static int run(int argc, char **argv)
{
    struct domcfg d;
    const char *wrong;
    int rc;

    (void)argc;
    if (console && bl_json)
        return bl_usage("create", "-c and JSON do not go together");
    wrong = domcfg_read(&d, argv[0]);
    rc = wrong ? bl_fail("%s", wrong) : create(&d);
    domcfg_free(&d);
    return rc;
}

static const struct opt opts[] = {
    {'c', "console", NULL, "be on its console from the start; Ctrl-] leaves it", NULL, &console},
    {'p', "paused", NULL, "do not let it start; bl unpause does", NULL, &paused},
    {'q', "quiet", NULL, "do not say which number it got", NULL, &quiet},
    {'n', "dry-run", NULL, "check all, say what would be made, make nothing", NULL, &dry_run},
    {0},
};

const struct command cmd_create = {
    .name = "create",
    .operands = "DOMAIN.xml",
    .purpose = "make a domain and start it",
    .least = 1,
    .most = 1,
    .opts = opts,
    .run = run,
};
