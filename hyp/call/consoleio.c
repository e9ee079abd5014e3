/* SPDX-License-Identifier: MIT */
/* console_io: text of a domain for the host log, put together to lines. */
#include <xen/errno.h>
#include "hyp/call/call.h"

#define CHUNK     256  /* bytes taken before interrupts are looked at */
#define MAX_LINES 1000 /* of one domain in a second: a kernel's boot messages fit */
#define SECOND    1000000000ULL

void consoleio_line(struct domain *d, struct locked held, const char *text, size_t len)
{
    struct log_limit *l = &d->console_limit;
    uint64_t now = now_ns();

    (void)held;
    if (now - l->window >= SECOND) {
        if (l->dropped)
            log_line("[%s] (%u lines dropped)", d->record->name, l->dropped);
        *l = (struct log_limit){.window = now};
    }
    if (l->count == MAX_LINES) {
        l->dropped++;
        return;
    }
    l->count++;
    log_domain(&d->log_share, d->record->name, text, len);
}

static void add(struct domain *d, struct locked held, char c)
{
    if (c == '\r')
        return;
    if (c != '\n')
        d->line[d->line_len++] = c;
    if (c == '\n' || d->line_len == sizeof(d->line)) {
        consoleio_line(d, held, d->line, d->line_len);
        d->line_len = 0;
    }
}

static long write(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    struct domain *d = v->dom;
    uint32_t count = (uint32_t)args[1], n = MIN(count, CHUNK);
    char text[CHUNK];
    struct locked held;

    if (count > INT32_MAX)
        return vcpu_refuse(v, -XEN_EINVAL, "console_io", "bad count");
    if (copy_from_guest(&v->arch, text, mk_gva(args[2]), n))
        return vcpu_refuse(v, -XEN_EFAULT, "console_io", "bad address");
    held = spin_lock(&d->lock);
    for (uint32_t i = 0; i < n; i++) {
        if (i && run_preempted())
            n = i;
        else
            add(d, held, text[i]);
    }
    spin_unlock(&d->lock);
    args[1] = count - n;
    args[2] += n;
    return count > n ? -XEN_ERESTART : 0;
}

/* There is nothing to read: the log is written only. */
long call_console_io(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    switch ((uint32_t)args[0]) {
    case CONSOLEIO_write:
        return write(v, args);
    case CONSOLEIO_read:
        return -XEN_EPERM;
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "console_io", "unknown operation");
    }
}
