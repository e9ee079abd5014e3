/* SPDX-License-Identifier: MIT */
#include "tests/unit/ctlxs.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hyp/abi/bundle.h"
#include "tests/unit/ctlhost.h"

#define RING   XENSTORE_RING_SIZE
#define RINGS  6U /* of ctl's; number 0 is its own, and the store calls number n client n */
#define GUESTS 8U /* the first client that is a guest's */
#define VAULT  (1U << 20)
#define LONG   (2U * XENSTORE_PAYLOAD_MAX) /* the longest answer, by the test's rule */

static struct ring {
    struct xenstore_domain_interface *page; /* NULL: free */
    uint32_t ref, port;
    struct xs_request q;
    uint32_t got; /* bytes of q */
    char out[sizeof(struct xsd_sockmsg) + LONG];
    uint32_t out_at, out_n;
} rings[RINGS];

static char main_page[4096] __attribute__((aligned(4096)));

bool xs_dead, xs_lies;
unsigned xs_served, xs_lives;
int xs_open;
uint32_t xs_keeps;
bool (*xs_rule)(const struct xs_request *q, struct kit_answer *a);

struct xenstore_domain_interface *xs_main_page(void)
{
    return (void *)main_page;
}

void xs_start(uint32_t first)
{
    struct xenstore_domain_interface *page = xs_main_page();

    kit_open(VAULT);
    kit_connect(0);
    memset(rings, 0, sizeof(rings));
    memset(main_page, 0, sizeof(main_page));
    page->req_prod = page->req_cons = page->rsp_prod = page->rsp_cons = first;
    rings[0].page = page;
    xs_dead = xs_lies = false;
    xs_lives = ~0U;
    xs_served = 0;
    xs_open = 0;
    xs_keeps = 0;
    xs_rule = NULL;
}

void xs_revive(void)
{
    ck_assert_int_eq(kit_reopen(), VAULT_FOUND);
    xs_dead = false;
    xs_lives = ~0U;
}

/* --- what the store's domain does itself --- */

static struct ring *find(uint32_t ref)
{
    for (struct ring *r = rings + 1; r < rings + RINGS; r++)
        if (r->page && r->ref == ref)
            return r;
    return NULL;
}

bool xs_has_mapped(uint32_t ref)
{
    return find(ref) || (ref && ref == xs_keeps);
}

static bool connect(uint32_t ref, uint32_t port)
{
    struct ring *r = rings + 1;

    while (r < rings + RINGS && r->page)
        r++;
    if (r == rings + RINGS)
        return false;
    ck_assert_ptr_null(find(ref));
    ck_assert_ptr_nonnull(host_granted(ref));
    *r = (struct ring){.page = host_granted(ref), .ref = ref, .port = port};
    kit_connect((unsigned)(r - rings));
    return true;
}

static bool disconnect(uint32_t ref, uint32_t port)
{
    struct ring *r = find(ref);

    if (!r)
        return false;
    ck_assert_uint_eq(r->port, port);
    store_detach(kit_store, kit_clients[r - rings].conn);
    kit_clients[r - rings].conn = NULL;
    r->page = NULL;
    return true;
}

static void say(struct kit_answer *a, uint32_t type, const char *text)
{
    a->type = type;
    a->len = (uint32_t)strlen(text) + 1;
    memcpy(a->text, text, a->len);
}

static bool control(const struct xs_request *q, struct kit_answer *a)
{
    const char *ref = q->body + strlen(q->body) + 1, *port = ref + strlen(ref) + 1;
    bool on = !strcmp(q->body, "connect"), off = !strcmp(q->body, "disconnect"), done;

    if (!on && !off)
        return false;
    done = (on ? connect : disconnect)((uint32_t)atoi(ref), (uint32_t)atoi(port));
    say(a, done ? XS_CONTROL : XS_ERROR, done ? "OK" : "EBUSY");
    return true;
}

static bool introduce(const struct xs_request *q, struct kit_answer *a)
{
    uint32_t domid = (uint32_t)atoi(q->body);
    const char *gfn = q->body + strlen(q->body) + 1, *port = gfn + strlen(gfn) + 1;

    ck_assert_uint_eq((uint32_t)atoi(gfn), BUNDLE_STORE_GFN);
    if (!*host_domains[domid].name) {
        say(a, XS_ERROR, "EINVAL");
        return true;
    }
    ck_assert_uint_eq((uint32_t)atoi(port), host_domains[domid].store_port);
    kit_introduce(GUESTS + domid % GUESTS, domid);
    say(a, XS_INTRODUCE, "OK");
    return true;
}

/* --- rings --- */

static void count(const struct xs_request *q, const struct kit_answer *a)
{
    if (a->type == XS_TRANSACTION_START)
        xs_open++;
    if (q->head.type == XS_TRANSACTION_END)
        xs_open--;
}

static void answer(struct ring *r)
{
    const struct xs_request *q = &r->q;
    struct kit_answer a = {.req_id = q->head.req_id, .tx_id = q->head.tx_id};
    struct xsd_sockmsg head;

    xs_served += r == rings;
    if (!(xs_rule && xs_rule(q, &a)) && !(q->head.type == XS_CONTROL && control(q, &a)) &&
        !(q->head.type == XS_INTRODUCE && introduce(q, &a))) {
        a = *kit_ask(&kit_clients[r - rings], q->head.type, q->head.tx_id, q->body, q->head.len);
        a.req_id = q->head.req_id;
    }
    count(q, &a);
    head = (struct xsd_sockmsg){a.type, a.req_id, a.tx_id, a.len};
    ck_assert_uint_le(a.len, LONG);
    r->out_n = sizeof(head) + a.len;
    r->out_at = 0;
    memcpy(r->out, &head, sizeof(head));
    memcpy(r->out + sizeof(head), a.text, a.len < sizeof(a.text) ? a.len : sizeof(a.text));
}

static bool get(struct ring *r)
{
    struct xenstore_domain_interface *p = r->page;
    bool moved = false;

    while (p->req_cons != p->req_prod &&
           (r->got < sizeof(r->q.head) || r->got < sizeof(r->q.head) + r->q.head.len)) {
        if (p->req_prod - p->req_cons > RING) /* ck_assert is slow */
            ck_abort_msg("%u bytes in a ring", p->req_prod - p->req_cons);
        ((char *)&r->q)[r->got++] = p->req[MASK_XENSTORE_IDX(p->req_cons++)];
        if (r->got == sizeof(r->q.head) && r->q.head.len > XENSTORE_PAYLOAD_MAX)
            ck_abort_msg("a request of %u bytes", r->q.head.len);
        moved = true;
    }
    return moved;
}

static bool put(struct ring *r)
{
    struct xenstore_domain_interface *p = r->page;
    bool moved = false;

    while (r->out_at < r->out_n && p->rsp_prod - p->rsp_cons < RING) {
        p->rsp[MASK_XENSTORE_IDX(p->rsp_prod++)] = r->out[r->out_at++];
        moved = true;
    }
    return moved;
}

static bool serve(struct ring *r)
{
    bool moved = put(r) | get(r);

    if (r->out_at < r->out_n || r->got < sizeof(r->q.head) ||
        r->got < sizeof(r->q.head) + r->q.head.len)
        return moved;
    if (!xs_lives) {
        xs_dead = true;
        return true;
    }
    xs_lives--;
    r->q.body[r->q.head.len] = '\0';
    r->got = 0;
    answer(r);
    put(r);
    return true;
}

bool xs_serve(void)
{
    bool moved = false;

    for (struct ring *r = rings; r < rings + RINGS && !xs_dead; r++)
        if (r->page)
            moved |= serve(r);
    return moved;
}

/* --- what is there --- */

static const char *ask(uint32_t type, const char *text)
{
    const struct kit_answer *a =
        kit_ask(&kit_clients[0], type, 0, text, (uint32_t)strlen(text) + 1);

    return a->type == XS_ERROR ? "" : a->text;
}

bool xs_is_introduced(uint32_t domid)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", domid);
    return !strcmp(ask(XS_IS_DOMAIN_INTRODUCED, text), "T");
}

const char *xs_get(const char *path)
{
    return ask(XS_READ, path);
}

const char *xs_read(uint32_t domid, const char *key)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, key);
    return xs_get(path);
}

void xs_set(const char *path, const char *value)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "%s%c%s", path, 0, value);

    ck_assert_uint_eq(kit_ask(&kit_clients[0], XS_WRITE, 0, text, (uint32_t)n)->type, XS_WRITE);
}

static const char *list(uint32_t type, const char *path)
{
    static char text[sizeof(((struct kit_answer *)0)->text)];
    const struct kit_answer *a =
        kit_ask(&kit_clients[0], type, 0, path, (uint32_t)strlen(path) + 1);

    if (a->type == XS_ERROR)
        return "";
    memcpy(text, a->text, a->len);
    text[a->len] = '\0';
    for (uint32_t i = 0; i < a->len; i++)
        if (!text[i])
            text[i] = ' ';
    return text;
}

const char *xs_names(const char *path)
{
    return list(XS_DIRECTORY, path);
}

const char *xs_rights(const char *path)
{
    return list(XS_GET_PERMS, path);
}
