// SPDX-License-Identifier: MIT
/* Preloaded into Debian's xenstored: the calls of Xen's libraries that it makes, on a machine that
 * the test made (fakemachine.h). So the daemon runs where there is no Xen, and the test is its domains.
 */
#include "tests/xs/fakemachine.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

static struct machine *machine;
static int memory_fd, event_fd;

__attribute__((constructor)) static void attach(void)
{
    const char *env = getenv(MACHINE_ENV);
    if (!env || sscanf(env, "%d %d", &memory_fd, &event_fd) != 2)
        abort();
    machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    if (machine == MAP_FAILED)
        abort();
}

static int port_file(void)
{
    int fd = memfd_create("xsd_port", 0);
    if (dprintf(fd, "%u", machine_port(0)) <= 0 || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    if (!strcmp(path, "/proc/xen/xsd_port"))
        return port_file();
    if (!strcmp(path, "/proc/xen/xsd_kva"))
        return dup(memory_fd);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* A malformed request makes the daemon answer with whatever errno was left; meant is EINVAL. */
ssize_t read(int fd, void *buffer, size_t size)
{
    ssize_t got = syscall(SYS_read, fd, buffer, size);
    if (got >= 0)
        errno = EINVAL;
    return got;
}

/* Time is a second further at each look, so that no domain is ever written off as too fast. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    static time_t seconds = 1000;
    (void)clock;
    now->tv_sec = seconds++;
    now->tv_nsec = 0;
    return 0;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *builder,
                                unsigned flags)
{
    (void)logger, (void)builder, (void)flags;
    return (xc_interface *)machine;
}

int xc_interface_close(xc_interface *handle)
{
    (void)handle;
    return 0;
}

int xc_domain_getinfo(xc_interface *handle, uint32_t first, unsigned max, xc_dominfo_t *info)
{
    (void)handle, (void)max;
    if (first >= MACHINE_DOMAINS || !machine->alive[first])
        return 0;
    memset(info, 0, sizeof(*info));
    info->domid = first;
    return 1;
}

xengnttab_handle *xengnttab_open(xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return (xengnttab_handle *)machine;
}

int xengnttab_close(xengnttab_handle *handle)
{
    (void)handle;
    return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *handle, uint32_t count)
{
    (void)handle, (void)count;
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domid, uint32_t ref, int prot)
{
    (void)handle, (void)ref, (void)prot;
    errno = EINVAL;
    return domid < MACHINE_DOMAINS && machine->alive[domid] ? &machine->store[domid] : NULL;
}

int xengnttab_unmap(xengnttab_handle *handle, void *start, uint32_t count)
{
    (void)handle, (void)start, (void)count;
    return 0;
}

xenevtchn_handle *xenevtchn_open(xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return (xenevtchn_handle *)machine;
}

int xenevtchn_fd(xenevtchn_handle *handle)
{
    (void)handle;
    return event_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid,
                                                     evtchn_port_t port)
{
    (void)handle, (void)port;
    return (xenevtchn_port_or_error_t)machine_port(domid);
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *handle, unsigned virq)
{
    (void)handle, (void)virq;
    return MACHINE_VIRQ;
}

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
    (void)handle, (void)port;
    return 0;
}

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
    uint32_t domid = port - 1;
    (void)handle;
    /* Where packets wait already, one more would tell the test nothing new. */
    (void)send(event_fd, &domid, sizeof(domid), MSG_DONTWAIT);
    errno = EINVAL; /* see read() */
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle)
{
    uint32_t port;
    (void)handle;
    if (recv(event_fd, &port, sizeof(port), 0) != sizeof(port))
        return -1;
    return (xenevtchn_port_or_error_t)port;
}

int xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t port)
{
    (void)handle, (void)port;
    return 0;
}
