/* SPDX-License-Identifier: MIT */
/* Dispatch, multicall, and the families but for memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_call.h"

#include <xen/hvm/hvm_op.h>
#include <xen/physdev.h>
#include <xen/version.h>

#define SHOULD(call, result) ck_assert_int_eq(call, result)

static struct vcpu *v0, *v1;

static void begin(void)
{
    fake_call_start();
    v0 = dom1->vcpus[0];
    v1 = dom1->vcpus[1];
}

static struct bundle_domain *record(struct domain *d)
{
    return d->record;
}

static long call3(uint64_t nr, uint64_t a, uint64_t b, const void *c)
{
    return hypercall(v0, nr, a, b, (uint64_t)c);
}

static long call2(uint64_t nr, uint64_t a, const void *b)
{
    return hypercall(v0, nr, a, (uint64_t)b, 0);
}

START_TEST(dispatch)
{
    begin();
    SHOULD(call2(4000, 0, NULL), -XEN_ENOSYS);
    SHOULD(call2(~0UL, 0, NULL), -XEN_ENOSYS);
    SHOULD(call2(__HYPERVISOR_mmu_update, 0, NULL), -XEN_ENOSYS);
    SHOULD(call2(__HYPERVISOR_domctl, 0, NULL), -XEN_EPERM);
    SHOULD(call2(__HYPERVISOR_physdev_op, 0, NULL), -XEN_ENOSYS);
    SHOULD(call2(BH_HYPERVISOR_control, 0, NULL), -XEN_EPERM);
    SHOULD(call2(__HYPERVISOR_event_channel_op, 99, NULL), -XEN_ENOSYS);
    fake_mode.cpl = 3;
    SHOULD(call2(__HYPERVISOR_xen_version, 0, NULL), -XEN_EPERM);
    fake_mode.cpl = 0;
    fake_mode.code64 = false;
    SHOULD(call2(__HYPERVISOR_xen_version, 0, NULL), -XEN_ENOSYS);
    fake_mode.code64 = true;
    SHOULD(call2(__HYPERVISOR_xen_version, 0, NULL), 4 << 16 | 17);
    fake_call_finish();
}
END_TEST

START_TEST(version)
{
    xen_feature_info_t f = {.submap_idx = 0};
    char text[1024];
    unsigned char uuid[16];

    begin();
    record(dom1)->uuid[5] = 9;
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_extraversion, text), 0);
    ck_assert_str_eq(text, ".bulkhead");
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_capabilities, text), 0);
    ck_assert_str_eq(text, "hvm-3.0-x86_64 ");
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_commandline, text), 0);
    ck_assert_str_eq(text, "");
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_compile_info, text), 0);
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_changeset, text), 0);
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_guest_handle, uuid), 0);
    ck_assert_int_eq(uuid[5], 9);
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_pagesize, NULL), 4096);
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_build_id, text), -XEN_ENODATA);
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_get_features, &f), 0);
    ck_assert(f.submap >> XENFEAT_hvm_callback_vector & 1);
    ck_assert(!(f.submap >> XENFEAT_hvm_pirqs & 1));
    f.submap_idx = 1;
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_get_features, &f), -XEN_EINVAL);
    SHOULD(call2(__HYPERVISOR_xen_version, XENVER_capabilities, NULL), -XEN_EFAULT);
    fake_call_finish();
}
END_TEST

/* Every call once, in order, whatever stops the whole in between. */
START_TEST(multicalls)
{
    static multicall_entry_t calls[100];
    static char text[2000];

    begin();
    memset(text, 'x', sizeof(text));
    fake_slow = true;
    for (unsigned i = 0; i < 100; i++)
        calls[i] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}};
    calls[3] = (multicall_entry_t){.op = __HYPERVISOR_console_io,
                                   .args = {CONSOLEIO_write, sizeof(text), (uint64_t)text}};
    calls[4] = (multicall_entry_t){.op = __HYPERVISOR_sched_op, .args = {SCHEDOP_yield}};
    calls[5] = (multicall_entry_t){.op = __HYPERVISOR_multicall, .args = {(uint64_t)calls, 1}};
    calls[6].op = 77;
    SHOULD(call2(__HYPERVISOR_multicall, (uint64_t)calls, (void *)100), 0);
    for (unsigned i = 7; i < 100; i++)
        ck_assert_int_eq((long)calls[i].result, 4096);
    ck_assert_int_eq((long)calls[3].result, 0);
    ck_assert_int_eq((long)calls[4].result, 0);
    ck_assert_int_eq((long)calls[5].result, -XEN_EINVAL);
    ck_assert_int_eq((long)calls[6].result, -XEN_ENOSYS);
    ck_assert_uint_eq(fake_yields, 1);
    ck_assert_uint_ge(fake_restarts, 10);
    ck_assert_uint_eq(dom1->line_len, 2000 % sizeof(dom1->line));
    SHOULD(call2(__HYPERVISOR_multicall, 0, (void *)1), -XEN_EFAULT);
    SHOULD(call2(__HYPERVISOR_multicall, 0, (void *)0), 0);
    fake_call_finish();
}
END_TEST

START_TEST(console)
{
    const char hello[] = "hello\r\nwor", rest[] = "ld\n";
    unsigned shown = 0;

    begin();
    SHOULD(call3(__HYPERVISOR_console_io, CONSOLEIO_write, strlen(hello), hello), 0);
    SHOULD(call3(__HYPERVISOR_console_io, CONSOLEIO_write, strlen(rest), rest), 0);
    ck_assert_str_eq(fake_log, "one:hello\none:world\n");
    SHOULD(call3(__HYPERVISOR_console_io, CONSOLEIO_read, 1, fake_log), -XEN_EPERM);
    SHOULD(call3(__HYPERVISOR_console_io, CONSOLEIO_write, 1U << 31, hello), -XEN_EINVAL);
    SHOULD(call3(__HYPERVISOR_console_io, CONSOLEIO_write, 3, NULL), -XEN_EFAULT);
    SHOULD(call3(__HYPERVISOR_console_io, 9, 0, NULL), -XEN_ENOSYS);
    for (unsigned i = 0; i < 1500; i++) {
        fake_log[0] = 0;
        call3(__HYPERVISOR_console_io, CONSOLEIO_write, 2, "x\n");
        shown += fake_log[0] != 0;
    }
    ck_assert_uint_eq(shown, 998);
    fake_now += 2000000000;
    call3(__HYPERVISOR_console_io, CONSOLEIO_write, 2, "y\n");
    ck_assert_str_eq(fake_log, "[one] (502 lines dropped)\none:y\n");
    fake_call_finish();
}
END_TEST

START_TEST(control)
{
    struct bh_domain_info info;
    struct bh_control n = {.buffer = (uint64_t)&info, .size = sizeof(info) + 1};
    struct bh_control l = {.domid = 2, .buffer = (uint64_t) "howdy", .size = 5};

    begin();
    record(dom1)->privileges = BUNDLE_PRIV_CONTROL | BUNDLE_PRIV_SERIAL2;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_next, &n), 0);
    ck_assert_uint_eq(n.domid, 1);
    ck_assert_uint_eq(n.size, sizeof(info));
    ck_assert_uint_eq(info.domid, 1);
    ck_assert_uint_eq(info.vcpus_online, 1);
    ck_assert_uint_eq(info.memory, FAKE_RAM * PAGE_SIZE);
    n.domid++;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_next, &n), 0);
    ck_assert_str_eq(info.name, "two");
    n.size--;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_next, &n), -XEN_EINVAL);
    n.buffer = 0;
    n.size++;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_next, &n), -XEN_EFAULT);
    n.domid++;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_next, &n), -XEN_ENOENT);
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_next, NULL), -XEN_EFAULT);
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_log, &l), 0);
    ck_assert_str_eq(fake_log, "two:howdy\n");
    l.size = BH_LOG_MAX + 1;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_log, &l), -XEN_EINVAL);
    l.size = 5;
    l.domid = 65536 + 2;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_log, &l), -XEN_ESRCH);
    l.domid = 6;
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_log, &l), -XEN_ESRCH);
    SHOULD(call2(BH_HYPERVISOR_control, BH_CONTROL_record + 1, &l), -XEN_ENOSYS);
    SHOULD(call2(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, &(struct physdev_eoi){3}), -XEN_EINVAL);
    dom1->evtchns.pirq_port = 5;
    SHOULD(call2(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, &(struct physdev_eoi){3}), 0);
    SHOULD(call2(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, &(struct physdev_eoi){4}), -XEN_EINVAL);
    dom1->evtchns.pirq_port = 0;
    SHOULD(call2(__HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq, NULL), -XEN_ENOSYS);
    fake_call_finish();
}
END_TEST

START_TEST(parameters)
{
    struct xen_hvm_param p = {
        .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2UL << 56 | 0xf3};
    struct xen_hvm_evtchn_upcall_vector u = {.vcpu = 1, .vector = 0x40};
    struct xen_hvm_get_time t;

    begin();
    dom1->shared->vcpu_info[1].evtchn_upcall_pending = 1;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_param, &p), 0);
    ck_assert_int_eq(dom1->arch.callback_vector, 0xf3);
    ck_assert_uint_eq(fake_notified, 1);
    p.value = 0;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), 0);
    ck_assert_uint_eq(p.value, 2UL << 56 | 0xf3);
    p.value = 1UL << 56 | 7; /* PCI: taken, never delivered */
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_param, &p), 0);
    ck_assert_int_eq(dom1->arch.callback_vector, 0);
    p.value = 2UL << 56 | 3;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_param, &p), 0);
    ck_assert_int_eq(dom1->arch.callback_vector, 0);
    p.index = HVM_PARAM_STORE_PFN;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), 0);
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_param, &p), -XEN_EPERM);
    p.index = HVM_PARAM_IDENT_PT;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_EPERM);
    p.index = HVM_NR_PARAMS;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_EINVAL);
    p.index = HVM_PARAM_STORE_PFN;
    p.domid = 2;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_EPERM);
    p.domid = 6;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_ESRCH);
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &u), 0);
    ck_assert_int_eq(v1->upcall_vector, 0x40);
    ck_assert_uint_eq(fake_raised, 1);
    u.vector = 15;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &u), -XEN_EINVAL);
    u.vector = 16;
    u.vcpu = 2;
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &u), -XEN_ENOENT);
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_time, &t), 0);
    ck_assert_uint_eq(t.now, fake_now);
    SHOULD(call2(__HYPERVISOR_hvm_op, HVMOP_get_time, NULL), -XEN_EFAULT);
    SHOULD(call2(__HYPERVISOR_hvm_op, 99, NULL), -XEN_ENOSYS);
    fake_call_finish();
}
END_TEST

START_TEST(scheduling)
{
    evtchn_port_t ports[2] = {5, 9};
    struct sched_poll p = {.ports = {ports}, .nr_ports = 2};
    struct sched_shutdown s = {SHUTDOWN_reboot};

    begin();
    dom1->shared->vcpu_info[0].evtchn_upcall_mask = 1;
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_block, NULL), 0);
    ck_assert_uint_eq(fake_blocks, 1);
    ck_assert_int_eq(dom1->shared->vcpu_info[0].evtchn_upcall_mask, 0);
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
    ck_assert_uint_eq(fake_blocks, 2);
    ck_assert_uint_eq(v0->poll, 1);
    ck_assert_ptr_null(v0->poll_timer.cpu);
    p.timeout = fake_now + 5;
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
    ck_assert_uint_eq(v0->poll_timer.deadline, fake_now + 5);
    ck_assert_uint_eq(fake_blocks, 3);
    p.timeout = fake_now; /* over already */
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
    p.timeout = 0;
    fake_event = true;
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
    ck_assert_uint_eq(v0->poll, 0);
    ck_assert_uint_eq(fake_blocks, 3);
    fake_mode.rflags = 2; /* with interrupts off the event cannot be taken */
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
    ck_assert_uint_eq(fake_blocks, 4);
    dom1->shared->evtchn_pending[0] = 1 << 9;
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
    ck_assert_uint_eq(fake_blocks, 4);
    ports[1] = 4096;
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), -XEN_EINVAL);
    p.nr_ports = 129;
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), -XEN_EINVAL);
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, NULL), -XEN_EFAULT);
    ck_assert_int_eq(fake_shutdown, -1);
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s), 0);
    ck_assert_int_eq(fake_shutdown, SHUTDOWN_reboot);
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, NULL), -XEN_EPERM);
    SHOULD(call2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, NULL), -XEN_ENOSYS);
    SHOULD(call2(__HYPERVISOR_set_timer_op, fake_now + 7, NULL), 0);
    ck_assert_uint_eq(v0->singleshot.deadline, fake_now + 7);
    SHOULD(call2(__HYPERVISOR_set_timer_op, ~0UL, NULL), 0);
    ck_assert_uint_eq(v0->singleshot.deadline, fake_now + 100000000);
    SHOULD(call2(__HYPERVISOR_set_timer_op, 0, NULL), 0);
    ck_assert_ptr_null(v0->singleshot.cpu);
    fake_call_finish();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, dispatch);
    tcase_add_test(tc, version);
    tcase_add_test(tc, multicalls);
    tcase_add_test(tc, console);
    tcase_add_test(tc, control);
    tcase_add_test(tc, parameters);
    tcase_add_test(tc, scheduling);
}

int main(void)
{
    return check_main("call", fill);
}
