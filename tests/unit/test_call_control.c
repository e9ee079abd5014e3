/* SPDX-License-Identifier: MIT */
/* The control hypercall: what each command asks, takes and gives; what is made of it comes later.
 */
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_call.h"

#include "hyp/dom/record.h"

#define SHOULD(call, result) ck_assert_int_eq(call, result)

static struct bh_control arg;

static void begin(void)
{
    fake_call_start();
    dom1->record->privileges = BUNDLE_PRIV_CONTROL;
    dom1->record->class = BUNDLE_CLASS_CTL;
    memset(&arg, 0, sizeof(arg));
    arg.domid = 2;
}

static long control(enum bh_control_command command)
{
    return hypercall(dom1->vcpus[0], BH_HYPERVISOR_control, command, (uint64_t)&arg, 0);
}

static long numbers(enum bh_control_command command, uint64_t a, uint64_t b)
{
    arg.a = a;
    arg.b = b;
    return control(command);
}

static long buffer(enum bh_control_command command, void *p, size_t n)
{
    arg.buffer = (uint64_t)p;
    arg.size = n;
    return control(command);
}

START_TEST(every_command)
{
    begin();
    for (unsigned c = BH_CONTROL_next; c <= BH_CONTROL_record; c++) {
        bool host = c == BH_CONTROL_next || c == BH_CONTROL_host || c == BH_CONTROL_read_log ||
                    c == BH_CONTROL_create;

        arg = (struct bh_control){.domid = 65536 + 2};
        SHOULD(hypercall(dom1->vcpus[0], BH_HYPERVISOR_control, c, 0, 0), -XEN_EFAULT);
        if (!host)
            SHOULD(control(c), -XEN_ESRCH);
        arg.domid = 5;
        if (!host)
            SHOULD(control(c), -XEN_ESRCH);
        SHOULD(hypercall(dom2->vcpus[0], BH_HYPERVISOR_control, c, (uint64_t)&arg, 0), -XEN_EPERM);
    }
    fake_call_finish();
}
END_TEST

START_TEST(states)
{
    begin();
    SHOULD(control(BH_CONTROL_pause), 0);
    ck_assert(dom2->paused);
    ck_assert_uint_eq(fake_stops, 1);
    SHOULD(control(BH_CONTROL_unpause), 0);
    ck_assert(!dom2->paused);
    ck_assert_uint_eq(fake_starts, 1);
    SHOULD(control(BH_CONTROL_unpause), 0);
    ck_assert_uint_eq(fake_starts, 1);
    dom2->state = BH_DOMAIN_READY;
    SHOULD(control(BH_CONTROL_pause), 0);
    ck_assert(!dom2->paused);
    SHOULD(numbers(BH_CONTROL_shutdown, SHUTDOWN_reboot, 0), -XEN_EBUSY);
    SHOULD(control(BH_CONTROL_unpause), 0);
    ck_assert_int_eq(dom2->state, BH_DOMAIN_RUNNING);
    SHOULD(numbers(BH_CONTROL_shutdown, SHUTDOWN_MAX + 1, 0), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_shutdown, SHUTDOWN_reboot, 0), 0);
    ck_assert_int_eq(fake_shutdown, SHUTDOWN_reboot);
    arg.domid = 1;
    SHOULD(numbers(BH_CONTROL_shutdown, SHUTDOWN_poweroff, 0), 0);
    ck_assert_int_eq(fake_shutdown, SHUTDOWN_crash); /* one of ours */
    SHOULD(control(BH_CONTROL_destroy), -XEN_EPERM);
    SHOULD(control(BH_CONTROL_pause), -XEN_EINVAL);
    arg.domid = 2;
    SHOULD(control(BH_CONTROL_destroy), 0);
    SHOULD(control(BH_CONTROL_pause), -XEN_EBUSY);
    SHOULD(control(BH_CONTROL_unpause), -XEN_EBUSY);
    SHOULD(numbers(BH_CONTROL_trigger, BH_TRIGGER_NMI, 0), -XEN_EBUSY);
    SHOULD(numbers(BH_CONTROL_shares, 1, 0), -XEN_EBUSY);
    SHOULD(numbers(BH_CONTROL_memory_max, 1 << 30, 0), -XEN_EBUSY);
    fake_call_finish();
}
END_TEST

START_TEST(changes)
{
    struct bundle_domain r;

    begin();
    SHOULD(numbers(BH_CONTROL_shares, 0, 0), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_shares, 65536, 0), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_shares, 1UL << 32 | 1, 0), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_shares, 1, RECORD_MAX_CAP + 1), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_shares, 65535, RECORD_MAX_CAP), 0);
    SHOULD(numbers(BH_CONTROL_shares, ~0UL, ~0UL), 0);
    ck_assert_uint_eq(dom2->sched.weight, 65535);
    ck_assert_uint_eq(dom2->record->cap, RECORD_MAX_CAP);
    SHOULD(numbers(BH_CONTROL_memory_max, (FAKE_RAM - 1) * PAGE_SIZE, 0), -XEN_EBUSY);
    SHOULD(numbers(BH_CONTROL_memory_max, FAKE_RAM * PAGE_SIZE + 1, 0), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_memory_max, RECORD_MAX_MEMORY + PAGE_SIZE, 0), -XEN_EINVAL);
    dom2->record->memory_target = 99 * PAGE_SIZE;
    SHOULD(numbers(BH_CONTROL_memory_max, FAKE_RAM * PAGE_SIZE, 0), 0);
    ck_assert_uint_eq(dom2->memory_max, FAKE_RAM);
    ck_assert_uint_eq(dom2->record->memory_max,
                      99 * PAGE_SIZE); /* or it could not be built again */
    SHOULD(buffer(BH_CONTROL_rename, "one", 3), -XEN_EEXIST);
    SHOULD(buffer(BH_CONTROL_rename, "a\nb", 3), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_rename, "web", 0), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_rename, &r, 64), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_rename, NULL, 3), -XEN_EFAULT);
    SHOULD(buffer(BH_CONTROL_rename, "web", 3), 0);
    SHOULD(buffer(BH_CONTROL_record, &r, sizeof(r) - 1), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_record, &r, sizeof(r)), 0);
    ck_assert_str_eq(r.name, "web");
    ck_assert_uint_eq(r.weight, 65535);
    record_seal(&r);
    ck_assert_uint_eq(r.checksum, dom2->record->checksum);
    fake_call_finish();
}
END_TEST

START_TEST(vcpus)
{
    struct bh_vcpu_context context;
    struct bh_vcpu_info info;
    struct vcpu *v;

    begin();
    v = dom2->vcpus[0];
    SHOULD(buffer(BH_CONTROL_vcpu, &info, sizeof(info)), 0);
    ck_assert_uint_eq(info.online, 1);
    ck_assert_uint_eq(info.affinity, 0);
    SHOULD(numbers(BH_CONTROL_affinity, 4, 0), -XEN_EINVAL); /* of CPUs 0 and 1 */
    SHOULD(numbers(BH_CONTROL_affinity, 6, 0), 0);
    ck_assert_uint_eq(v->sched.affinity, 2);
    ck_assert_uint_eq(dom2->record->affinity, 0);
    arg.vcpu = ~0U;
    SHOULD(numbers(BH_CONTROL_affinity, 1, 0), 0);
    ck_assert_uint_eq(v->sched.affinity, 1);
    ck_assert_uint_eq(dom2->record->affinity, 1);
    SHOULD(numbers(BH_CONTROL_trigger, BH_TRIGGER_NMI, 0), -XEN_EINVAL);
    arg.vcpu = 1;
    SHOULD(numbers(BH_CONTROL_affinity, 1, 0), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_vcpu, &info, sizeof(info)), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_context, &context, sizeof(context)), -XEN_EINVAL);
    arg.vcpu = 0;
    SHOULD(buffer(BH_CONTROL_context, &context, sizeof(context)), -XEN_EBUSY);
    dom2->paused = true;
    v->arch.regs.r15 = 15;
    SHOULD(buffer(BH_CONTROL_context, &context, sizeof(context)), 0);
    ck_assert_uint_eq(context.r15, 15);
    SHOULD(buffer(BH_CONTROL_context, &context, sizeof(context) - 1), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_trigger, BH_TRIGGER_INIT + 1, 0), -XEN_EINVAL);
    SHOULD(numbers(BH_CONTROL_trigger, BH_TRIGGER_NMI, 0), 0);
    ck_assert(v->arch.nmi_pending);
    SHOULD(numbers(BH_CONTROL_trigger, BH_TRIGGER_RESET, 0), 0);
    ck_assert_int_eq(fake_shutdown, SHUTDOWN_reboot);
    SHOULD(numbers(BH_CONTROL_trigger, BH_TRIGGER_INIT, 0), 0);
    ck_assert(v->down);
    fake_call_finish();
}
END_TEST

/* Memory with holes, in pieces of one page. */
START_TEST(memory)
{
    static uint8_t page[PAGE_SIZE];
    unsigned pages = 0;

    begin();
    dom2->record->memory_target = 2 * FAKE_RAM * PAGE_SIZE; /* the second half is ballooned away */
    fake_slow = true;
    for (arg.a = 0; !buffer(BH_CONTROL_read_memory, page, PAGE_SIZE); arg.a++)
        pages++;
    fake_slow = false;
    ck_assert_uint_eq(pages, FAKE_RAM);
    arg.a = FAKE_RAM;
    SHOULD(control(BH_CONTROL_read_memory), -XEN_ENOENT);
    arg.a = 0;
    SHOULD(buffer(BH_CONTROL_read_memory, page, PAGE_SIZE - 1), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_read_memory, NULL, PAGE_SIZE), -XEN_EFAULT);
    dom2->dying = true;
    SHOULD(buffer(BH_CONTROL_read_memory, page, PAGE_SIZE), -XEN_EBUSY);
    fake_call_finish();
}
END_TEST

START_TEST(load)
{
    static uint8_t bytes[3000];
    struct bundle_domain *r;

    begin();
    r = dom2->record;
    SHOULD(buffer(BH_CONTROL_load, bytes, 1), -XEN_EBUSY);
    SHOULD(control(BH_CONTROL_finish), -XEN_EBUSY);
    dom2->state = BH_DOMAIN_LOADING;
    r->nsegments = 2;
    r->segments[0].file_size = r->segments[1].file_size = sizeof(bytes);
    SHOULD(control(BH_CONTROL_finish), -XEN_EAGAIN);
    SHOULD(buffer(BH_CONTROL_load, bytes, sizeof(bytes) + 1), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_load, bytes, ~0UL), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_load, NULL, 1), -XEN_EFAULT);
    fake_slow = true;
    SHOULD(buffer(BH_CONTROL_load, bytes, 2000), 0);
    fake_slow = false;
    ck_assert_uint_ge(fake_restarts, 2);
    ck_assert_uint_eq(arg.b, 2000);
    ck_assert_uint_eq(arg.size, 0);
    ck_assert_ptr_eq((void *)arg.buffer, bytes + 2000);
    SHOULD(buffer(BH_CONTROL_load, bytes, 1001), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_load, bytes, 1000), 0);
    ck_assert_uint_eq(arg.a, 1);
    ck_assert_uint_eq(arg.b, 0);
    arg.b = 3000;
    SHOULD(buffer(BH_CONTROL_load, bytes, 1), -XEN_EINVAL);
    arg.a = arg.b = 0;
    SHOULD(buffer(BH_CONTROL_load, bytes, 1), -XEN_EINVAL);
    arg.a = 1;
    SHOULD(buffer(BH_CONTROL_load, bytes, sizeof(bytes)), 0);
    ck_assert_uint_eq(arg.a, 2);
    SHOULD(buffer(BH_CONTROL_load, bytes, 1), -XEN_EINVAL);
    arg.a = 0;
    SHOULD(buffer(BH_CONTROL_load, bytes, 0), 0);
    ck_assert_uint_eq(arg.a, 2);
    ck_assert_uint_eq(arg.b, 0);
    SHOULD(control(BH_CONTROL_finish), 0);
    ck_assert_int_eq(dom2->state, BH_DOMAIN_READY);
    fake_call_finish();
}
END_TEST

START_TEST(create)
{
    struct bundle_domain r = {.name = "new",
                              .vcpus = 1,
                              .weight = 256,
                              .memory_max = FAKE_FREE,
                              .memory_target = FAKE_FREE,
                              .entry = 0x100000,
                              .nsegments = 1,
                              .segments = {{.file_size = 4096, .mem_size = 4096, .gpa = 0x100000}}};

    begin();
    SHOULD(buffer(BH_CONTROL_create, &r, sizeof(r)), -XEN_EINVAL);
    record_seal(&r);
    SHOULD(buffer(BH_CONTROL_create, &r, sizeof(r)), -XEN_ENOMEM); /* by domain_create() */
    SHOULD(buffer(BH_CONTROL_create, &r, sizeof(r) - 1), -XEN_EINVAL);
    SHOULD(buffer(BH_CONTROL_create, NULL, sizeof(r)), -XEN_EFAULT);
    r.on_reboot = BUNDLE_RESTART;
    r.memory_max = r.memory_target = 4UL << 30;
    r.segments[0].file_size = r.segments[0].mem_size = (1UL << 30) + 1;
    record_seal(&r);
    SHOULD(buffer(BH_CONTROL_create, &r, sizeof(r)), -XEN_EINVAL); /* too large to be kept */
    fake_call_finish();
}
END_TEST

START_TEST(host)
{
    struct bh_host_info h;
    char text[8];

    begin();
    SHOULD(buffer(BH_CONTROL_host, &h, sizeof(h)), 0);
    ck_assert_uint_eq(h.cpus, 2);
    ck_assert_uint_eq(h.uptime, fake_now);
    ck_assert_uint_eq(h.idle_time, 2 * fake_now);
    ck_assert_str_eq(h.name, "fake");
    SHOULD(buffer(BH_CONTROL_log, "howdy", 5), 0);
    arg.a = 4;
    SHOULD(buffer(BH_CONTROL_read_log, text, sizeof(text)), 0);
    ck_assert_uint_eq(arg.size, 6);
    ck_assert_mem_eq(text, "howdy\n", 6);
    arg.a = 1000;
    SHOULD(buffer(BH_CONTROL_read_log, text, sizeof(text)), 0);
    ck_assert_uint_eq(arg.a, 10);
    ck_assert_uint_eq(arg.size, 0);
    fake_call_finish();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, every_command);
    tcase_add_test(tc, states);
    tcase_add_test(tc, changes);
    tcase_add_test(tc, vcpus);
    tcase_add_test(tc, memory);
    tcase_add_test(tc, load);
    tcase_add_test(tc, create);
    tcase_add_test(tc, host);
}

int main(void)
{
    return check_main("call control", fill);
}
