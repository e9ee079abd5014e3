/* SPDX-License-Identifier: MIT */
#include "hyp/x86/vendor.h"

#include "hyp/lib/format.h"

const struct vendor *vendor;

const char *vendor_init(void)
{
    static char text[80];
    bool intel = cpuid(1, 0).c >> 5 & 1;
    const struct vendor *v = intel ? &vmx_vendor : &svm_vendor;
    const char *missing = v->probe();

    if (!missing) {
        vendor = v;
        return NULL;
    }
    if (!intel && cpuid(0x80000000, 0).a >= 0x80000001 && !(cpuid(0x80000001, 0).c >> 2 & 1))
        return "the CPU has neither VT-x nor AMD-V";
    format(text, sizeof(text), "the CPU lacks %s", missing);
    return text;
}
