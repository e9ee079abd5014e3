/* SPDX-License-Identifier: MIT */
/* bl image: from the host file to the bundle and the bootable image. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/bl.h"
#include "tools/mkbundle.h"
#include "tools/file.h"
#include "tools/interrupt.h"
#include "tools/iso.h"

static const char *iso, *bundle_file, *hypervisor, *control, *store;
static unsigned check;

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

static void unpacking(const char *name)
{
    char text[128];

    snprintf(text, sizeof(text), "reading the files of %s ...", name);
    bl_progress(text);
}

static int write_bundle(const uint8_t *bundle, size_t size)
{
    struct file_new f;

    interrupt_catch();
    if (!file_begin(&f, bundle_file, 0666))
        return bl_fail("%s: %s", bundle_file, file_error());
    if (file_put(&f, bundle, size) && !interrupt_came())
        return file_end(&f) ? EXIT_OK : bl_fail("%s: %s", bundle_file, file_error());
    file_drop(&f);
    return bl_fail("%s: %s", bundle_file,
                   interrupt_came() ? "interrupted; nothing of it is left" : file_error());
}

static int write_iso(const uint8_t *bundle, size_t size)
{
    char *own = hypervisor ? NULL : own_file("bulkhead.elf");
    const char *wrong;

    interrupt_catch();
    bl_progress("making the image ...");
    wrong = iso_write(iso, own ? own : hypervisor, bundle, size);
    bl_progress(NULL);
    free(own);
    return wrong ? bl_fail("%s", wrong) : EXIT_OK;
}

static int make(const char *path)
{
    struct hostcfg host;
    uint8_t *bundle = NULL;
    struct bundle_ours ours = {control, store};
    const char *wrong;
    char *own_control, *own_store;
    size_t size = 0;
    int rc;

    own_control = control ? NULL : own_file("ctl.elf");
    own_store = control || store ? NULL : own_file("xs.elf");
    if (!control)
        ours.control = own_control;
    if (!control && !store)
        ours.store = own_store;
    wrong = hostcfg_read(&host, path);
    if (!wrong)
        wrong = bundle_make(&host, &ours, unpacking, &bundle, &size);
    bl_progress(NULL);
    if (wrong)
        rc = bl_fail("%s", wrong);
    else if (iso)
        rc = write_iso(bundle, size);
    else
        rc = bundle_file ? write_bundle(bundle, size) : EXIT_OK;
    free(bundle);
    free(own_control);
    free(own_store);
    hostcfg_free(&host);
    return rc;
}

static int run(int argc, char **argv)
{
    const char *out = iso ? iso : bundle_file;

    (void)argc;
    if (!!iso + !!bundle_file + !!check != 1)
        return bl_usage("image", "one of -o, --bundle and --check is needed");
    if (out && !file_may_begin(out))
        return bl_fail("%s: %s", out, file_error());
    return make(argv[0]);
}

static const struct opt opts[] = {
    {'o', "output", "OUT.iso", "the image; boots by BIOS and by UEFI", &iso, NULL},
    {0, "bundle", "OUT", "only the bundle, the loader's second file", &bundle_file, NULL},
    {0, "check", NULL, "only check HOST.xml and all that it names", NULL, &check},
    {0, "hypervisor", "FILE", "instead of the bulkhead.elf that belongs to bl", &hypervisor, NULL},
    {0, "control", "FILE", "instead of ctl.elf and xs.elf, which belong to bl", &control, NULL},
    {0, "store", "FILE", "instead of the xs.elf that belongs to bl", &store, NULL},
    {0},
};

const struct command cmd_image = {
    .name = "image",
    .operands = "HOST.xml",
    .purpose = "make a bootable image of a host",
    .least = 1,
    .most = 1,
    .opts = opts,
    .local = true,
    .run = run,
};
