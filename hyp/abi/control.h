/* SPDX-License-Identifier: MIT */
/*
 * The control hypercall: number BH_HYPERVISOR_control, arguments (command, struct bh_control). Only
 * a domain with BUNDLE_PRIV_CONTROL may use it; everybody else gets -XEN_EPERM. The struct is
 * copied in once and copied back with results. Bulk data goes through one buffer. Errors of every
 * command: -XEN_EFAULT a bad address, -XEN_ESRCH no such domain, -XEN_EINVAL a bad number or size,
 * -XEN_EBUSY not in this state; more with each.
 */
#ifndef BH_ABI_CONTROL_H
#define BH_ABI_CONTROL_H

#include <stdint.h>

#define BH_HYPERVISOR_control 55 /* __HYPERVISOR_arch_7 */

struct bh_control {
    uint32_t domid;
    uint32_t vcpu;   /* of commands about a vCPU; otherwise 0 */
    uint64_t a, b;   /* each command's own numbers */
    uint64_t buffer; /* guest linear address */
    uint64_t size;   /* in: bytes of the buffer; out: bytes used of it */
};

enum bh_domain_state {
    BH_DOMAIN_BUILDING, /* it gets its memory */
    BH_DOMAIN_LOADING,  /* of one made by BH_CONTROL_create: waits for its segments */
    BH_DOMAIN_READY,    /* has never run: waits for BH_CONTROL_unpause */
    BH_DOMAIN_RUNNING,
    BH_DOMAIN_SHUTDOWN, /* stopped; preserved, or about to be torn down */
    BH_DOMAIN_ZOMBIE,   /* torn down but for frames that others still map */
};

/* On any change of the set or of a state the hypervisor sends VIRQ_DOM_EXC to ctl and to xs. */
#define BH_DOMAIN_PAUSED  0x1U /* flags: by BH_CONTROL_pause */
#define BH_DOMAIN_CREATED 0x2U /* flags: by BH_CONTROL_create; its later lives do not have it */

struct bh_domain_info {
    uint32_t domid;
    uint32_t state; /* enum bh_domain_state */
    uint32_t flags;
    uint32_t class; /* enum bundle_class */
    uint32_t vcpus, vcpus_online;
    uint32_t shutdown_reason;          /* SHUTDOWN_*, in state SHUTDOWN and ZOMBIE */
    uint32_t console_port, store_port; /* the domain's own ends, to bind to; 0: it has none */
    uint32_t weight, cap;              /* cap: percent of one CPU; 0: none */
    uint32_t reserved;
    uint64_t memory, memory_max; /* bytes: has now; may have */
    uint64_t cpu_time;           /* ns, all vCPUs */
    uint64_t created;            /* ns since the host booted */
    uint8_t uuid[16];
    char name[64];
};
_Static_assert(sizeof(struct bh_domain_info) == 160, "domain info");

struct bh_vcpu_info {
    uint32_t online, cpu; /* cpu: where it runs or ran last */
    uint32_t running;     /* on that CPU now */
    uint32_t blocked;     /* waits for an event */
    uint64_t cpu_time;    /* ns */
    uint64_t affinity;    /* mask of host CPUs; 0: any */
};

struct bh_host_info {
    uint32_t version; /* of this interface: BH_CONTROL_VERSION */
    uint32_t cpus;
    uint64_t memory, memory_free; /* bytes */
    uint64_t uptime;              /* ns */
    uint64_t tsc_khz;
    uint64_t idle_time; /* ns, all CPUs: they neither ran a domain nor worked for one */
    char vendor[16];    /* "VT-x", "AMD-V" */
    char build[48];     /* version of the hypervisor */
    char name[64];      /* of the host, from the bundle */
};
#define BH_CONTROL_VERSION 1U

/* Registers for a core file; what has no value here is not known to the hypervisor. */
struct bh_vcpu_context {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, cr0, cr2, cr3, cr4, efer;
    uint64_t cs, ss, ds, es, fs, gs, fs_base, gs_base;
};

enum bh_trigger { BH_TRIGGER_NMI, BH_TRIGGER_RESET, BH_TRIGGER_INIT };

enum bh_control_command {
    /* Fills a struct bh_domain_info of the domain with the lowest number >= domid; domid is that
     * one. -XEN_ENOENT: there is none. */
    BH_CONTROL_next,
    /* One line of domain domid's console for the host log: at most BH_LOG_MAX bytes, no newline. */
    BH_CONTROL_log,
    /* Fills a struct bh_host_info. */
    BH_CONTROL_host,
    /* The host log from byte a on, as counted since boot: a becomes the first byte's number that is
     * still there, size how many came; nothing came: size 0. */
    BH_CONTROL_read_log,
    /* Fills a struct bh_vcpu_info of a vCPU. */
    BH_CONTROL_vcpu,
    /* Begins a domain from a record (hyp/abi/bundle.h; offset 0 in each segment; class GUEST, no
     * privileges): domid is its number. It gets its memory in state BUILDING, then goes LOADING, or
     * is destroyed with a line in the log. -XEN_EEXIST: name or UUID in use; -XEN_ENOMEM: there is
     * less free memory than it needs beside those that are BUILDING; -XEN_EOPNOTSUPP: its TSC
     * cannot run as it should. */
    BH_CONTROL_create,
    /* Bytes of segment a, from byte b of it on: the next ones that are wanted, which is what a and
     * b are set to then; a: as many as there are segments: no more are. Size 0 asks for them only.
     * In state LOADING; from the first segment to the last, without those that the host has (by
     * size and checksum: in the bundle, or of a domain that starts again) or that have no bytes. A
     * segment that is complete is checked against its checksum: -XEN_EILSEQ, and the domain is
     * destroyed. The hypervisor keeps a copy when the record says "restart": 1,014 MiB of a segment
     * at most; -XEN_ENOMEM. */
    BH_CONTROL_load,
    /* The domain is complete: LOADING becomes READY. -XEN_EAGAIN: segments are missing. */
    BH_CONTROL_finish,
    /* READY becomes RUNNING, and a paused domain goes on. No error when it runs already. */
    BH_CONTROL_unpause,
    /* Returns when none of its vCPUs runs. No error when it is READY or paused already.
     * -XEN_EINVAL: the caller's own domain. */
    BH_CONTROL_pause,
    /* The domain ends as if it had asked for it with SHUTDOWN_* a: what follows, its record says.
     * For a domain of ours that is on_crash: it starts again. */
    BH_CONTROL_shutdown,
    /* The domain, in whatever state, is torn down and does not come back. -XEN_EPERM: one of ours.
     */
    BH_CONTROL_destroy,
    /* Weight a (1..65535) and cap b (percent of a CPU; 0 none); ~0: as it is. */
    BH_CONTROL_shares,
    /* vCPU (~0: all) runs on the CPUs of mask a only; 0: on any. -XEN_EINVAL: none of them exists.
     */
    BH_CONTROL_affinity,
    /* Bytes a that it may own at most, a multiple of 4096; not less than it has: -XEN_EBUSY. */
    BH_CONTROL_memory_max,
    /* The buffer holds its new name, size bytes without a terminating zero. -XEN_EEXIST. */
    BH_CONTROL_rename,
    /* Reads the first page at or after gfn a that has memory; a becomes its number. -XEN_ENOENT:
     * there is none. */
    BH_CONTROL_read_memory,
    /* Fills a struct bh_vcpu_context of a vCPU of a domain that does not run (paused, READY or
     * SHUTDOWN). */
    BH_CONTROL_context,
    /* enum bh_trigger a, at the vCPU. */
    BH_CONTROL_trigger,
    /* The domain's record as it is now (struct bundle_domain), with name, shares, affinity (of all
     * vCPUs) and maximum as changed: what its next life begins with. */
    BH_CONTROL_record,
};
#define BH_LOG_MAX 1024

#endif
