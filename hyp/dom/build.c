/* SPDX-License-Identifier: MIT */
/* The builder: gives a domain its memory, loads its segments, and writes what PVH asks for. */
#include <xen/errno.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>
#include "hyp/dom/domain.h"
#include "hyp/dom/guestacpi.h"
#include "hyp/dom/image.h"
#include "hyp/dom/record.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"

#define SLICE    64 /* single pages of RAM a slice */
#define COPIES   12 /* pages copied and checked a slice */
#define PAGES_2M (1UL << ORDER_2M)

/* Below BUNDLE_LOW_RESERVED. */
#define START_INFO 0x1000
#define MEMMAP     0x1100
#define MODLIST    0x1800
#define CMDLINE    0x2000

static int no_memory(struct domain *d)
{
    uint64_t want = d->record->memory_target / PAGE_SIZE, have = d->arch.p2m.ram_frames;

    log_line("[%s] not enough memory: %lu MiB wanted, %lu MiB more than there is", d->record->name,
             want >> 8, ((want - have) >> 8) + 1);
    return -XEN_ENOMEM;
}

/* 2 MiB, or as many single pages as a slice may take. */
static int ram_slice(struct domain *d)
{
    uint64_t total = d->record->memory_target / PAGE_SIZE;
    unsigned done = 0;

    while (d->build.page < total && done < SLICE) {
        uint64_t n = d->build.page;
        gfn_t gfn = mk_gfn(record_ram_gfn(d->record, n));
        bool large = !(gfn.val % PAGES_2M) && total - n >= PAGES_2M &&
                     record_ram_gfn(d->record, n + PAGES_2M - 1) == gfn.val + PAGES_2M - 1;

        int rc = large ? ram_add(d, gfn, ORDER_2M) : -XEN_ENOMEM;

        if (rc >= 0) {
            d->build.page += rc ? 0 : PAGES_2M;
            return 0;
        }
        if (ram_add(d, gfn, 0))
            return no_memory(d);
        d->build.page++;
        done++;
    }
    if (d->build.page < total)
        return 0;
    d->build.ram_done = true;
    for (uint32_t i = 0; i < d->record->nsegments; i++)
        d->build.here |= image_find(d, i) ? 1U << i : 0;
    hash64_init(&d->build.hash);
    return 0;
}

static int vault_slice(struct domain *d)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < SLICE && d->build.vault < d->record->vault_pages; i++)
        rc = vault_map(d, d->build.vault++);
    if (rc)
        log_line("[%s] not enough memory for its vault", d->record->name);
    return rc;
}

static bool is_here(const struct domain *d)
{
    return d->build.here >> d->build.segment & 1;
}

static void next_segment(struct domain *d)
{
    d->build.segment++;
    d->build.done = 0;
    hash64_init(&d->build.hash);
}

static int segment_end(struct domain *d, const struct bundle_segment *s)
{
    if (hash64_final(&d->build.hash) != s->checksum) {
        log_line("[%s] segment %u: checksum: does not match", d->record->name, d->build.segment);
        return -XEN_EILSEQ;
    }
    if (!is_here(d))
        image_complete(d, d->build.segment);
    next_segment(d);
    return 0;
}

/* n bytes from a page's begin, to the current segment. */
static int load_page(struct domain *d, const struct bundle_segment *s, uint64_t at, size_t n)
{
    uint8_t *window, *p = image_map(d, d->build.segment, at, &window);
    int rc;

    hash64_update(&d->build.hash, p, n);
    rc = copy_to_gpa(&d->arch, mk_gpa(s->gpa + at), p, n);
    if (window)
        arch_slot_unmap(window);
    return rc;
}

/* Copies and checks some pages of the segments that are here. Memory behind file_size is zero
 * already. */
static int load_slice(struct domain *d)
{
    const struct bundle_segment *s = &d->record->segments[d->build.segment];

    if (d->build.segment == d->record->nsegments) {
        d->build.here_done = true;
        d->build.segment = 0;
        return 0;
    }
    for (unsigned i = 0; is_here(d) && i < COPIES; i++) {
        uint64_t at = d->build.done;
        size_t n = MIN(PAGE_SIZE, s->file_size - at);
        int rc;

        if (!n)
            return segment_end(d, s);
        rc = load_page(d, s, at, n);
        if (rc)
            return rc;
        d->build.done += n;
    }
    if (!is_here(d))
        next_segment(d);
    return 0;
}

/* On to the next segment that has bytes to come. */
static int skip_complete(struct domain *d)
{
    int rc = 0;

    while (!rc && d->build.segment < d->record->nsegments) {
        const struct bundle_segment *s = &d->record->segments[d->build.segment];

        if (is_here(d))
            next_segment(d);
        else if (d->build.done == s->file_size)
            rc = segment_end(d, s);
        else
            break;
    }
    return rc;
}

/* From the caller to the domain's frame f, at offset `at`, and to what is kept. */
static int load_bytes(struct domain *d, struct vcpu *from, gva_t src, hfn_t f, uint64_t at,
                      size_t n)
{
    bool keep = image_wanted(d->record);
    uint8_t *window, *kept = NULL;
    int rc;

    if (keep)
        kept = image_keep(d, d->build.segment, d->build.done);
    if (keep && !kept)
        return -XEN_ENOMEM;
    window = arch_slot_map(f);
    rc = copy_from_guest(&from->arch, window + at, src, n);
    if (!rc)
        hash64_update(&d->build.hash, window + at, n);
    if (!rc && kept)
        memcpy(kept, window + at, n);
    arch_slot_unmap(window);
    return rc;
}

long build_load(struct domain *d, struct vcpu *from, gva_t src, uint64_t n, struct locked held)
{
    const struct bundle_segment *s = &d->record->segments[d->build.segment];
    gpa_t to = mk_gpa(s->gpa + d->build.done);
    uint64_t at = to.val % PAGE_SIZE;
    hfn_t f;
    int rc = p2m_get(&d->arch.p2m, gpa_to_gfn(to), true, &f);

    (void)held;
    if (rc)
        return rc;
    n = MIN(MIN(n, PAGE_SIZE - at), PAGE_SIZE - d->build.done % PAGE_SIZE);
    n = MIN(n, s->file_size - d->build.done);
    rc = load_bytes(d, from, src, f, at, n);
    frame_put(f);
    if (rc)
        return rc;
    d->build.done += n;
    rc = skip_complete(d);
    return rc ? rc : (long)n;
}

static int write_start_info(struct domain *d)
{
    const struct bundle_domain *r = d->record;
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];
    struct hvm_modlist_entry modules[BUNDLE_MAX_SEGMENTS];
    struct hvm_start_info si = {
        .magic = XEN_HVM_START_MAGIC_VALUE,
        .version = 1,
        .cmdline_paddr = CMDLINE,
        .rsdp_paddr = GUEST_ACPI_START,
        .memmap_paddr = MEMMAP,
        .memmap_entries = record_memmap(r, map),
        .modlist_paddr = MODLIST,
    };
    int rc;

    memset(modules, 0, sizeof(modules));
    for (uint32_t i = 0; i < r->nsegments; i++)
        if (r->segments[i].kind == BUNDLE_SEGMENT_MODULE)
            modules[si.nr_modules++] = (struct hvm_modlist_entry){.paddr = r->segments[i].gpa,
                                                                  .size = r->segments[i].file_size};
    rc = copy_to_gpa(&d->arch, mk_gpa(START_INFO), &si, sizeof(si));
    if (!rc)
        rc = copy_to_gpa(&d->arch, mk_gpa(MEMMAP), map, sizeof(map[0]) * si.memmap_entries);
    if (!rc)
        rc = copy_to_gpa(&d->arch, mk_gpa(MODLIST), modules, sizeof(modules));
    return rc ? rc : copy_to_gpa(&d->arch, mk_gpa(CMDLINE), r->cmdline, sizeof(r->cmdline));
}

static int write_acpi(struct domain *d)
{
    const gfn_t gfn = gpa_to_gfn(mk_gpa(GUEST_ACPI_START));
    uint8_t *window;
    hfn_t f;
    int rc = ram_add(d, gfn, 0);

    if (!rc)
        rc = p2m_get(&d->arch.p2m, gfn, true, &f);
    if (rc)
        return rc;
    window = arch_slot_map(f);
    guestacpi_build(window, GUEST_ACPI_START, d->nvcpus);
    arch_slot_unmap(window);
    frame_put(f);
    return 0;
}

/* A page of rings, its grant and its event channel, for peer, as Xen's toolstack sets them up; only
 * the port, to keep the numbers of others, when peer is 0 or d itself. */
static int make_ring(struct domain *d, uint64_t gpa, uint32_t ref, uint16_t peer, uint32_t *port)
{
    bool alone = !peer || peer == d->id;
    gfn_t gfn = gpa_to_gfn(mk_gpa(gpa));
    int rc = ram_add(d, gfn, 0), n;

    if (rc)
        return rc;
    n = evtchn_alloc_unbound(d, alone ? 0 : peer);
    if (n < 0 || alone)
        return MIN(n, 0);
    *port = (uint32_t)n;
    return grant_set(d, ref, peer, gfn);
}

static int make_rings(struct domain *d)
{
    int rc = make_ring(d, GUEST_STORE, GNTTAB_RESERVED_XENSTORE, domain_store, &d->store_port);

    if (!rc)
        rc = make_ring(d, GUEST_CONSOLE, GNTTAB_RESERVED_CONSOLE, domain_control, &d->console_port);
    d->params[HVM_PARAM_STORE_EVTCHN] = d->store_port;
    d->params[HVM_PARAM_STORE_PFN] = d->store_port ? GUEST_STORE >> PAGE_SHIFT : 0;
    d->params[HVM_PARAM_CONSOLE_EVTCHN] = d->console_port;
    d->params[HVM_PARAM_CONSOLE_PFN] = d->console_port ? GUEST_CONSOLE >> PAGE_SHIFT : 0;
    return rc;
}

int build_finish(struct domain *d)
{
    int rc = write_start_info(d);

    if (!rc)
        rc = write_acpi(d);
    if (!rc)
        rc = make_rings(d);
    if (rc) {
        log_line("[%s] cannot be built: error %d", d->record->name, rc);
        return rc;
    }
    vcpu_set_pvh_entry(&d->vcpus[0]->arch, d->record->entry, START_INFO);
    return 0;
}

int build_slice(struct domain *d)
{
    int rc;

    if (d->build.vcpus < d->nvcpus) {
        rc = domain_make_vcpu(d, d->build.vcpus++);
        return rc ? no_memory(d) : 0;
    }
    if (!d->build.ram_done)
        return ram_slice(d);
    if (d->build.vault < d->record->vault_pages)
        return vault_slice(d);
    if (!d->build.here_done)
        return load_slice(d);
    rc = skip_complete(d);
    if (!rc && !d->by_call)
        rc = build_finish(d);
    return rc ? rc : 1;
}
