/* SPDX-License-Identifier: MIT */
/*
 * In the control domain's place: makes guests by the control hypercall, well and badly, and looks
 * at what becomes of them. One guest of the bundle, "kept", holds the host up and ends it at last.
 */
#include "tests/guest/control/maker.h"

#include <xen/sched.h>
#include "hyp/lib/string.h"

#define CYCLES 300U /* guests that are made and destroyed, one after the other */

static uint32_t self, kept;

static void test_host(void)
{
    struct bh_host_info h;
    struct bh_control arg = {.buffer = (uint64_t)&h, .size = sizeof(h)};

    EQUAL(maker_call(BH_CONTROL_host, 77777, &arg), 0);
    EQUAL(arg.size, sizeof(h));
    EQUAL(h.version, BH_CONTROL_VERSION);
    TRUE(h.cpus >= 1 && h.tsc_khz);
    TRUE(h.memory_free && h.memory_free < h.memory);
    TRUE(h.uptime && h.idle_time <= h.uptime * h.cpus);
    EQUAL(strcmp(h.name, "test"), 0);
    TRUE(!strcmp(h.vendor, "VT-x") || !strcmp(h.vendor, "AMD-V"));
    arg.size = sizeof(h) - 1;
    EQUAL(maker_call(BH_CONTROL_host, 0, &arg), -XEN_EINVAL);
}

/* This domain and the one that the bundle has. */
static bool find_domains(void)
{
    struct bh_domain_info info;
    struct bh_control arg = {.buffer = (uint64_t)&info, .size = sizeof(info)};

    for (arg.domid = 0; !maker_call(BH_CONTROL_next, arg.domid, &arg); arg.domid++) {
        if (info.class == BUNDLE_CLASS_CTL)
            self = info.domid;
        if (!strcmp(info.name, "kept") && info.state <= BH_DOMAIN_RUNNING)
            kept = info.domid;
    }
    return kept;
}

static void refused(long error)
{
    uint64_t before = maker_free_memory();

    maker_seal();
    EQUAL(maker_create(), error);
    EQUAL(maker_free_memory(), before);
}

static void test_bad_records(void)
{
    struct bh_control arg = {.buffer = (uint64_t)&maker_record, .size = 4095};
    struct bh_domain_info info;

    maker_prepare("bad", MAKER_COUNTS);
    EQUAL(maker_call(BH_CONTROL_create, 0, &arg), -XEN_EINVAL);
    arg = (struct bh_control){.buffer = BAD_POINTER, .size = 4096};
    EQUAL(maker_call(BH_CONTROL_create, 0, &arg), -XEN_EFAULT);
    maker_record.weight++;
    EQUAL(maker_create(), -XEN_EINVAL); /* checksum */
    maker_record.class = BUNDLE_CLASS_CTL;
    refused(-XEN_EINVAL);
    maker_record.class = BUNDLE_CLASS_GUEST;
    maker_record.privileges = BUNDLE_PRIV_CONTROL;
    refused(-XEN_EINVAL);
    maker_record.privileges = 0;
    maker_record.segments[2].offset = 4096;
    refused(-XEN_EINVAL);
    maker_record.segments[2].offset = 0;
    maker_record.memory_max = maker_record.memory_target = maker_free_memory() - (2 << 20);
    refused(-XEN_ENOMEM);
    maker_record.memory_max = maker_record.memory_target = 1UL << 43;
    refused(-XEN_ENOMEM);
    maker_prepare("ctl", MAKER_COUNTS);
    refused(-XEN_EEXIST);
    maker_prepare("kept", MAKER_COUNTS);
    refused(-XEN_EEXIST);
    maker_prepare("other", MAKER_COUNTS);
    maker_info(kept, &info);
    memcpy(maker_record.uuid, info.uuid, sizeof(info.uuid));
    refused(-XEN_EEXIST);
}

static uint32_t loading(const char *name)
{
    long id;

    maker_prepare(name, MAKER_COUNTS);
    id = maker_create();
    TRUE(id > 0);
    EQUAL(maker_wait((uint32_t)id, BH_DOMAIN_LOADING), BH_DOMAIN_LOADING);
    return (uint32_t)id;
}

static void destroy(uint32_t id)
{
    EQUAL(maker_simple(BH_CONTROL_destroy, id, 0, 0), 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
}

static void test_bad_loads(void)
{
    uint32_t id = loading("loads");

    EQUAL(maker_create(), -XEN_EEXIST);
    EQUAL(maker_simple(BH_CONTROL_finish, id, 0, 0), -XEN_EAGAIN);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), -XEN_EBUSY);
    EQUAL(maker_load(id, 1, 0, maker_image, 1), -XEN_EINVAL);
    EQUAL(maker_load(id, 2, 0, maker_image, 1), -XEN_EINVAL);
    EQUAL(maker_load(id, 0, 1, maker_image, 1), -XEN_EINVAL);
    EQUAL(maker_load(id, 0, 0, maker_image, MAKER_SIZE + 1), -XEN_EINVAL);
    EQUAL(maker_load(id, 0, 0, maker_image, ~0UL), -XEN_EINVAL);
    EQUAL(maker_load(id, 0, 0, (void *)BAD_POINTER, 100), -XEN_EFAULT);
    EQUAL(maker_load(id, 0, 0, maker_image, 100), 0);
    EQUAL(maker_load(id, 0, 0, maker_image, 100), -XEN_EINVAL);
    EQUAL(maker_load(id, 0, 100, maker_image + 100, MAKER_SIZE - 100), 0);
    EQUAL(maker_simple(BH_CONTROL_finish, id, 0, 0), -XEN_EAGAIN);
    maker_module[5] ^= 1;
    EQUAL(maker_load(id, 2, 0, maker_module, MAKER_SIZE2), -XEN_EILSEQ);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
    EQUAL(maker_load(id, 2, 0, maker_module, MAKER_SIZE2), -XEN_ESRCH);
}

/* Of almost all that is free, and none beside it while it is being built. */
static void test_large(void)
{
    long id;

    maker_prepare("large", MAKER_COUNTS);
    maker_record.memory_max = maker_record.memory_target = maker_free_memory() - (5 << 20);
    maker_seal();
    id = maker_create();
    TRUE(id > 0);
    maker_prepare("another", MAKER_COUNTS);
    EQUAL(maker_create(), -XEN_ENOMEM);
    EQUAL(maker_wait((uint32_t)id, BH_DOMAIN_LOADING), BH_DOMAIN_LOADING);
    EQUAL(maker_create(), -XEN_ENOMEM);
    destroy((uint32_t)id);
}

/* At once, waiting, half loaded, ready, running, paused. */
static void test_destroy(void)
{
    uint32_t id;

    maker_prepare("short", MAKER_COUNTS);
    id = (uint32_t)maker_create();
    destroy(id);
    id = loading("short");
    destroy(id);
    id = loading("short");
    EQUAL(maker_load(id, 0, 0, maker_image, 5000), 0);
    EQUAL(maker_simple(BH_CONTROL_destroy, id, 0, 0), 0);
    TRUE(maker_load(id, 0, 5000, maker_image + 5000, 1) < 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
    destroy(maker_ready("short", MAKER_COUNTS));
    destroy(maker_run("short", MAKER_COUNTS));
    id = maker_run("short", MAKER_COUNTS);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_destroy, id, 0, 0), 0);
    TRUE(maker_simple(BH_CONTROL_unpause, id, 0, 0) < 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
    EQUAL(maker_simple(BH_CONTROL_destroy, id, 0, 0), -XEN_ESRCH);
    EQUAL(maker_simple(BH_CONTROL_destroy, self, 0, 0), -XEN_EPERM);
}

static long context(uint32_t id, uint32_t vcpu, struct bh_vcpu_context *r)
{
    struct bh_control arg = {.vcpu = vcpu, .buffer = (uint64_t)r, .size = sizeof(*r)};

    return maker_call(BH_CONTROL_context, id, &arg);
}

static void counts_on(uint32_t id)
{
    uint32_t before = maker_counter(id);

    for (unsigned i = 0; i < 4000 && maker_counter(id) == before; i++)
        maker_sleep(MS);
    TRUE(maker_counter(id) != before);
}

static void stands_still(uint32_t id)
{
    uint32_t before = maker_counter(id);

    maker_sleep(20 * MS);
    EQUAL(maker_counter(id), before);
}

static void test_pause(void)
{
    uint32_t id = maker_ready("pauses", MAKER_COUNTS);
    struct bh_vcpu_context r;
    struct bh_domain_info info;

    EQUAL(context(id, 0, &r), 0);
    EQUAL(r.rip, CODE);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0); /* it does not run anyway */
    stands_still(id);
    EQUAL(maker_simple(BH_CONTROL_load, id, 3, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_finish, id, 0, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    counts_on(id);
    EQUAL(context(id, 0, &r), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0);
    stands_still(id);
    EQUAL(maker_info(id, &info), BH_DOMAIN_RUNNING);
    EQUAL(info.flags, BH_DOMAIN_PAUSED | BH_DOMAIN_CREATED);
    EQUAL(info.vcpus_online, 1);
    TRUE(info.cpu_time);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0);
    EQUAL(context(id, 0, &r), 0);
    EQUAL(r.rax, MAKER_RAX);
    TRUE(r.rip > CODE && r.rip < CODE + 16);
    EQUAL(r.cr0 & 0x80000001, 1);
    EQUAL(context(id, 1, &r), 0);
    EQUAL(context(id, 2, &r), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    counts_on(id);
    EQUAL(maker_simple(BH_CONTROL_pause, self, 0, 0), -XEN_EINVAL);
    EQUAL(context(self, 0, &r), -XEN_EBUSY);
    destroy(id);
}

/* One that sleeps still sleeps after a pause; an NMI that comes meanwhile wakes it at its end. */
static void test_sleep(void)
{
    uint32_t id = maker_run("sleeps", MAKER_SLEEPS);

    maker_sleep(20 * MS);
    EQUAL(maker_counter(id), 0);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    maker_sleep(20 * MS);
    EQUAL(maker_counter(id), 0);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_trigger, id, BH_TRIGGER_NMI, 0), 0);
    maker_sleep(20 * MS);
    EQUAL(maker_info(id, NULL), BH_DOMAIN_RUNNING);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0); /* there is no IDT: a triple fault */
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
}

static void test_shares(void)
{
    uint32_t id = maker_run("shares", MAKER_COUNTS);
    struct bh_domain_info info;

    EQUAL(maker_simple(BH_CONTROL_shares, id, 0, 0), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_shares, id, 65536, 0), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_shares, id, 1, 6401), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_shares, id, 512, 1), 0);
    maker_sleep(100 * MS);
    EQUAL(maker_info(id, &info), BH_DOMAIN_RUNNING);
    EQUAL(info.weight, 512);
    EQUAL(info.cap, 1);
    EQUAL(maker_simple(BH_CONTROL_shares, id, ~0UL, 0), 0);
    maker_info(id, &info);
    EQUAL(info.weight, 512);
    EQUAL(info.cap, 0);
    counts_on(id);
    EQUAL(maker_simple(BH_CONTROL_shares, id, 300, ~0UL), 0);
    maker_info(id, &info);
    EQUAL(info.weight, 300);
    destroy(id);
}

static long vcpu_info(uint32_t id, uint32_t vcpu, struct bh_vcpu_info *info)
{
    struct bh_control arg = {.vcpu = vcpu, .buffer = (uint64_t)info, .size = sizeof(*info)};

    return maker_call(BH_CONTROL_vcpu, id, &arg);
}

static long affinity(uint32_t id, uint32_t vcpu, uint64_t mask)
{
    struct bh_control arg = {.vcpu = vcpu, .a = mask};

    return maker_call(BH_CONTROL_affinity, id, &arg);
}

/* To each of the CPUs that this domain may use, one after the other. */
static void test_affinity(void)
{
    uint32_t id = maker_run("moves", MAKER_COUNTS);
    struct bh_vcpu_info v;
    uint64_t mask;

    EQUAL(vcpu_info(self, 0, &v), 0);
    EQUAL(v.online, 1);
    EQUAL(v.running, 1);
    mask = v.affinity ? v.affinity : 1;
    EQUAL(affinity(id, 0, 1UL << 63), -XEN_EINVAL);
    EQUAL(affinity(id, 2, 1), -XEN_EINVAL);
    for (uint32_t cpu = 0; mask >> cpu; cpu++) {
        if (!(mask >> cpu & 1))
            continue;
        EQUAL(affinity(id, cpu % 2 ? 0 : ~0U, 1UL << cpu), 0);
        for (unsigned i = 0; i < 4000 && !vcpu_info(id, 0, &v) && v.cpu != cpu; i++)
            maker_sleep(MS);
        EQUAL(v.cpu, cpu);
        EQUAL(v.affinity & ~(1UL << cpu), 0);
        counts_on(id);
    }
    EQUAL(vcpu_info(id, 2, &v), -XEN_EINVAL);
    destroy(id);
}

static long rename(uint32_t id, const char *name, uint64_t n)
{
    struct bh_control arg = {.buffer = (uint64_t)name, .size = n};

    return maker_call(BH_CONTROL_rename, id, &arg);
}

static void test_changes(void)
{
    uint32_t id = maker_run("changes", MAKER_COUNTS);
    struct bh_control arg = {.buffer = (uint64_t)&maker_record, .size = 4096};
    struct bh_domain_info info;
    uint64_t checksum;

    EQUAL(maker_simple(BH_CONTROL_memory_max, id, 4097, 0), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_memory_max, id, ~0xfffUL, 0), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_memory_max, id, 3 << 20, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_memory_max, id, 64 << 20, 0), 0);
    EQUAL(rename(id, "kept", 4), -XEN_EEXIST);
    EQUAL(rename(id, "", 0), -XEN_EINVAL);
    EQUAL(rename(id, "a b", 3), -XEN_EINVAL);
    EQUAL(rename(id, "zeroes\0\0", 8), 0);
    EQUAL(rename(id, (char *)maker_image, 64), -XEN_EINVAL);
    EQUAL(rename(id, (char *)BAD_POINTER, 4), -XEN_EFAULT);
    EQUAL(rename(id, "other", 5), 0);
    EQUAL(rename(id, "other", 5), 0);
    maker_info(id, &info);
    EQUAL(strcmp(info.name, "other"), 0);
    EQUAL(info.memory_max, 64 << 20);
    EQUAL(maker_call(BH_CONTROL_record, id, &arg), 0);
    EQUAL(strcmp(maker_record.name, "other"), 0);
    EQUAL(maker_record.memory_max, 64 << 20);
    checksum = maker_record.checksum;
    maker_seal();
    EQUAL(maker_record.checksum, checksum);
    destroy(id);
}

static void test_memory(void)
{
    uint32_t id = maker_ready("memory", MAKER_COUNTS);
    long gfn, pages = 0, last = -1;

    for (gfn = 0; (gfn = maker_read(id, (uint64_t)gfn)) >= 0; gfn++) {
        TRUE(gfn > last);
        last = gfn;
        pages++;
        if (gfn == CODE >> 12)
            EQUAL(memcmp(maker_page, maker_image, 4096), 0);
        if (gfn == (CODE + 0x10000) >> 12)
            EQUAL(memcmp(maker_page, maker_module, 4096), 0);
    }
    EQUAL(gfn, -XEN_ENOENT);
    TRUE(pages >= 1024 + 2);
    EQUAL(maker_read(id, ~0UL), -XEN_ENOENT);
    destroy(id);
}

static void test_ends(void)
{
    struct bh_vcpu_context r;
    struct bh_domain_info info;
    uint32_t id;

    maker_prepare("ends", MAKER_HALTS);
    maker_record.on_poweroff = BUNDLE_PRESERVE;
    maker_seal();
    id = (uint32_t)maker_create();
    EQUAL(maker_wait(id, BH_DOMAIN_LOADING), BH_DOMAIN_LOADING);
    EQUAL(maker_load_all(id), 0);
    EQUAL(maker_simple(BH_CONTROL_finish, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_shutdown, id, SHUTDOWN_poweroff, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    EQUAL(maker_wait(id, BH_DOMAIN_SHUTDOWN), BH_DOMAIN_SHUTDOWN);
    maker_info(id, &info);
    EQUAL(info.shutdown_reason, SHUTDOWN_poweroff);
    EQUAL(context(id, 0, &r), 0);
    EQUAL(r.rip, CODE + 2);
    EQUAL(maker_read(id, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), -XEN_EBUSY);
    EQUAL(maker_simple(BH_CONTROL_trigger, id, BH_TRIGGER_NMI, 0), -XEN_EBUSY);
    destroy(id);
    id = maker_run("ends", MAKER_COUNTS);
    EQUAL(maker_simple(BH_CONTROL_trigger, id, 3, 0), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_shutdown, id, 99, 0), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_pause, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_shutdown, id, SHUTDOWN_crash, 0), 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
    id = maker_run("ends", MAKER_COUNTS);
    EQUAL(maker_simple(BH_CONTROL_trigger, id, BH_TRIGGER_INIT, 0), 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
    id = maker_run("ends", MAKER_COUNTS);
    EQUAL(maker_simple(BH_CONTROL_trigger, id, BH_TRIGGER_RESET, 0), 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
}

/* The domain of this name and its state; 0: there is none. */
static uint32_t find(const char *name, uint32_t *state)
{
    struct bh_domain_info info;
    struct bh_control arg = {.buffer = (uint64_t)&info, .size = sizeof(info)};

    for (arg.domid = 0; !maker_call(BH_CONTROL_next, arg.domid, &arg); arg.domid++)
        if (!strcmp(info.name, name)) {
            *state = info.state;
            return info.domid;
        }
    return 0;
}

/* A successor, from what the hypervisor has kept of it, with its name of last. */
static void test_restart(void)
{
    uint64_t before = maker_settled_memory(0);
    uint32_t id, next, state;

    maker_prepare("again", MAKER_COUNTS);
    maker_record.on_reboot = BUNDLE_RESTART;
    maker_seal();
    id = (uint32_t)maker_create();
    EQUAL(maker_wait(id, BH_DOMAIN_LOADING), BH_DOMAIN_LOADING);
    EQUAL(maker_load_all(id), 0);
    EQUAL(maker_simple(BH_CONTROL_finish, id, 0, 0), 0);
    EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
    for (unsigned life = 0; life < 3; life++) {
        counts_on(id);
        EQUAL(rename(id, "same", 4), 0);
        EQUAL(maker_simple(BH_CONTROL_trigger, id, BH_TRIGGER_RESET, 0), 0);
        EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
        next = find("same", &state);
        TRUE(next && next != id);
        id = next;
        for (unsigned i = 0; i < 4000 && maker_info(id, NULL) < BH_DOMAIN_READY; i++)
            maker_sleep(MS);
        EQUAL(maker_simple(BH_CONTROL_unpause, id, 0, 0), 0);
        EQUAL(maker_read(id, (CODE + 0x10000) >> 12), (CODE + 0x10000) >> 12);
        EQUAL(memcmp(maker_page, maker_module, 4096), 0);
    }
    destroy(id);
    EQUAL(maker_settled_memory(before), before);
}

/* The log is there from its first byte that has not been overwritten to its last. */
static void test_log(void)
{
    static char text[BH_LOG_MAX];
    struct bh_control arg = {.buffer = (uint64_t)text, .size = 100};
    uint64_t lines = 0, at;

    EQUAL(maker_call(BH_CONTROL_read_log, 0, &arg), 0);
    EQUAL(arg.size, 100);
    for (at = arg.a;; at = arg.a + arg.size) {
        arg.a = at;
        arg.size = sizeof(text);
        EQUAL(maker_call(BH_CONTROL_read_log, 0, &arg), 0);
        if (!arg.size)
            break;
        EQUAL(arg.a, at);
        for (uint64_t i = 0; i < arg.size; i++)
            lines += text[i] == '\n';
    }
    TRUE(lines > 20);
    EQUAL(arg.a, at);
    arg = (struct bh_control){.a = ~0UL, .buffer = (uint64_t)text, .size = 10};
    EQUAL(maker_call(BH_CONTROL_read_log, 0, &arg), 0);
    EQUAL(arg.size, 0);
    EQUAL(arg.a, at);
    arg = (struct bh_control){.a = at - 10, .buffer = BAD_POINTER, .size = 10};
    EQUAL(maker_call(BH_CONTROL_read_log, 0, &arg), -XEN_EFAULT);
}

/* No domain, no address, no vCPU, no number that is in bounds. */
static void test_hostile(void)
{
    static const uint64_t numbers[] = {0, 1, 4095, 1UL << 32, 1UL << 63, ~0UL - 4095, ~0UL};

    EQUAL(HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_next, BAD_POINTER), -XEN_EFAULT);
    EQUAL(HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_record + 1, 0), -XEN_ENOSYS);
    EQUAL(HYPERCALL2(BH_HYPERVISOR_control, ~0UL, 0), -XEN_ENOSYS);
    for (unsigned cmd = BH_CONTROL_vcpu; cmd <= BH_CONTROL_record; cmd++)
        for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
            struct bh_control arg = {.vcpu = (uint32_t)numbers[i],
                                     .a = numbers[i],
                                     .b = numbers[i],
                                     .buffer = BAD_POINTER,
                                     .size = numbers[i]};

            TRUE(maker_call(cmd, 40000, &arg) < 0);
            TRUE(maker_call(cmd, 65536 + kept, &arg) < 0);
            TRUE(maker_call(cmd, ~0U, &arg) < 0);
        }
}

static void test_cycles(void)
{
    uint64_t before = 0;

    for (unsigned i = 0; i < CYCLES; i++) {
        uint32_t id = maker_run("cycle", i % 2 ? MAKER_COUNTS : MAKER_SLEEPS);

        destroy(id);
        if (!i)
            before = maker_settled_memory(0);
    }
    EQUAL(maker_settled_memory(before), before);
}

/* In our second life, so that the verdict of the first stands in the log before the host ends. */
static void end_host(void)
{
    if (kept)
        maker_simple(BH_CONTROL_destroy, kept, 0, 0);
    for (;;)
        maker_sleep(1000 * MS);
}

void probe_main(void)
{
    if (!find_domains() || maker_info(kept, NULL) == BH_DOMAIN_RUNNING)
        end_host();
    EQUAL(maker_wait(kept, BH_DOMAIN_READY), BH_DOMAIN_READY); /* for us */
    EQUAL(maker_simple(BH_CONTROL_unpause, kept, 0, 0), 0);
    EQUAL(maker_info(kept, NULL), BH_DOMAIN_RUNNING);
    test_host();
    test_bad_records();
    test_bad_loads();
    test_large();
    test_destroy();
    test_pause();
    test_sleep();
    test_shares();
    test_affinity();
    test_changes();
    test_memory();
    test_ends();
    test_restart();
    test_shared();
    test_log();
    test_hostile();
    test_cycles();
}
