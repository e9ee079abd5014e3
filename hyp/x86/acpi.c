/* SPDX-License-Identifier: MIT */
#include "hyp/x86/acpi.h"

#include "hyp/lib/string.h"
#include "hyp/x86/machine.h"

#define MAX_TABLE (4U << 20) /* larger is nonsense */

struct table {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} __packed;
_Static_assert(sizeof(struct table) == 36, "table header");

enum {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LAPIC_ADDRESS = 5,
    MADT_X2APIC = 9
};

struct acpi_info acpi;

static uint64_t get(const void *p, size_t at, size_t n)
{
    uint64_t v = 0;

    memcpy(&v, (const uint8_t *)p + at, n);
    return v;
}

static bool checksum_ok(const void *p, size_t n)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
    return !sum;
}

/* The table at a, mapped and checked; NULL when it is broken. */
static const struct table *map_table(uint64_t a)
{
    const struct table *t = map_io(mk_hpa(a), sizeof(*t), false);
    uint32_t n = t->length;

    if (n < sizeof(*t) || n > MAX_TABLE)
        return NULL;
    if (a % PAGE_SIZE + n > PAGE_SIZE)
        t = map_io(mk_hpa(a), n, false);
    return checksum_ok(t, n) ? t : NULL;
}

static void add_cpu(struct acpi_info *out, uint32_t id, uint32_t flags)
{
    if (!(flags & 1))
        return; /* not enabled; online-capable ones are for hot-plug */
    for (uint32_t i = 0; i < out->ncpus; i++)
        if (out->apic_ids[i] == id)
            return;
    if (out->ncpus < MAX_CPUS)
        out->apic_ids[out->ncpus++] = id;
    else
        out->more_cpus++;
}

static void add_override(const uint8_t *e, struct acpi_info *out)
{
    uint32_t flags = (uint32_t)get(e, 8, 2);

    if (out->noverrides < ACPI_MAX_OVERRIDES)
        out->overrides[out->noverrides++] = (struct acpi_override){
            .irq = e[3],
            .gsi = (uint32_t)get(e, 4, 4),
            .low = (flags & 3) == 3,
            .level = (flags >> 2 & 3) == 3,
        };
}

void acpi_read_madt(const uint8_t *entries, size_t n, struct acpi_info *out)
{
    for (size_t at = 0; at + 2 <= n && entries[at + 1] >= 2; at += entries[at + 1]) {
        const uint8_t *e = &entries[at];
        size_t size = e[1];

        if (size > n - at)
            return;
        if (e[0] == MADT_LAPIC && size >= 8)
            add_cpu(out, e[3], (uint32_t)get(e, 4, 4));
        else if (e[0] == MADT_X2APIC && size >= 16)
            add_cpu(out, (uint32_t)get(e, 4, 4), (uint32_t)get(e, 8, 4));
        else if (e[0] == MADT_OVERRIDE && size >= 10)
            add_override(e, out);
        else if (e[0] == MADT_LAPIC_ADDRESS && size >= 12)
            out->lapic = mk_hpa(get(e, 4, 8));
        else if (e[0] == MADT_IOAPIC && size >= 12 &&
                 (!out->ioapic.val || !get(e, 8, 4))) { /* the one of the legacy interrupts */
            out->ioapic = mk_hpa(get(e, 4, 4));
            out->ioapic_gsi = (uint32_t)get(e, 8, 4);
        }
    }
}

/* An AML integer (ACPI 6.4, 20.2.3): ZeroOp, OneOp, BytePrefix, WordPrefix, DWordPrefix. */
static bool aml_integer(const uint8_t *aml, size_t n, size_t *at, uint8_t *v)
{
    static const uint8_t sizes[] = {1, 2, 4};
    uint8_t op;

    if (*at >= n)
        return false;
    op = aml[(*at)++];
    if (op <= 1) {
        *v = op;
        return true;
    }
    if (op < 0x0a || op > 0x0c || n - *at < sizes[op - 0x0a])
        return false;
    *v = aml[*at];
    *at += sizes[op - 0x0a];
    return true;
}

bool acpi_find_s5(const uint8_t *aml, size_t n, uint8_t *a, uint8_t *b)
{
    static const uint8_t name[] = {'_', 'S', '5', '_', 0x12}; /* NameString, PackageOp */

    for (size_t i = 1; i + sizeof(name) + 2 < n; i++) {
        size_t at = i + sizeof(name);

        /* NameOp before it, a root prefix may stand between */
        if (memcmp(&aml[i], name, sizeof(name)) ||
            !(aml[i - 1] == 0x08 || (i > 1 && aml[i - 1] == '\\' && aml[i - 2] == 0x08)))
            continue;
        at += 1U + (aml[at] >> 6); /* PkgLength */
        if (at >= n || aml[at++] < 2)
            continue;
        if (aml_integer(aml, n, &at, a) && aml_integer(aml, n, &at, b))
            return true;
    }
    return false;
}

static void read_fadt(const struct table *t)
{
    const struct table *dsdt;
    uint32_t n = t->length;

    if (n < 116)
        return;
    acpi.pm1a_control = (uint16_t)get(t, 64, 4);
    acpi.pm1b_control = (uint16_t)get(t, 68, 4);
    acpi.pm_timer = (uint16_t)get(t, 76, 4);
    if (n >= 129 && get(t, 112, 4) >> 10 & 1 && get(t, 116, 1) == 1) { /* reset in I/O space */
        acpi.has_reset = true;
        acpi.reset_port = (uint16_t)get(t, 120, 8);
        acpi.reset_value = (uint8_t)get(t, 128, 1);
    }
    dsdt = map_table(n >= 148 && get(t, 140, 8) ? get(t, 140, 8) : get(t, 40, 4));
    if (dsdt)
        acpi.has_s5 = acpi_find_s5((const uint8_t *)(dsdt + 1), dsdt->length - sizeof(*dsdt),
                                   &acpi.s5_a, &acpi.s5_b);
}

static void read_table(const struct table *t)
{
    if (!memcmp(t->signature, "FACP", 4)) {
        read_fadt(t);
    } else if (!memcmp(t->signature, "APIC", 4) && t->length >= 44) {
        acpi.lapic = mk_hpa(get(t, 36, 4));
        acpi_read_madt((const uint8_t *)t + 44, t->length - 44, &acpi);
    }
}

const char *acpi_init(const uint8_t *rsdp)
{
    bool extended = rsdp[15] >= 2 && get(rsdp, 24, 8);
    const struct table *root, *t;
    size_t width = extended ? 8 : 4;

    if (memcmp(rsdp, "RSD PTR ", 8) || !checksum_ok(rsdp, 20))
        return "ACPI: no valid root pointer";
    root = map_table(extended ? get(rsdp, 24, 8) : get(rsdp, 16, 4));
    if (!root)
        return "ACPI: the root table is broken";
    for (size_t at = sizeof(*root); at + width <= root->length; at += width) {
        t = map_table(get(root, at, width));
        if (t)
            read_table(t);
    }
    return acpi.ncpus ? NULL : "ACPI: the MADT names no processor";
}
