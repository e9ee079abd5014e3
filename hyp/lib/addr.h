/* SPDX-License-Identifier: MIT */
/*
 * Address kinds. A host-physical address, a guest-physical address and a guest linear address are
 * distinct types, so that the compiler refuses to mix them. Host virtual addresses are C pointers.
 * Frame numbers count 4 KiB frames: hfn in host-physical, gfn in guest-physical space.
 */
#ifndef BH_LIB_ADDR_H
#define BH_LIB_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* log2 of the number of 4 KiB frames in a page. */
#define ORDER_4K 0
#define ORDER_2M 9

/* A kind: the type kind_t, and mk_kind(), which makes one. */
#define ADDRESS(kind)                                                                              \
    typedef struct {                                                                               \
        uint64_t val;                                                                              \
    } kind##_t;                                                                                    \
    static inline kind##_t mk_##kind(uint64_t v)                                                   \
    {                                                                                              \
        return (kind##_t){v};                                                                      \
    }

ADDRESS(hpa) /* hpa_t: host-physical address, bytes */
ADDRESS(gpa) /* gpa_t: guest-physical address, bytes */
ADDRESS(gva) /* gva_t: guest linear address, bytes */
ADDRESS(hfn) /* hfn_t: host frame number */
ADDRESS(gfn) /* gfn_t: guest frame number */

#define HFN_NONE ((hfn_t){~0ULL})

static inline hfn_t hpa_to_hfn(hpa_t a)
{
    return (hfn_t){a.val >> PAGE_SHIFT};
}
static inline hpa_t hfn_to_hpa(hfn_t f)
{
    return (hpa_t){f.val << PAGE_SHIFT};
}
static inline gfn_t gpa_to_gfn(gpa_t a)
{
    return (gfn_t){a.val >> PAGE_SHIFT};
}
static inline gpa_t gfn_to_gpa(gfn_t f)
{
    return (gpa_t){f.val << PAGE_SHIFT};
}
static inline hfn_t hfn_add(hfn_t f, uint64_t n)
{
    return (hfn_t){f.val + n};
}
static inline gfn_t gfn_add(gfn_t f, uint64_t n)
{
    return (gfn_t){f.val + n};
}
static inline bool hfn_eq(hfn_t a, hfn_t b)
{
    return a.val == b.val;
}
static inline bool gfn_eq(gfn_t a, gfn_t b)
{
    return a.val == b.val;
}

#endif
