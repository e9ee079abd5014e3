/* SPDX-License-Identifier: MIT */
/* A domain and its vCPUs: what the parts of hyp/dom and hyp/call share. */
#ifndef BH_DOM_DOM_H
#define BH_DOM_DOM_H

#include <stdint.h>

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
#include "hyp/lib/log.h"
#include "hyp/x86/vcpu.h"

/* Internal, as in Xen: a hypercall that has made progress is executed again for the rest. */
#define XEN_ERESTART 85

struct domain;

struct vcpu {
    struct x86_vcpu arch; /* first */
    struct domain *dom;
    struct sched_entity sched;
    bool down;              /* VCPUOP_down, or not yet started */
    struct guest_area info; /* registered vcpu_info; unset: in shared_info */
    struct guest_area runstate_area, time_area;
    struct vcpu_runstate_info runstate;
    struct timer singleshot; /* VCPUOP_set_singleshot_timer, set_timer_op */
    struct evtchn_vcpu evtchn;
    uint8_t upcall_vector; /* HVMOP_set_evtchn_upcall_vector; 0: the domain's callback */
    uint64_t poll;         /* SCHEDOP_poll: sleeping for a port */
    struct timer poll_timer;
    struct log_limit refusals;
};

struct domain {
    struct x86_domain arch; /* first */
    struct spinlock lock;
    uint16_t id;
    enum bh_domain_state state;
    unsigned shutdown_reason;
    const struct bundle_domain *record; /* kept for restarts */
    uint32_t nvcpus;
    struct vcpu *vcpus[MAX_VCPUS];
    struct shared_info *shared; /* hypervisor page */
    struct evtchn_set evtchns;
    struct grant_table grants;
    uint64_t params[HVM_NR_PARAMS];
    uint64_t memory_max; /* frames it may own; p2m.ram_frames of them it does */
    uint64_t created;    /* ns */
    uint32_t console_port;
    struct list node;
};

/* The domain a machine structure belongs to. */
static inline struct vcpu *vcpu_of(struct x86_vcpu *v)
{
    return (struct vcpu *)v;
}
static inline struct domain *domain_of(struct x86_domain *d)
{
    return (struct domain *)d;
}

/*
 * The domain with this number, with a reference against its disappearance, or NULL; DOMID_SELF is
 * resolved by domain_get_for(v, id). domain_put() gives it back.
 */
struct domain *domain_get(uint16_t id);
struct domain *domain_get_for(struct vcpu *v, uint16_t id);
void domain_put(struct domain *d);
/* The control domain's virtual interrupt: the set or state of domains changed. */
void domain_changed(void);

/* One rate-limited line: "name: call: why". Returns error, so that a refusal reads `return
 * vcpu_refuse(...)`. */
long vcpu_refuse(struct vcpu *v, long error, const char *call, const char *why);

/* v's vcpu_info, opened for access; closed by vcpu_info_close(). NULL: vCPU >= 32 and not
 * registered. */
struct vcpu_info *vcpu_info_open(struct vcpu *v);
void vcpu_info_close(struct vcpu *v, struct vcpu_info *info);

/* Reads the bundle and starts its domains. */
void domains_boot(hpa_t bundle, uint64_t size);
/* Runs guests on this CPU for ever. */
void cpu_run_loop(void) __noreturn;

#endif
