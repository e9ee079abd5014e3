/* SPDX-License-Identifier: MIT */
/* The checker of invariants finds nothing in a sound state, and each way to break it. */
#include <string.h>
#include "hyp/dom/evtchn_private.h"
#include "hyp/dom/grant_private.h"
#include "hyp/dom/invariant.h"
#include "mm/arch.h"
#include "mm/buddy.h"
#include "tests/unit/check_main.h"
#include "tests/unit/fake_call.h"

#define GRANTED 5   /* gfn, and reference 9, of dom1 */
#define MAPPED  700 /* gfn where dom2 has it */
#define REF     9

static struct gnttab_map_grant_ref map;
static int port1, port2;

static const char *find(const struct domain **who)
{
    const char *wrong = invariant_find(who);

    return wrong ? wrong : "nothing";
}

/* Two domains that use all there is: grants, channels, areas, pages of the hypervisor. */
static void begin(void)
{
    fake_call_start();
    ck_assert_int_eq(grant_set(dom1, REF, dom2->id, mk_gfn(GRANTED)), 0);
    map = (struct gnttab_map_grant_ref){
        .host_addr = MAPPED << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = REF, .dom = dom1->id};
    grant_map(dom2, &map);
    ck_assert_int_eq(map.status, 0);
    port1 = evtchn_alloc_unbound(dom1, dom2->id);
    port2 = evtchn_bind_interdomain(dom2, dom1, (uint32_t)port1);
    ck_assert_int_gt(port2, 0);
    ck_assert_int_gt(evtchn_bind_virq(dom1->vcpus[1], VIRQ_TIMER), 0);
    ck_assert_int_eq(evtchn_close(dom1, (uint32_t)evtchn_bind_ipi(dom1->vcpus[0])), 0);
    ck_assert_int_eq(area_set_gpa(&dom1->vcpus[0]->info, &dom1->arch, mk_gpa(0x3040), 64), 0);
    ck_assert_int_eq(
        p2m_map(&dom1->arch.p2m, mk_gfn(900), arch_hva_to_hfn(dom1->shared), 0, P2M_HYP), 0);
    ck_assert_int_eq(ram_add(dom2, mk_gfn(1024), ORDER_2M), 1); /* is being scrubbed */
}

static struct frame *frame_at(struct domain *d, uint32_t gfn)
{
    return frame_of(fake_ram(d, gfn));
}

static struct evtchn *channel(struct domain *d, int port)
{
    return evtchn_entry(&d->evtchns, (uint32_t)port);
}

static void lost_reference(void)
{
    frame_at(dom1, 1)->refs++;
}
static void missing_reference(void)
{
    frame_at(dom1, GRANTED)->refs--;
}
static void lost_pin(void)
{
    frame_at(dom1, 3)->pins = 2;
}
static void not_pinned(void)
{
    frame_at(dom1, 3)->pins = 0;
}
static void wrong_owner(void)
{
    frame_at(dom2, 1)->owner = dom1->id;
}
static void wrong_place(void)
{
    frame_at(dom2, 1)->gfn = 2;
}
static void mapped_table(void)
{
    frame_at(dom1, 2)->type = FRAME_TABLE;
}
static void written_shared(void)
{
    frame_at(dom1, 2)->type = FRAME_SHARED;
}
static void shown_to_another(void)
{
    if (p2m_map(&dom2->arch.p2m, mk_gfn(900), arch_hva_to_hfn(dom1->shared), 0, P2M_HYP))
        abort();
}
static void wrong_count(void)
{
    dom2->arch.p2m.ram_frames++;
}
static void wrong_tables(void)
{
    dom1->arch.p2m.tables--;
}
static void uses_not_counted(void)
{
    dom1->grants.mapped = 0;
}
static void forgotten_use(void)
{
    dom1->grants.active[0][REF].readers++;
}
static void someone_elses_use(void)
{
    dom1->grants.active[0][REF].user = dom1->id;
}
static void mapping_gone(void)
{
    enum p2m_type t;
    hfn_t f;

    if (p2m_unmap_noflush(&dom2->arch.p2m, mk_gfn(MAPPED), &f, &t))
        abort();
}
static void mapping_forgotten(void)
{
    hfn_t f = fake_ram(dom1, GRANTED);

    if (p2m_map(&dom2->arch.p2m, mk_gfn(MAPPED + 1), f, 0, P2M_GRANT_RO))
        abort();
}
static void one_sided(void)
{
    channel(dom1, port1)->port++;
}
static void bad_vcpu(void)
{
    channel(dom1, port1)->vcpu = 2;
}
static void virq_elsewhere(void)
{
    dom1->vcpus[1]->evtchn.virq[VIRQ_TIMER] = (uint32_t)port1;
}
static void port_lost(void)
{
    dom1->evtchns.free_head = 0;
}
static void port_not_counted(void)
{
    dom2->evtchns.nopen++;
}
static void free_in_use(void)
{
    hfn_t f = frame_take(0, 77);

    frame_of(f)->type = FRAME_FREE;
}
static void broken_list(void)
{
    for (uint64_t i = 0; i < frame_count; i++)
        if (frame_table[i].type == FRAME_FREE && frame_table[i].order == ORDER_2M)
            frame_table[i].prev = 12;
}
static void dead_owner(void)
{
    ck_assert_uint_ne(frame_take(0, 77).val, HFN_NONE.val);
}
static void stray_table(void)
{
    ck_assert_ptr_nonnull(hyp_alloc_table());
}

static const struct {
    void (*break_it)(void);
    const char *says;
    int who; /* 0: no domain's fault */
} cases[] = {
    {lost_reference, "1 references and 0 pins too many", 1},
    {missing_reference, "more users than references", 1},
    {lost_pin, "0 references and 1 pins too many", 1},
    {not_pinned, "more users than references", 1},
    {wrong_owner, "gfn 0x1: frame", 2},
    {wrong_place, "gfn 0x1: frame", 2},
    {mapped_table, "memory that is of type 3", 1},
    {written_shared, "a shared frame can be written", 1},
    {shown_to_another, "a page of the hypervisor that is not for it", 2},
    {wrong_count, "its p2m has", 2},
    {wrong_tables, "its p2m has", 1},
    {uses_not_counted, "1 of its grants are in use, 0 are counted", 1},
    {forgotten_use, "grant 9: used by nobody", 1},
    {someone_elses_use, "no such use of domain 1's grant 9", 2},
    {mapping_gone, "the grant mapped there is not there", 2},
    {mapping_forgotten, "2 grants in its p2m", 2},
    {one_sided, "does not lead back", 1},
    {bad_vcpu, "notifies vCPU 2", 1},
    {virq_elsewhere, "is not bound to virtual interrupt", 1},
    {port_lost, "0 free", 1},
    {port_not_counted, "1 open and 0 free of 2, 2 open are counted", 2},
    {free_in_use, "are counted", 0},
    {broken_list, "a free list is broken", 0},
    {dead_owner, "of domain 77: 1 references and 0 pins too many", 0},
    {stray_table, "table frames", 0},
};

START_TEST(sound)
{
    const struct domain *who;
    struct grant_batch batch = {.n = 0};

    begin();
    for (unsigned i = 0; i < 3; i++) /* it leaves all as it was */
        ck_assert_str_eq(find(&who), "nothing");
    ck_assert_int_eq(ram_add(dom2, mk_gfn(1024), ORDER_2M), 1);
    ram_drop(dom2);
    area_clear(&dom1->vcpus[0]->info);
    ck_assert_int_eq(grant_unmap(dom2, map.handle, map.host_addr, &batch), 0);
    grant_map_flush(dom2, &batch);
    ck_assert_str_eq(find(&who), "nothing");
    fake_call_finish();
}
END_TEST

START_TEST(broken)
{
    const struct domain *who;
    const char *wrong;

    begin();
    cases[_i].break_it();
    wrong = find(&who);
    ck_assert_msg(strstr(wrong, cases[_i].says), "case %d: %s", _i, wrong);
    ck_assert_int_eq(who ? who->id : 0, cases[_i].who);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, sound);
    tcase_add_loop_test(tc, broken, 0, ARRAY_SIZE(cases));
}

int main(void)
{
    return check_main("invariants", fill);
}
