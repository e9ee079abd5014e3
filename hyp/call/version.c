/* SPDX-License-Identifier: MIT */
/* XENVER_* (xen/version.h): we are what a guest of Xen 4.17 needs, and say who we are in the text.
 */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/version.h>
#include "hyp/abi/version.h"
#include "hyp/lib/string.h"

#define VERSION (4 << 16 | 17)
#define FEATURES                                                                                   \
    (1U << XENFEAT_writable_page_tables | 1U << XENFEAT_auto_translated_physmap |                  \
     1U << XENFEAT_hvm_callback_vector | 1U << XENFEAT_hvm_safe_pvclock |                          \
     1U << XENFEAT_not_direct_mapped)

static const xen_extraversion_t extraversion = ".bulkhead";
static const xen_changeset_info_t changeset = "Bulkhead " BH_VERSION;
/* Builds are reproducible: who made one, when and where is not in it. */
static const struct xen_compile_info compile_info = {.compile_domain = "bulkhead"};

static long give(struct vcpu *v, gva_t to, const void *text, size_t n)
{
    return copy_to_guest(&v->arch, to, text, n);
}

/* text, then zeros up to n: the long arrays are nearly empty. */
static long give_padded(struct vcpu *v, gva_t to, const char *text, size_t n)
{
    char buf[XEN_CAPABILITIES_INFO_LEN];

    _Static_assert(sizeof(xen_commandline_t) <= sizeof(buf), "room for each");
    memset(buf, 0, sizeof(buf));
    memcpy(buf, text, strnlen(text, n - 1));
    return give(v, to, buf, n);
}

static long get_features(struct vcpu *v, gva_t arg)
{
    struct xen_feature_info f;

    if (copy_from_guest(&v->arch, &f, arg, sizeof(f)))
        return -XEN_EFAULT;
    if (f.submap_idx)
        return -XEN_EINVAL;
    f.submap = FEATURES;
    return give(v, arg, &f, sizeof(f));
}

long call_xen_version(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    const struct xen_platform_parameters none = {0}; /* nothing of ours is mapped for the guest */
    gva_t arg = mk_gva(args[1]);

    switch ((uint32_t)args[0]) {
    case XENVER_version:
        return VERSION;
    case XENVER_extraversion:
        return give(v, arg, extraversion, sizeof(extraversion));
    case XENVER_compile_info:
        return give(v, arg, &compile_info, sizeof(compile_info));
    case XENVER_capabilities:
        return give_padded(v, arg, "hvm-3.0-x86_64 ", XEN_CAPABILITIES_INFO_LEN);
    case XENVER_changeset:
        return give(v, arg, changeset, sizeof(changeset));
    case XENVER_platform_parameters:
        return give(v, arg, &none, sizeof(none));
    case XENVER_get_features:
        return get_features(v, arg);
    case XENVER_pagesize:
        return PAGE_SIZE;
    case XENVER_guest_handle:
        return give(v, arg, v->dom->record->uuid, sizeof(v->dom->record->uuid));
    case XENVER_commandline: /* the host's, which is not the guest's business */
        return give_padded(v, arg, "", sizeof(xen_commandline_t));
    case XENVER_build_id:
        return -XEN_ENODATA;
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "xen_version", "unknown operation");
    }
}
