/* SPDX-License-Identifier: MIT */
/* __HYPERVISOR_xen_version, the CPUID leaves, the hypercall page, calls that do not exist. */
#include "tests/guest/probe.h"

#include <xen/features.h>
#include <xen/version.h>

#define VERSION(cmd, arg) HYPERCALL2(__HYPERVISOR_xen_version, cmd, arg)

static uint8_t page[4096] __aligned(4096);

/* The sizes of leaf 13 are those of the features that it offers, and follow XCR0. */
static void xstate(void)
{
    uint32_t all[4], r[4], end = 576;

    probe_cpuid(1, 0, r);
    if (!(r[2] >> 26 & 1))
        return;
    probe_cpuid(13, 0, all);
    EQUAL(all[1], 576); /* XCR0 is as after reset */
    for (uint32_t i = 2; i < 32; i++) {
        probe_cpuid(13, i, r);
        EQUAL(!!r[0], all[0] >> i & 1);
        if (r[0] && r[0] + r[1] > end)
            end = r[0] + r[1];
    }
    EQUAL(all[2], end);
    probe_cpuid(13, 1, r);
    if (r[0] >> 1 & 1) /* XSAVEC */
        EQUAL(r[1], 576);
}

static void leaves(void)
{
    uint32_t r[4];
    uint64_t value;

    probe_cpuid(0x40000000, 0, r);
    TRUE(r[0] >= 0x40000004);
    EQUAL(r[1], 0x566e6558); /* "XenVMMXenVMM" */
    EQUAL(r[2], 0x65584d4d);
    EQUAL(r[3], 0x4d4d566e);
    probe_cpuid(0x40000002, 0, r);
    EQUAL(r[0], 1);
    EQUAL(probe_wrmsr(r[1], (uint64_t)page), -1);
    EQUAL(page[0], 0xb8); /* mov $0, %eax; VMCALL or VMMCALL; ret */
    EQUAL(page[32 * 17 + 1], 17);
    EQUAL(page[5], 0x0f);
    EQUAL(page[6], 0x01);
    EQUAL(page[8], 0xc3);
    EQUAL(probe_wrmsr(r[1], 0x123456789000), 13);
    EQUAL(probe_rdmsr(0xdeadbeef, &value), 13);
    probe_cpuid(1, 0, r);
    TRUE(r[2] >> 31);
    TRUE(r[2] >> 21 & 1); /* x2APIC */
}

void probe_main(void)
{
    xen_feature_info_t info = {.submap_idx = 0};
    char text[XEN_EXTRAVERSION_LEN];

    leaves();
    xstate();
    EQUAL(VERSION(XENVER_version, 0) >> 16, 4);
    EQUAL(VERSION(XENVER_extraversion, text), 0);
    EQUAL(VERSION(XENVER_extraversion, BAD_POINTER), -XEN_EFAULT);
    EQUAL(VERSION(XENVER_pagesize, 0), 4096);
    EQUAL(VERSION(XENVER_get_features, &info), 0);
    TRUE(info.submap >> XENFEAT_auto_translated_physmap & 1);
    TRUE(info.submap >> XENFEAT_hvm_callback_vector & 1);
    TRUE(info.submap >> XENFEAT_hvm_safe_pvclock & 1);
    info.submap_idx = 99;
    EQUAL(VERSION(XENVER_get_features, &info), -XEN_EINVAL);
    EQUAL(VERSION(77, 0), -XEN_ENOSYS);
    EQUAL(HYPERCALL2(39, 0, 0), -XEN_ENOSYS); /* a number nobody has */
    EQUAL(HYPERCALL2(4000, 0, 0), -XEN_ENOSYS);
    EQUAL(HYPERCALL2(55, 0, 0), -XEN_EPERM); /* the control hypercall */
}
