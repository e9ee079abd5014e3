/* SPDX-License-Identifier: MIT */
/* Start of one of our domains, hypercalls, text, traps, memory. */
#include "guestdrv/rt/rt.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include "guestdrv/rt/internal.h"
#include "hyp/abi/bundle.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define PTE_PRESENT 0x1UL
#define PTE_WRITE   0x2UL
#define PTE_NX      (1UL << 63)

#define CPUID_RDRAND (1U << 30) /* leaf 1, ECX */

struct trap_frame {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

const char *rt_cmdline = "";
uint64_t rt_ram_end, rt_vault_size;
void (*rt_trap_hook)(unsigned vector);

static bool use_vmmcall;
static uint8_t *heap_next;
static void *heap_free;
static uint64_t heap_freed; /* pages in that list */
static uint64_t image_pt[512] __aligned(4096);

long rt_hypercall(unsigned nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    register uint64_t r10 __asm__("r10") = a4;
    register uint64_t r8 __asm__("r8") = a5;
    long ret;

    if (use_vmmcall)
        __asm__ volatile("vmmcall"
                         : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                         : "a"((uint64_t)nr)
                         : "memory");
    else
        __asm__ volatile("vmcall"
                         : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                         : "a"((uint64_t)nr)
                         : "memory");
    return ret;
}

/* AMD's and Hygon's CPUs have VMMCALL, all others VMCALL (APM vol. 3, SDM vol. 3 ch. 31). */
static void hypercall_choose(void)
{
    uint32_t a = 0, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    use_vmmcall = b == 0x68747541 || b == 0x6f677948; /* "Auth", "Hygo" */
}

static void print_v(const char *fmt, va_list ap)
{
    char text[256];
    int n = format_v(text, sizeof(text), fmt, ap);

    n = MIN(n, (int)sizeof(text) - 1);
    HYPERCALL3(__HYPERVISOR_console_io, CONSOLEIO_write, n, text);
}

void rt_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_v(fmt, ap);
    va_end(ap);
}

void rt_shutdown(unsigned reason)
{
    struct sched_shutdown arg = {reason};

    for (;;)
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &arg);
}

void rt_panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_v(fmt, ap);
    va_end(ap);
    rt_print("\n");
    rt_shutdown(SHUTDOWN_crash);
}

void rt_trap(const struct trap_frame *f)
{
    uint64_t cr2;

    if (rt_trap_hook)
        rt_trap_hook((unsigned)f->vector);
    __asm__("mov %%cr2, %0" : "=r"(cr2));
    rt_panic("trap %lu error %lx at rip %lx rsp %lx cr2 %lx", f->vector, f->error, f->rip, f->rsp,
             cr2);
}

/* Text executable, constants read-only, the rest of RAM data; page 0 and the stack guard absent. */
static void protect(void)
{
    uint64_t text = 0x100000, ro = (uint64_t)rt_rodata, data = (uint64_t)rt_data;

    for (uint64_t i = 0; i < 512; i++) {
        uint64_t a = i << 12, flags = PTE_PRESENT | PTE_WRITE | PTE_NX;

        if (a >= text && a < ro)
            flags = PTE_PRESENT;
        else if (a >= ro && a < data)
            flags = PTE_PRESENT | PTE_NX;
        image_pt[i] = i ? a | flags : 0;
    }
    image_pt[(uint64_t)rt_stack_guard >> 12] = 0;
    for (unsigned i = 1; i < 2048; i++)
        rt_pd[i] |= PTE_NX;
    rt_pd[0] = (uint64_t)image_pt | PTE_PRESENT | PTE_WRITE;
    __asm__ volatile("mov %0, %%cr3" : : "r"(rt_pml4) : "memory");
}

static void read_start_info(const struct hvm_start_info *si)
{
    const struct hvm_memmap_table_entry *map = (const void *)si->memmap_paddr;

    if (si->magic != XEN_HVM_START_MAGIC_VALUE)
        rt_panic("start info: wrong magic %x", si->magic);
    if (si->cmdline_paddr)
        rt_cmdline = (const char *)si->cmdline_paddr;
    for (uint32_t i = 0; i < si->memmap_entries; i++)
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM && map[i].addr < 1UL << 32)
            rt_ram_end = MAX(rt_ram_end, map[i].addr + map[i].size);
    for (uint32_t i = 0; i < si->memmap_entries; i++)
        if (map[i].addr == BUNDLE_VAULT_START)
            rt_vault_size = map[i].size;
    heap_next = rt_end;
}

uint64_t rt_param(uint32_t index)
{
    struct xen_hvm_param arg = {.domid = DOMID_SELF, .index = index};

    return HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_param, &arg) ? 0 : arg.value;
}

uint64_t rt_random(void)
{
    uint32_t a = 1, b, c = 0, d, lo, hi;
    uint64_t value;
    bool ok = false;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    for (unsigned i = 0; (c & CPUID_RDRAND) && !ok && i < 10; i++)
        __asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(ok));
    if (ok)
        return value;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return ((uint64_t)hi << 32 | lo) * 0x9e3779b97f4a7c15UL;
}

/* Xen's CPUID leaf 4 (xen/arch-x86/cpuid.h). */
uint16_t rt_domid(void)
{
    uint32_t a = 0x40000004, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (uint16_t)c;
}

void *rt_page_alloc(void)
{
    void *page = heap_free;

    if (page) {
        heap_free = *(void **)page;
        heap_freed--;
    } else {
        if ((uint64_t)heap_next + 4096 > rt_ram_end)
            return NULL;
        page = heap_next;
        heap_next += 4096;
    }
    return memset(page, 0, 4096);
}

void *rt_pages_alloc(size_t n)
{
    void *pages = heap_next;

    if ((uint64_t)heap_next + n * 4096 > rt_ram_end)
        return NULL;
    heap_next += n * 4096;
    return memset(pages, 0, n * 4096);
}

void rt_page_free(void *page)
{
    *(void **)page = heap_free;
    heap_free = page;
    heap_freed++;
}

uint64_t rt_memory_free(void)
{
    return rt_ram_end - (uint64_t)heap_next + heap_freed * 4096;
}

void rt_main(void)
{
    hypercall_choose();
    read_start_info((const void *)rt_start_info_gpa);
    idt_init();
    protect();
    if (component.magic != COMPONENT_MAGIC)
        rt_panic("component: wrong magic %x", component.magic);
    event_init();
    component.init();
    event_loop();
}
