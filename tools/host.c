/* SPDX-License-Identifier: MIT */
#include "tools/host.h"

#include <stdio.h>
#include <stdlib.h>
#include "tools/bl.h"
#include "tools/client.h"

static struct client *client;

static const struct {
    int error;
    const char *text;
} reasons[] = {
    {XEN_ESRCH, "it has gone; bl list says who is there"},
    {XEN_EPERM, "it is one of the host's own domains; bl restart starts it again"},
    {XEN_EBUSY, "it is not in a state for that; bl list shows it"},
    {XEN_ENOMEM, "the host has not as much free memory; bl info says how much"},
    {XEN_EEXIST, "a domain of that name or UUID is there; bl list -v shows it"},
    {XEN_EINVAL, "the host refuses these values; bl dmesg may say more"},
    {XEN_EOPNOTSUPP, "the host's CPU cannot run its TSC at that frequency; bl dmesg says more"},
    {XEN_EILSEQ, "it arrived damaged; try again"},
    {XEN_ENOSYS, "the host runs another version, which does not know this; bl info names it"},
};

static struct client *opened(void)
{
    char wrong[256];

    if (!client)
        client = client_open(bl_host, wrong);
    if (!client)
        exit(bl_fail("%s", wrong));
    return client;
}

int host_try(uint32_t command, struct bh_control *args, const void *in, size_t in_size, void *out,
             size_t out_size)
{
    int rc = client_call(opened(), command, args, in, in_size, out, out_size);

    if (rc == CLIENT_LOST) {
        client_close(client);
        client = NULL;
    }
    return rc;
}

int host_call(uint32_t command, struct bh_control *args, const void *in, size_t in_size, void *out,
              size_t out_size)
{
    int rc = host_try(command, args, in, in_size, out, out_size);

    if (rc == CLIENT_LOST)
        exit(bl_fail("the connection to the host is lost; try again"));
    return rc;
}

int host_stream_try(uint32_t service, uint32_t argument, char wrong[256])
{
    return client_stream(opened(), service, argument, wrong);
}

int host_stream(uint32_t service, uint32_t argument)
{
    char wrong[256];
    int fd = host_stream_try(service, argument, wrong);

    if (fd < 0)
        exit(bl_fail("%s", wrong));
    return fd;
}

void host_info(struct bh_host_info *info)
{
    struct bh_control args = {.size = sizeof(*info)};
    int rc = host_call(BH_CONTROL_host, &args, NULL, 0, info, sizeof(*info));

    if (rc)
        exit(host_refused("the host", "read its state", rc));
    info->vendor[sizeof(info->vendor) - 1] = info->build[sizeof(info->build) - 1] = '\0';
    info->name[sizeof(info->name) - 1] = '\0';
    if (info->version != BH_CONTROL_VERSION)
        exit(bl_fail("the host speaks version %u of the control interface, this program %u: "
                     "take the bl that belongs to %s",
                     info->version, BH_CONTROL_VERSION, info->build));
}

void host_nonsense(void)
{
    exit(bl_fail("the host's answer makes no sense; bl info says which version it runs"));
}

int host_refused(const char *name, const char *doing, int error)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].error == -error)
            return bl_fail("%s: cannot %s: %s", name, doing, reasons[i].text);
    return bl_fail("%s: cannot %s: error %d; bl dmesg may say more", name, doing, -error);
}
