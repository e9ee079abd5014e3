/* SPDX-License-Identifier: MIT */
/* A domain and its vCPUs: what the parts of hyp/dom and hyp/call share. */
#ifndef BH_DOM_DOM_H
#define BH_DOM_DOM_H

#include <stdint.h>

#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/hvm/params.h>
#include "hyp/abi/bundle.h"
#include "hyp/abi/control.h"
#include "hyp/dom/area.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/sched.h"
#include "hyp/lib/hash.h"
#include "hyp/lib/log.h"
#include "hyp/x86/vcpu.h"

/* Internal, as in Xen: a hypercall that has made progress is executed again for the rest. */
#define XEN_ERESTART 85

struct domain;

/* Work on a domain that is done in bounded slices (domain.c), in the order of a life's end. */
enum domain_step {
    STEP_NONE,
    STEP_BUILD,
    STEP_VCPUS,  /* wait until none runs */
    STEP_EVTCHN, /* close its event channels */
    STEP_GRANT,  /* unmap what it has mapped */
    STEP_MEMORY, /* free its memory and p2m */
    STEP_FREE,   /* free its vCPUs */
    STEP_ZOMBIE, /* wait until nobody maps its frames */
};

/* Where the builder is (build.c). */
struct build {
    uint64_t page;    /* of RAM: the next one */
    uint32_t vcpus;   /* made so far */
    uint32_t vault;   /* pages of it mapped so far */
    uint32_t segment; /* being loaded */
    uint64_t done;    /* bytes of it that are */
    uint32_t here;    /* bits of segments whose bytes the host has */
    bool ram_done;
    bool here_done; /* those are loaded */
    struct hash64 hash;
};

/* A block taken for the domain that is not scrubbed yet (ram.c). */
struct fresh_block {
    hfn_t frame;
    unsigned order;
    uint32_t clean; /* frames of it that are */
    bool valid;
};

/* Frames that outlive the domain (ram.c), each with a reference; its next life gets them. */
struct vault {
    hfn_t *frames; /* room for as many as its record says */
    uint32_t n;
};

struct vcpu {
    struct x86_vcpu arch; /* first */
    struct domain *dom;
    struct sched_entity sched;
    bool down;                                  /* VCPUOP_down, INIT, or not yet started */
    bool initialised;                           /* has registers to start with */
    struct guest_area info;                     /* registered vcpu_info; unset: in shared_info */
    struct spinlock area_lock;                  /* the next three */
    struct guest_area runstate_area, time_area; /* VCPUOP_register_*_memory_area */
    uint32_t time_version;                      /* of the last vcpu_time_info, even */
    struct timer singleshot;                    /* VCPUOP_set_singleshot_timer, set_timer_op */
    struct evtchn_vcpu evtchn;
    uint8_t upcall_vector; /* HVMOP_set_evtchn_upcall_vector; 0: the domain's callback */
    uint64_t poll;         /* SCHEDOP_poll: sleeping for a port; atomic */
    struct timer poll_timer;
    struct log_limit refusals;
};

struct domain {
    struct x86_domain arch; /* first */
    struct spinlock lock;
    uint16_t id;
    enum bh_domain_state state;
    unsigned shutdown_reason;
    struct bundle_domain *record; /* its own */
    uint32_t nvcpus;
    struct vcpu *vcpus[MAX_VCPUS];
    struct shared_info *shared; /* hypervisor page */
    struct sched_group sched;
    struct evtchn_set evtchns;
    struct grant_table grants;
    uint64_t params[HVM_NR_PARAMS];
    uint64_t memory_max; /* frames it may own; p2m.ram_frames of them it does */
    uint64_t created;    /* ns */
    uint32_t store_port;
    uint32_t console_port;
    struct list node;   /* all domains, by number */
    uint32_t refs;      /* atomic; 1 for the list */
    bool runstate_flag; /* VMASST_TYPE_runstate_update_flag */
    bool restart;       /* once it is gone, another from the same record */
    bool dying;         /* teardown has begun, or is about to */
    bool paused;        /* RUNNING, but none of its vCPUs is to run */
    bool by_call;       /* made by BH_CONTROL_create: its segments come by BH_CONTROL_load */
    enum domain_step step;
    struct list work; /* linked while step is not STEP_NONE */
    struct build build;
    struct image *images[BUNDLE_MAX_SEGMENTS]; /* image.c; NULL: of the bundle, or not kept */
    struct fresh_block fresh;
    struct vault vault;
    struct log_limit console_limit; /* console_io and BH_CONTROL_log */
    struct log_share log_share;
    uint32_t line_len; /* console_io: the line so far */
    char line[256];
};

/* The vCPU a machine structure belongs to. */
static inline struct vcpu *vcpu_of(struct x86_vcpu *v)
{
    return (struct vcpu *)v;
}
/* Not one of ours. */
static inline bool domain_is_guest(const struct domain *d)
{
    return d->record->class == BUNDLE_CLASS_GUEST;
}

/*
 * domain.c. The domain with this number, with a reference against its disappearance, or NULL.
 * domain_next(): the one with the lowest number >= id. domain_put() gives it back.
 */
struct domain *domain_get(uint16_t id);
struct domain *domain_next(uint32_t id);
void domain_put(struct domain *d);

/* id names v's own domain: 0, -XEN_ESRCH; -XEN_EPERM: for another's nobody has the privilege. */
static inline int domain_only_self(struct vcpu *v, uint16_t id)
{
    struct domain *d;

    if (id == DOMID_SELF || id == v->dom->id)
        return 0;
    d = domain_get(id);
    if (!d)
        return -XEN_ESRCH;
    domain_put(d);
    return -XEN_EPERM;
}

/*
 * A new domain for a validated record, which is copied, in state BUILDING and in the list, with a
 * reference: 0, -XEN_ENOMEM; -XEN_EEXIST: it is made by call, and another has its name or UUID. Its
 * number is id, which nobody has, or with 0 a new one. domain_build() begins to build it and gives
 * the reference back.
 */
int domain_create(const struct bundle_domain *record, uint16_t id, bool by_call,
                  struct domain **out);
void domain_build(struct domain *d);
/* There is as much free memory as a domain of this record takes, beside those that are building. */
bool domain_fits(const struct bundle_domain *record);
/* To a valid name (record_name_valid()): 0, -XEN_EEXIST; -XEN_EBUSY: d is dying. */
int domain_rename(struct domain *d, const char name[BUNDLE_NAME_SIZE]);
/* Bytes that it may own at most, beside what the builder adds; false: it has more. d is locked, or
 * not yet built. */
bool domain_set_memory_max(struct domain *d, uint64_t bytes);
uint64_t domain_memory_max(const struct domain *d);
/* READY becomes RUNNING: its first vCPU runs from now on. domain_changed() is to follow. */
void domain_start(struct domain *d, struct locked held);
/* The end of a running domain, by SHUTDOWN_* (xen/sched.h); its record says what follows. */
void domain_shutdown(struct domain *d, unsigned reason, const char *why);
/*
 * Tears d down, whatever state it is in; returns at once. again: its record starts it once more,
 * unless an earlier call said otherwise.
 */
void domain_destroy(struct domain *d, bool again);
/* A slice of the work that waits; false when there is none that could be done now. */
bool domain_work(void);
/* False: there is nothing for domain_work() to do. */
bool domain_work_waits(void);
/* When domain_work() should be called next, ns; ~0: when something new comes. */
uint64_t domain_work_due(void);
/* Powers the host off when no domain of class guest is left, if the bundle says so. */
void domain_idle_check(void);
/* VIRQ_DOM_EXC for the control domain and the store: the set or state of domains changed. */
void domain_changed(void);
/* Number of the control domain, and of the store; 0: there is none. */
extern uint16_t domain_control, domain_store;
extern bool domain_power_off_when_idle;

/*
 * build.c. A slice of building d from its record and bundle: 0: go on; 1: d is ready to start, or
 * made by call and waits for build_load() and build_finish(); -XEN_E*: it cannot be built, the log
 * says why.
 */
int build_slice(struct domain *d);
/* Some of the n bytes at src, the next of the current segment: how many were taken, 1..4096, or
 * -XEN_EFAULT, -XEN_ENOMEM; -XEN_EILSEQ: the segment is complete and not what its checksum says. */
long build_load(struct domain *d, struct vcpu *from, gva_t src, uint64_t n, struct locked held);
/* All that is not in segments: 0 or -XEN_E*, with a line in the log. */
int build_finish(struct domain *d);

/*
 * ram.c. Adds 1 << order (0..9) frames of new memory at gfn, contiguous in the host's: 0; 1: not
 * yet, call again; -XEN_ENOMEM, -XEN_EEXIST: nothing has changed. Any order but the last call's
 * begins anew. ram_drop() gives back what is under way.
 */
int ram_add(struct domain *d, gfn_t gfn, unsigned order);
void ram_drop(struct domain *d);
/*
 * The vault: maps page n, a new one or that of the last life, 0 or -XEN_ENOMEM. vault_hand_on()
 * gives it to the next life, vault_free_slice() gives at most budget pages back: true when all are.
 */
int vault_map(struct domain *d, uint32_t n);
void vault_hand_on(struct domain *from, struct domain *to);
bool vault_free_slice(struct domain *d, unsigned budget);

/*
 * run.c. What is done for the current vCPU has taken long enough, or its CPU is wanted: a hypercall
 * that has made progress should stop here and be continued.
 */
bool run_preempted(void);

/*
 * Starts or stops a vCPU; stopping is complete when sched_is_off(). run_go_on(): after a stop, with
 * the sleep that it was in. Any CPU, under the domain's lock; one of a paused domain starts later.
 */
void run_start(struct vcpu *v);
void run_stop(struct vcpu *v);
void run_go_on(struct vcpu *v);
/* v goes down, or gets an INIT, its domain locked and running; true: so did all others, and nobody
 * is left who could start one. */
bool run_down(struct vcpu *v, struct locked held);
bool run_init(struct vcpu *v, struct locked held);
/* To other CPUs: sched_move(). Another weight and cap: sched_group_change(). */
void run_move(struct vcpu *v, uint64_t affinity);
void run_shares(struct domain *d, uint32_t weight, uint32_t cap);
/* This CPU's current vCPU sleeps until run_wake(), unless that came since sched_clear_wake(). */
void run_block(void);
void run_wake(struct vcpu *v);

/* One rate-limited line: "name: call: why". Returns error, so that a refusal reads `return
 * vcpu_refuse(...)`. */
long vcpu_refuse(struct vcpu *v, long error, const char *call, const char *why);

/* v's vcpu_info, opened for access; closed by vcpu_info_close(). NULL: vCPU >= 32 and not
 * registered. */
struct vcpu_info *vcpu_info_open(struct vcpu *v);
void vcpu_info_close(struct vcpu *v, struct vcpu_info *info);
/* VCPUOP_register_vcpu_info: 0, -XEN_EINVAL, -XEN_EFAULT. */
int vcpu_info_register(struct vcpu *v, gpa_t gpa);
/* Writes v's pvclock (xen/xen.h struct vcpu_time_info) to vcpu_info and to the time area. */
void vcpu_info_time(struct vcpu *v);
/* Wall clock in the shared page. */
void vcpu_info_wallclock(struct domain *d);
/* Time in each state; state as the guest sees it. */
void vcpu_info_runstate(struct vcpu *v, struct vcpu_runstate_info *out);
/* Writes the runstate area with state, which v is about to enter. */
void vcpu_info_runstate_write(struct vcpu *v, int state);

/* Reads the bundle and starts its domains. */
void domains_boot(hpa_t bundle, uint64_t size);
/* The host's name, from the bundle. */
extern char domains_host[BUNDLE_NAME_SIZE];
/* Runs guests on this CPU for ever. */
void cpu_run_loop(void) __noreturn;

#endif
