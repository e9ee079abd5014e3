/* SPDX-License-Identifier: MIT */
/* bl image: from the host file to the bundle and the bootable image. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/bl.h"
#include "tools/mkbundle.h"
#include "tools/file.h"
#include "tools/iso.h"

struct options {
    const char *iso, *bundle, *hypervisor, *control, *host;
    bool check;
};

/* Beside bl itself, or where it is installed: ../lib/bulkhead. */
static char *own_file(const char *name)
{
    char self[4096], *path = NULL;
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    *(strrchr(self, '/') ? strrchr(self, '/') : self) = '\0';
    if (asprintf(&path, "%s/%s", self, name) < 0)
        return NULL;
    if (!access(path, R_OK))
        return path;
    free(path);
    return asprintf(&path, "%s/../lib/bulkhead/%s", self, name) < 0 ? NULL : path;
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'},  {"bundle", required_argument, NULL, 'b'},
        {"check", no_argument, NULL, 'c'},         {"hypervisor", required_argument, NULL, 'h'},
        {"control", required_argument, NULL, 't'}, {0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (c == 'o')
            o->iso = optarg;
        else if (c == 'b')
            o->bundle = optarg;
        else if (c == 'c')
            o->check = true;
        else if (c == 'h')
            o->hypervisor = optarg;
        else if (c == 't')
            o->control = optarg;
        else
            return bl_usage("image", "bad option '%s'", argv[optind - 1]);
    }
    if (optind + 1 != argc)
        return bl_usage("image", "one host file is needed");
    if (!!o->iso + !!o->bundle + o->check != 1)
        return bl_usage("image", "one of -o, --bundle and --check is needed");
    o->host = argv[optind];
    return EXIT_OK;
}

static void unpacking(const char *name)
{
    char text[128];

    snprintf(text, sizeof(text), "reading the files of %s ...", name);
    bl_progress(text);
}

static int write_out(const struct options *o, const uint8_t *bundle, size_t size)
{
    char *own = o->hypervisor || !o->iso ? NULL : own_file("bulkhead.elf");
    const char *wrong = NULL;

    if (o->bundle && !file_write(o->bundle, bundle, size))
        wrong = strerror(errno);
    if (o->iso) {
        bl_progress("making the image ...");
        wrong = iso_write(o->iso, own ? own : o->hypervisor, bundle, size);
    }
    bl_progress(NULL);
    free(own);
    return wrong ? bl_fail("%s: %s", o->iso ? o->iso : o->bundle, wrong) : EXIT_OK;
}

int cmd_image(int argc, char **argv)
{
    struct options o = {0};
    struct hostcfg host;
    uint8_t *bundle = NULL;
    const char *wrong;
    char *own;
    size_t size = 0;
    int rc = parse(argc, argv, &o);

    if (rc)
        return rc;
    own = o.control ? NULL : own_file("ctl.elf");
    wrong = hostcfg_read(&host, o.host);
    if (!wrong)
        wrong = bundle_make(&host, own ? own : o.control, unpacking, &bundle, &size);
    if (wrong)
        rc = bl_fail("%s", wrong);
    else
        rc = write_out(&o, bundle, size);
    free(bundle);
    free(own);
    hostcfg_free(&host);
    return rc;
}
