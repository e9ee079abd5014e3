/* SPDX-License-Identifier: MIT */
#include "tests/guest/control/maker.h"

#include <xen/sched.h>
#include "hyp/lib/hash.h"
#include "hyp/lib/string.h"

struct bundle_domain maker_record __aligned(4096);
uint8_t maker_image[MAKER_SIZE], maker_module[MAKER_SIZE2], maker_page[4096];

/* 32-bit code, with flat segments, no paging, no IDT. */
static const uint8_t counts[] = {
    0xb8, 0x78, 0x56, 0x34, 0x12,       /* mov $0x12345678, %eax */
    0xff, 0x05, 0x00, 0x00, 0x20, 0x00, /* incl 0x200000 */
    0xeb, 0xf8,                         /* jmp to the incl */
};
static const uint8_t halts[] = {0xfa, 0xf4}; /* cli; hlt */
static const uint8_t sleeps[] = {
    0xfb, 0xf4,                         /* sti; hlt */
    0xff, 0x05, 0x00, 0x00, 0x20, 0x00, /* incl 0x200000 */
    0xeb, 0xf6,                         /* jmp to the sti */
};
static const struct {
    const uint8_t *code;
    size_t size;
} kinds[] = {{counts, sizeof(counts)}, {halts, sizeof(halts)}, {sleeps, sizeof(sleeps)}};

static uint64_t checksum(const void *p, size_t n)
{
    struct hash64 h;

    hash64_init(&h);
    hash64_update(&h, p, n);
    return hash64_final(&h);
}

void maker_seal(void)
{
    maker_record.checksum = 0;
    maker_record.checksum = checksum(&maker_record, sizeof(maker_record));
}

void maker_prepare(const char *name, enum maker_kind kind)
{
    struct bundle_domain *r = &maker_record;

    memset(maker_image, 0x90, sizeof(maker_image));
    memcpy(maker_image, kinds[kind].code, kinds[kind].size);
    for (unsigned i = 0; i < sizeof(maker_module); i++)
        maker_module[i] = (uint8_t)(i * 7);
    memset(r, 0, sizeof(*r));
    for (unsigned i = 0; name[i] && i < sizeof(r->name) - 1; i++)
        r->name[i] = name[i];
    r->vcpus = 2;
    r->weight = 256;
    r->memory_max = r->memory_target = r->memory_min = 4 << 20;
    r->entry = CODE;
    r->nsegments = 3;
    r->segments[0] =
        (struct bundle_segment){.file_size = sizeof(maker_image),
                                .mem_size = 16384,
                                .gpa = CODE,
                                .checksum = checksum(maker_image, sizeof(maker_image))};
    r->segments[1] = (struct bundle_segment){
        .mem_size = 4096, .gpa = CODE + 0x8000, .checksum = checksum(maker_image, 0)};
    r->segments[2] =
        (struct bundle_segment){.file_size = sizeof(maker_module),
                                .mem_size = sizeof(maker_module),
                                .gpa = CODE + 0x10000,
                                .kind = BUNDLE_SEGMENT_MODULE,
                                .checksum = checksum(maker_module, sizeof(maker_module))};
    maker_seal();
}

long maker_call(enum bh_control_command command, uint32_t domid, struct bh_control *arg)
{
    arg->domid = domid;
    return HYPERCALL2(BH_HYPERVISOR_control, command, arg);
}

long maker_simple(enum bh_control_command command, uint32_t domid, uint64_t a, uint64_t b)
{
    struct bh_control arg = {.a = a, .b = b};

    return maker_call(command, domid, &arg);
}

long maker_create(void)
{
    struct bh_control arg = {.buffer = (uint64_t)&maker_record, .size = sizeof(maker_record)};
    long rc = maker_call(BH_CONTROL_create, 0, &arg);

    return rc ? rc : (long)arg.domid;
}

long maker_load(uint32_t domid, uint32_t s, uint64_t at, const void *p, uint64_t n)
{
    struct bh_control arg = {.a = s, .b = at, .buffer = (uint64_t)p, .size = n};
    long rc = maker_call(BH_CONTROL_load, domid, &arg);

    if (!rc) {
        EQUAL(arg.size, 0);
        TRUE(arg.a > s || arg.b == at + n);
        EQUAL(arg.buffer, (uint64_t)p + n);
    }
    return rc;
}

uint32_t maker_wanted(uint32_t domid)
{
    struct bh_control arg = {.a = 77, .b = 77};

    EQUAL(maker_call(BH_CONTROL_load, domid, &arg), 0);
    EQUAL(arg.b, 0);
    return (uint32_t)arg.a;
}

long maker_load_all(uint32_t domid)
{
    long rc = 0;

    EQUAL(maker_wanted(domid), 0);
    rc = maker_load(domid, 0, 0, maker_image, 1);
    if (!rc)
        rc = maker_load(domid, 0, 1, maker_image + 1, 4321);
    if (!rc)
        rc = maker_load(domid, 0, 4322, maker_image + 4322, sizeof(maker_image) - 4322);
    EQUAL(maker_wanted(domid), 2);
    if (!rc)
        rc = maker_load(domid, 2, 0, maker_module, sizeof(maker_module));
    EQUAL(maker_wanted(domid), 3);
    return rc;
}

long maker_info(uint32_t domid, struct bh_domain_info *info)
{
    struct bh_domain_info own;
    struct bh_control arg = {.buffer = (uint64_t)(info ? info : &own), .size = sizeof(own)};

    if (!info)
        info = &own;
    if (maker_call(BH_CONTROL_next, domid, &arg) || arg.domid != domid)
        return -XEN_ESRCH;
    EQUAL(info->domid, domid);
    return info->state;
}

void maker_sleep(uint64_t ns)
{
    sched_poll_t p = {.nr_ports = 0, .timeout = rt_now() + ns};

    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p);
}

long maker_wait(uint32_t domid, long state)
{
    long is;

    for (unsigned i = 0; (is = maker_info(domid, NULL)) != state && i < 20000; i++)
        maker_sleep(MS / 4);
    return is;
}

long maker_read(uint32_t domid, uint64_t gfn)
{
    struct bh_control arg = {.a = gfn, .buffer = (uint64_t)maker_page, .size = sizeof(maker_page)};
    long rc = maker_call(BH_CONTROL_read_memory, domid, &arg);

    return rc ? rc : (long)arg.a;
}

uint32_t maker_counter(uint32_t domid)
{
    EQUAL(maker_read(domid, COUNTER >> 12), COUNTER >> 12);
    return *(uint32_t *)(void *)maker_page;
}

uint32_t maker_ready(const char *name, enum maker_kind kind)
{
    long id;

    maker_prepare(name, kind);
    id = maker_create();
    TRUE(id > 0);
    EQUAL(maker_wait((uint32_t)id, BH_DOMAIN_LOADING), BH_DOMAIN_LOADING);
    EQUAL(maker_load_all((uint32_t)id), 0);
    EQUAL(maker_simple(BH_CONTROL_finish, (uint32_t)id, 0, 0), 0);
    EQUAL(maker_info((uint32_t)id, NULL), BH_DOMAIN_READY);
    return (uint32_t)id;
}

uint32_t maker_run(const char *name, enum maker_kind kind)
{
    uint32_t id = maker_ready(name, kind);

    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    return id;
}

uint64_t maker_free_memory(void)
{
    struct bh_host_info h;
    struct bh_control arg = {.buffer = (uint64_t)&h, .size = sizeof(h)};

    EQUAL(maker_call(BH_CONTROL_host, 0, &arg), 0);
    return h.memory_free;
}

uint64_t maker_settled_memory(uint64_t expected)
{
    uint64_t was, is = maker_free_memory();

    for (unsigned i = 0; is != expected && i < 100; i++) {
        maker_sleep(10 * MS);
        was = is;
        is = maker_free_memory();
        if (!expected && is == was)
            break;
    }
    return is;
}
