/* SPDX-License-Identifier: MIT */
/*
 * What firmware and the boot loader say, and instructions of guests: the multiboot2 information,
 * ACPI tables with and without good checksums, the lengths that AMD-V without next RIP needs.
 */
#include "tests/fuzz/fuzz.h"

#include "hyp/boot/multiboot.h"
#include "hyp/x86/acpi.h"
#include "hyp/x86/copy.h"
#include "hyp/x86/svm/svm.h"

#define TABLES  8U
#define MEMORY  0x4000UL /* fake physical memory with the tables */
#define BASE    0x7f000UL
#define SPANS   64U
#define HEADER  36U
#define LONGEST 15U

static uint8_t memory[MEMORY];
static void *spans[SPANS];
static unsigned nspans;

/* Whole pages, as the real one maps them; where there is no memory reads give ones. */
void *map_io(hpa_t a, size_t n, bool uncached)
{
    size_t offset = a.val % PAGE_SIZE, size = ROUND_UP(offset + n, PAGE_SIZE);
    uint64_t first = a.val - offset;
    uint8_t *p = malloc(size);

    MUST(!uncached && n && n <= 4UL << 20 && nspans < SPANS && p);
    memset(p, 0xff, size);
    if (first >= BASE && first < BASE + MEMORY)
        memcpy(p, memory + (first - BASE), MIN(size, BASE + MEMORY - first));
    spans[nspans++] = p;
    return p + offset;
}

/* svminsn_length() is not what is looked at here: nothing can be read. */
int copy_from_guest(struct x86_vcpu *v, void *dst, gva_t src, size_t n)
{
    (void)v;
    (void)src;
    memset(dst, 0, n);
    return 0;
}

int guest_walk(struct x86_vcpu *v, gva_t va, bool write, gpa_t *out)
{
    (void)v;
    (void)va;
    (void)write;
    (void)out;
    return -1;
}

hfn_t p2m_peek(struct p2m *p, gfn_t gfn, bool write, enum p2m_type *t, struct locked held)
{
    (void)p;
    (void)t;
    (void)gfn;
    (void)write;
    (void)held;
    return HFN_NONE;
}

void *arch_slot_map(hfn_t f)
{
    (void)f;
    abort();
}

void arch_slot_unmap(void *p)
{
    (void)p;
    abort();
}

/* A copy that is exactly as large as it says, so that every read beyond is seen. */
static void *exact(const void *data, size_t n)
{
    void *p = malloc(n ? n : 1);

    MUST(p);
    if (n)
        memcpy(p, data, n);
    return p;
}

static void multiboot(const uint8_t *data, size_t n)
{
    static struct multiboot_info out;
    uint32_t size = (uint32_t)n;
    uint8_t *info;

    if (n < 8)
        return;
    info = exact(data, n);
    memcpy(info, &size, sizeof(size));
    memset(&out, 0xee, sizeof(out));
    if (!multiboot_parse(MULTIBOOT_MAGIC, info, &out)) {
        MUST(out.nram && out.nram <= MULTIBOOT_REGIONS);
        MUST(out.bundle.start <= out.bundle.end && !(out.bundle.start % PAGE_SIZE));
        MUST(memchr(out.cmdline, 0, sizeof(out.cmdline)));
        for (uint32_t i = 0; i < out.nram; i++)
            MUST(out.ram[i].start < out.ram[i].end &&
                 !((out.ram[i].start | out.ram[i].end) % PAGE_SIZE));
    }
    free(info);
}

static void check_acpi(const struct acpi_info *a)
{
    MUST(a->ncpus <= MAX_CPUS && a->noverrides <= ACPI_MAX_OVERRIDES);
    for (uint32_t i = 0; i < a->ncpus; i++)
        for (uint32_t j = 0; j < i; j++)
            MUST(a->apic_ids[i] != a->apic_ids[j]);
}

static void madt(const uint8_t *data, size_t n)
{
    struct acpi_info out = {.ncpus = 0};
    uint8_t *entries = exact(data, n);

    acpi_read_madt(entries, n, &out);
    check_acpi(&out);
    free(entries);
}

static void s5(const uint8_t *data, size_t n)
{
    uint8_t *aml = exact(data, n), a, b;

    acpi_find_s5(aml, n, &a, &b);
    free(aml);
}

static void put(size_t at, uint64_t v, size_t n)
{
    memcpy(memory + at, &v, n);
}

static void fix_checksum(size_t at, size_t n, size_t where)
{
    uint8_t sum = 0;

    memory[at + where] = 0;
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + memory[at + i]);
    memory[at + where] = (uint8_t)-sum;
}

/* One table at a place of the data's choosing; its checksum is right but for one time in eight. */
static uint64_t add_table(struct fuzz *f)
{
    static const char names[4][5] = {"FACP", "APIC", "DSDT", "SSDT"};
    uint8_t how = fuzz_byte(f);
    size_t at = fuzz_bytes(f, 2) % (MEMORY - HEADER - 256), n = HEADER + fuzz_byte(f);

    fuzz_take(f, memory + at + HEADER, n - HEADER);
    memcpy(memory + at, names[how % 4], 4);
    put(at + 4, how & 4 ? fuzz_bytes(f, how & 0x40 ? 4 : 1) : n, 4);
    if (how & 0x38)
        fix_checksum(at, n, 9);
    return BASE + at;
}

static void acpi_tables(struct fuzz *f)
{
    uint8_t *rsdp = memory + MEMORY - HEADER; /* on no table's way */
    size_t root = fuzz_bytes(f, 2) % (MEMORY - 2 * HEADER - TABLES * 8 - 8);
    uint8_t how = fuzz_byte(f);
    bool wide = how & 1;
    unsigned n = how >> 1 & (TABLES - 1);

    memset(memory, 0, sizeof(memory));
    memset(&acpi, 0, sizeof(acpi));
    for (unsigned i = 0; i < n; i++) {
        uint64_t a = add_table(f);

        put(root + HEADER + i * (wide ? 8 : 4), how & 0x40 ? a : fuzz_number(f), wide ? 8 : 4);
    }
    put(root + 4, HEADER + n * (wide ? 8 : 4), 4);
    fix_checksum(root, HEADER + n * (wide ? 8 : 4), 9);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = wide ? 2 : 0;
    put(MEMORY - HEADER + 16, BASE + root, 4);
    put(MEMORY - HEADER + 24, BASE + root, 8);
    fix_checksum(MEMORY - HEADER, 20, 8);
    rsdp = exact(rsdp, HEADER);
    acpi_init(rsdp);
    check_acpi(&acpi);
    free(rsdp);
    while (nspans)
        free(spans[--nspans]);
}

/* Its length is that of the bytes it looked at: no fewer would do, and more change nothing. */
static void instruction(const uint8_t *data, size_t n)
{
    bool code64 = n && data[0] & 1;
    unsigned size = (unsigned)(n > LONGEST ? LONGEST : n);
    uint8_t *p = exact(data, size), reg, again;
    uint32_t length = svminsn_decode(p, size, code64, &reg);

    MUST(length <= size && reg < (code64 ? 16 : 8));
    if (length) {
        uint8_t *q = exact(data, length - 1);

        MUST(svminsn_decode(p, length, code64, &again) == length && again == reg);
        MUST(!svminsn_decode(q, length - 1, code64, &again));
        free(q);
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fuzz f = {data + 1, data + n};

    switch (n ? data[0] : 255) {
    case 'm':
        multiboot(data + 1, n - 1);
        break;
    case 'c':
        madt(data + 1, n - 1);
        break;
    case '5':
        s5(data + 1, n - 1);
        break;
    case 't':
        acpi_tables(&f);
        break;
    case 'i':
        instruction(data + 1, n - 1);
        break;
    default:
        return -1; /* not worth keeping */
    }
    return 0;
}
