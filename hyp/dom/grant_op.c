/* SPDX-License-Identifier: MIT */
/*
 * GNTTABOP_* (xen/grant_table.h): arrays of requests, each copied in once and answered by its own
 * status. Long arrays are done in pieces, of GRANT_BATCH at most.
 */
#include <xen/errno.h>
#include "hyp/dom/grant_private.h"
#include "hyp/lib/string.h"

static const char *const status_text[] = GNTTABOP_error_msgs;

static void report(struct vcpu *v, const char *call, int status)
{
    if (status < 0 && -status < (int)ARRAY_SIZE(status_text))
        vcpu_refuse(v, status, call, status_text[-status]);
}

/* What do_*() get: the caller, one request, and the unmapping under way. */
struct request {
    struct vcpu *v;
    union {
        struct gnttab_map_grant_ref map;
        struct gnttab_unmap_grant_ref unmap;
        struct gnttab_unmap_and_replace replace;
        struct gnttab_copy copy;
        struct gnttab_swap_grant_ref swap;
        struct gnttab_setup_table setup;
        struct gnttab_query_size query;
        struct gnttab_set_version set_version;
        struct gnttab_get_version get_version;
        struct gnttab_get_status_frames status_frames;
    };
    int status; /* for the log */
    struct grant_batch batch;
};

static int answer(struct request *r, int status, int16_t *field)
{
    r->status = status;
    *field = (int16_t)status;
    return 0;
}

/* These return 0, or the error of the whole call. */

static int do_map(struct request *r)
{
    return answer(r, grant_map(r->v->dom, &r->map), &r->map.status);
}

static int do_unmap(struct request *r)
{
    int status = grant_unmap(r->v->dom, r->unmap.handle, r->unmap.host_addr, &r->batch);

    return answer(r, status, &r->unmap.status);
}

/* Without PV page tables there is nothing to put in its place. */
static int do_replace(struct request *r)
{
    int status = GNTST_general_error;

    if (!r->replace.new_addr)
        status = grant_unmap(r->v->dom, r->replace.handle, r->replace.host_addr, &r->batch);
    return answer(r, status, &r->replace.status);
}

static int do_copy(struct request *r)
{
    grant_copy(r->v->dom, &r->copy);
    return answer(r, r->copy.status, &r->copy.status);
}

static int do_swap(struct request *r)
{
    return answer(r, grant_swap(r->v->dom, r->swap.ref_a, r->swap.ref_b), &r->swap.status);
}

/* Only one's own table may be looked at: GNTST_*. */
static int only_self(struct vcpu *v, domid_t id)
{
    int rc = domain_only_self(v, id);

    return !rc ? GNTST_okay : rc == -XEN_ESRCH ? GNTST_bad_domain : GNTST_permission_denied;
}

/*
 * The guest maps its table by XENMEM_add_to_physmap and knows where; the list says, as Xen's does
 * for a frame that is not mapped, that there is no other address.
 */
static int do_setup(struct request *r)
{
    xen_pfn_t none[GRANT_MAX_FRAMES];
    uint32_t n = r->setup.nr_frames;
    int status = only_self(r->v, r->setup.dom);

    if (!status && grant_grow(r->v->dom, n))
        status = GNTST_general_error;
    answer(r, status, &r->setup.status);
    if (status)
        return 0;
    memset(none, 0xff, sizeof(none));
    return copy_to_guest(&r->v->arch, HANDLE_GVA(r->setup.frame_list), none, n * sizeof(*none));
}

static int do_query(struct request *r)
{
    int status = only_self(r->v, r->query.dom);

    if (!status) {
        r->query.nr_frames = READ_ONCE(r->v->dom->grants.nframes);
        r->query.max_nr_frames = GRANT_MAX_FRAMES;
    }
    return answer(r, status, &r->query.status);
}

/* Version 1 is all there is, as with Xen's gnttab=max-ver:1. */
static int do_set_version(struct request *r)
{
    uint32_t asked = r->set_version.version;

    r->set_version.version = 1;
    return asked == 1 ? 0 : asked == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
}

static int do_get_version(struct request *r)
{
    r->get_version.version = 1;
    return domain_only_self(r->v, r->get_version.dom);
}

/* Version 1 has no status frames. */
static int do_status_frames(struct request *r)
{
    int status = only_self(r->v, r->status_frames.dom);

    if (!status && r->status_frames.nr_frames)
        status = GNTST_general_error;
    return answer(r, status, &r->status_frames.status);
}

/* The version calls ignore the count. */
enum shape { ARRAY, ONE, ANY };

#define OP(name, fn, shape)                                                                        \
    [GNTTABOP_##name] = {fn, "grant " #name, sizeof(struct gnttab_##name), shape}

static const struct {
    int (*fn)(struct request *r);
    const char *name;
    uint8_t size;
    uint8_t shape; /* enum shape */
} ops[] = {
    OP(map_grant_ref, do_map, ARRAY),     OP(unmap_grant_ref, do_unmap, ARRAY),
    OP(setup_table, do_setup, ONE),       OP(copy, do_copy, ARRAY),
    OP(query_size, do_query, ONE),        OP(unmap_and_replace, do_replace, ARRAY),
    OP(set_version, do_set_version, ANY), OP(get_status_frames, do_status_frames, ONE),
    OP(get_version, do_get_version, ANY), OP(swap_grant_ref, do_swap, ARRAY),
};

/* One request at arg: 0 or the error of the whole call. */
static int one(struct request *r, unsigned cmd, gva_t arg)
{
    int rc = copy_from_guest(&r->v->arch, &r->map, arg, ops[cmd].size);

    r->status = 0;
    if (!rc) {
        rc = ops[cmd].fn(r);
        report(r->v, ops[cmd].name, r->status);
        if (rc != -XEN_EFAULT && copy_to_guest(&r->v->arch, arg, &r->map, ops[cmd].size))
            rc = -XEN_EFAULT;
    }
    return rc;
}

long grant_op(struct vcpu *v, unsigned cmd, gva_t *arg, unsigned *count)
{
    struct request r;
    int rc = 0;

    if (cmd == GNTTABOP_cache_flush)
        return vcpu_refuse(v, -XEN_EPERM, "grant_table_op", "cache_flush is the hypervisor's");
    if (cmd >= ARRAY_SIZE(ops) || !ops[cmd].fn)
        return vcpu_refuse(v, -XEN_ENOSYS, "grant_table_op", "unknown operation");
    if ((int)*count < 0 || (ops[cmd].shape == ONE && *count != 1))
        return vcpu_refuse(v, -XEN_EINVAL, ops[cmd].name, "bad count");
    if (ops[cmd].shape == ANY)
        *count = 1;
    r.v = v;
    r.batch.n = 0;
    for (unsigned n = 0; !rc && *count && n < GRANT_BATCH; n++, --*count) {
        if (n && run_preempted())
            break;
        rc = one(&r, cmd, *arg);
        arg->val += ops[cmd].size;
    }
    grant_map_flush(v->dom, &r.batch);
    if (rc)
        return vcpu_refuse(v, rc, ops[cmd].name, "failed");
    return *count ? -XEN_ERESTART : 0;
}
