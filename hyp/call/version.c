/* SPDX-License-Identifier: MIT */
/* XENVER_* (xen/version.h): we are what a guest of Xen 4.17 needs, and say who we are in the text.
 */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/version.h>
#include "hyp/abi/version.h"

#define VERSION (4 << 16 | 17)
#define FEATURES                                                                                   \
    (1U << XENFEAT_writable_page_tables | 1U << XENFEAT_auto_translated_physmap |                  \
     1U << XENFEAT_hvm_callback_vector | 1U << XENFEAT_hvm_safe_pvclock |                          \
     1U << XENFEAT_not_direct_mapped)

static const xen_extraversion_t extraversion = ".bulkhead";
static const xen_changeset_info_t changeset = "Bulkhead " BH_VERSION;
static const xen_capabilities_info_t capabilities = "hvm-3.0-x86_64 ";
/* Builds are reproducible: who made one, when and where is not in it. */
static const struct xen_compile_info compile_info = {.compile_domain = "bulkhead"};
/* Nothing of ours is mapped for the guest. */
static const struct xen_platform_parameters platform_parameters;
static const xen_commandline_t commandline; /* the host's, which is not the guest's business */

#define ANSWER(name) [XENVER_##name] = {&(name), sizeof(name)}

/* Those that are the same for every domain. */
static const struct {
    const void *data;
    size_t size;
} answers[] = {
    ANSWER(extraversion), ANSWER(compile_info),        ANSWER(capabilities),
    ANSWER(changeset),    ANSWER(platform_parameters), ANSWER(commandline),
};

static long get_features(struct vcpu *v, gva_t arg)
{
    struct xen_feature_info f;

    if (copy_from_guest(&v->arch, &f, arg, sizeof(f)))
        return -XEN_EFAULT;
    if (f.submap_idx)
        return -XEN_EINVAL;
    f.submap = FEATURES;
    return copy_to_guest(&v->arch, arg, &f, sizeof(f));
}

long call_xen_version(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint32_t cmd = (uint32_t)args[0];
    gva_t arg = mk_gva(args[1]);

    if (cmd < ARRAY_SIZE(answers) && answers[cmd].data)
        return copy_to_guest(&v->arch, arg, answers[cmd].data, answers[cmd].size);
    switch (cmd) {
    case XENVER_version:
        return VERSION;
    case XENVER_get_features:
        return get_features(v, arg);
    case XENVER_pagesize:
        return PAGE_SIZE;
    case XENVER_guest_handle:
        return copy_to_guest(&v->arch, arg, v->dom->record->uuid, sizeof(v->dom->record->uuid));
    case XENVER_build_id:
        return -XEN_ENODATA;
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "xen_version", "unknown operation");
    }
}
