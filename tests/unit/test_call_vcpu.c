/* SPDX-License-Identifier: MIT */
/* vcpu_op and vm_assist; the registers that VCPUOP_initialise takes. */
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"
#include "tests/unit/fake_call.h"

#include <xen/hvm/hvm_vcpu.h>

#define SHOULD(call, result) ck_assert_int_eq(call, result)

static struct vcpu *v0, *v1;

static void begin(void)
{
    fake_call_start();
    v0 = dom1->vcpus[0];
    v1 = dom1->vcpus[1];
}

static long op(unsigned cmd, unsigned id, const void *arg)
{
    return hypercall(v0, __HYPERVISOR_vcpu_op, cmd, id, (uint64_t)arg);
}

static const struct vcpu_hvm_context good32 = {.mode = VCPU_HVM_MODE_32B,
                                               .cpu_regs.x86_32 = {.eax = 7,
                                                                   .esp = 9,
                                                                   .eip = 0x1000,
                                                                   .cr0 = 0x11,
                                                                   .cs_limit = ~0U,
                                                                   .ds_limit = ~0U,
                                                                   .ss_limit = ~0U,
                                                                   .es_limit = ~0U,
                                                                   .tr_limit = 0x67,
                                                                   .cs_ar = 0xc9a,
                                                                   .ds_ar = 0xc92,
                                                                   .ss_ar = 0xc92,
                                                                   .es_ar = 0,
                                                                   .tr_ar = 0x8b}};
static const struct vcpu_hvm_context good64 = {.mode = VCPU_HVM_MODE_64B,
                                               .cpu_regs.x86_64 = {.rdi = 5,
                                                                   .rsp = 0x8000,
                                                                   .rip = 0xffffffff81000000,
                                                                   .rflags = 0xffff0000fffdffff,
                                                                   .cr0 = 0x80000011,
                                                                   .cr3 = 0x5000,
                                                                   .cr4 = 0x20,
                                                                   .efer = 0x500}};

START_TEST(life)
{
    begin();
    SHOULD(op(VCPUOP_is_up, 0, NULL), 1);
    SHOULD(op(VCPUOP_is_up, 1, NULL), 0);
    SHOULD(op(VCPUOP_is_up, 2, NULL), -XEN_ENOENT);
    SHOULD(op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
    SHOULD(op(VCPUOP_initialise, 1, NULL), -XEN_EFAULT);
    SHOULD(op(VCPUOP_initialise, 1, &good32), 0);
    ck_assert_uint_eq(v1->arch.regs.rax, 7);
    ck_assert_uint_eq(fake_state.rip, 0x1000);
    ck_assert_uint_eq(fake_state.cs.attr, 0xc9b);
    ck_assert_uint_eq(fake_state.dr7, 0x400);
    SHOULD(op(VCPUOP_initialise, 1, &good32), -XEN_EEXIST);
    SHOULD(op(VCPUOP_initialise, 0, &good32), -XEN_EEXIST);
    SHOULD(op(VCPUOP_up, 1, NULL), 0);
    SHOULD(op(VCPUOP_up, 1, NULL), 0);
    ck_assert_uint_eq(fake_starts, 1);
    SHOULD(op(VCPUOP_is_up, 1, NULL), 1);
    SHOULD(op(VCPUOP_down, 0, NULL), 0);
    ck_assert_uint_eq(fake_stops, 1);
    ck_assert_int_eq(fake_shutdown, -1);
    SHOULD(op(VCPUOP_down, 1, NULL), 0);
    ck_assert_int_eq(fake_shutdown, SHUTDOWN_poweroff);
    v0->arch.wait_sipi = true;
    SHOULD(op(VCPUOP_up, 0, NULL), -XEN_EINVAL);
    v0->arch.wait_sipi = false;
    dom1->state = BH_DOMAIN_SHUTDOWN;
    SHOULD(op(VCPUOP_up, 0, NULL), 0);
    ck_assert_uint_eq(fake_starts, 1);
    SHOULD(op(VCPUOP_send_nmi, 1, NULL), 0);
    SHOULD(op(VCPUOP_send_nmi, 1, NULL), 0);
    ck_assert(v1->arch.nmi_pending);
    ck_assert_uint_eq(fake_notified, 1);
    SHOULD(op(VCPUOP_get_physid, 0, NULL), -XEN_EINVAL);
    SHOULD(op(99, 0, NULL), -XEN_ENOSYS);
    fake_call_finish();
}
END_TEST

START_TEST(areas)
{
    struct vcpu_register_vcpu_info info = {.mfn = 5, .offset = 4096 - 64};
    struct vcpu_register_runstate_memory_area run = {.addr.p = 0x6010};
    struct vcpu_register_time_memory_area time = {.addr.p = 0x7000};
    struct vcpu_runstate_info r;

    begin();
    info.offset++;
    SHOULD(op(VCPUOP_register_vcpu_info, 1, &info), -XEN_ENXIO);
    info.offset--;
    info.mfn = 1UL << 52; /* would wrap round to frame 0 */
    SHOULD(op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    info.mfn = FAKE_RAM;
    SHOULD(op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    info.mfn = 5;
    v1->down = false;
    SHOULD(op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    v1->down = true;
    SHOULD(op(VCPUOP_register_vcpu_info, 1, &info), 0);
    SHOULD(op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    for (unsigned i = 0; i < 3; i++)
        SHOULD(op(VCPUOP_register_runstate_memory_area, 1, &run), 0);
    ck_assert_uint_eq(frame_of(fake_ram(dom1, 6))->pins, 1);
    run.addr.p = 0x1234567000;
    SHOULD(op(VCPUOP_register_runstate_memory_area, 1, &run), -XEN_EFAULT);
    run.addr.p = 0;
    SHOULD(op(VCPUOP_register_runstate_memory_area, 1, &run), 0);
    ck_assert_uint_eq(frame_of(fake_ram(dom1, 6))->pins, 0);
    SHOULD(op(VCPUOP_register_vcpu_time_memory_area, 0, &time), 0);
    time.addr.p = 0;
    SHOULD(op(VCPUOP_register_vcpu_time_memory_area, 0, &time), 0);
    SHOULD(op(VCPUOP_get_runstate_info, 1, &r), 0);
    ck_assert_int_eq(r.state, RUNSTATE_offline);
    SHOULD(hypercall(v0, __HYPERVISOR_vm_assist, VMASST_CMD_enable,
                     VMASST_TYPE_runstate_update_flag, 0),
           0);
    ck_assert(dom1->runstate_flag);
    SHOULD(hypercall(v0, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables,
                     0),
           -XEN_EINVAL);
    area_clear(&v1->info);
    fake_call_finish();
}
END_TEST

START_TEST(timers)
{
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = 3, .flags = VCPU_SSHOTTMR_future};

    begin();
    SHOULD(op(VCPUOP_set_singleshot_timer, 0, &t), -XEN_ETIME);
    ck_assert_ptr_null(v0->singleshot.cpu);
    t.flags = 0;
    SHOULD(op(VCPUOP_set_singleshot_timer, 0, &t), 0);
    ck_assert_uint_eq(v0->singleshot.deadline, 3);
    SHOULD(op(VCPUOP_set_singleshot_timer, 1, &t), -XEN_EINVAL);
    SHOULD(op(VCPUOP_set_singleshot_timer, 0, NULL), -XEN_EFAULT);
    SHOULD(op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
    ck_assert_ptr_null(v0->singleshot.cpu);
    SHOULD(op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    SHOULD(op(VCPUOP_set_periodic_timer, 0, &t), -XEN_ENOSYS);
    fake_call_finish();
}
END_TEST

#define WITH(good, field, value, result)                                                           \
    do {                                                                                           \
        struct vcpu_hvm_context c = good;                                                          \
        c.field = value;                                                                           \
        v1->initialised = false;                                                                   \
        SHOULD(op(VCPUOP_initialise, 1, &c), result);                                              \
    } while (0)
#define BAD32(field, value) WITH(good32, cpu_regs.x86_32.field, value, -XEN_EINVAL)
#define BAD64(field, value) WITH(good64, cpu_regs.x86_64.field, value, -XEN_EINVAL)

START_TEST(registers)
{
    begin();
    WITH(good64, pad, 0, 0);
    ck_assert_uint_eq(fake_state.rflags, 0x3d7fd5 | 2);
    ck_assert_uint_eq(fake_state.cs.attr, 0xa9b);
    ck_assert_uint_eq(v1->arch.regs.rdi, 5);
    ck_assert_uint_eq(v1->arch.regs.rsp, 0x8000);
    WITH(good64, pad, 1, -XEN_EINVAL);
    WITH(good64, mode, 2, -XEN_EINVAL);
    BAD64(rip, 0x800000000000);
    BAD64(cr0, 0x11);
    BAD64(cr0, 0x80000010);
    BAD64(cr0, 1UL << 40 | 0x80000011);
    BAD64(cr0, 0xa0000011); /* NW without CD */
    BAD64(cr3, 1UL << 46);
    BAD64(cr4, 0);
    BAD64(cr4, 0x20 | 1 << 13);
    BAD64(cr4, 0x20 | 1 << 17); /* this CPU has no PCID */
    BAD64(efer, 0x400);
    BAD64(efer, 0x1500);
    BAD64(rflags, 1UL << 17);
    WITH(good32, cpu_regs.x86_32.cs_ar, 0xc9a, 0);
    BAD32(pad1, 1);
    BAD32(pad2[1], 1);
    BAD32(cs_ar, 0x1c9a);
    BAD32(cs_ar, 0);
    BAD32(cs_ar, 0xc92);
    BAD32(cs_ar, 0xc1a);
    BAD32(cs_ar, 0xc8a);
    BAD32(cs_ar, 0xe9a);
    BAD32(ss_ar, 0xc9a);
    BAD32(ss_ar, 0xcf2);
    BAD32(ds_ar, 0xc98);
    BAD32(ds_ar, 0xcf2);
    BAD32(tr_ar, 0x93);
    BAD32(tr_ar, 0x81);
    BAD32(tr_ar, 0);
    WITH(good32, cpu_regs.x86_32.cs_limit, 1, 0); /* counts pages: two are enough */
    WITH(good32, cpu_regs.x86_32.tr_ar, 0x89, 0);
    BAD32(eflags, 1U << 17);
    BAD32(efer, 0x400);
    fake_call_finish();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, life);
    tcase_add_test(tc, areas);
    tcase_add_test(tc, timers);
    tcase_add_test(tc, registers);
}

int main(void)
{
    return check_main("call vcpu", fill);
}
