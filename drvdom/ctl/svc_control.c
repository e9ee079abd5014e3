/* SPDX-License-Identifier: MIT */
/*
 * Service CONTROL: requests become control hypercalls, one by one, and their results go back. A
 * domain that a session has created and not finished goes with it.
 */
#include <lz4.h>
#include <xen/errno.h>
#include "drvdom/ctl/ctl.h"
#include "drvdom/ctl/domstore.h"
#include "drvdom/ctl/held.h"
#include "drvdom/ctl/pages.h"
#include "drvdom/ctl/services.h"
#include "guestdrv/rt/rt.h"
#include "hyp/abi/link.h"
#include "hyp/lib/string.h"

#define SESSIONS 16U
#define MESSAGE  (sizeof(struct bh_request) + BH_REQUEST_BUFFER)
#define AHEAD    (2 * MESSAGE) /* so that the next request comes while one is answered */

static struct session {
    struct channel *c; /* NULL: free */
    uint32_t made;     /* the domain under construction; 0: none */
    struct held in;    /* in asked[] */
    size_t out, sent;
    uint8_t asked[AHEAD] __aligned(8), answer[MESSAGE] __aligned(8);
} sessions[SESSIONS];

static int control_open(struct channel *c, uint32_t *credit, const char **why)
{
    struct session *s = SESSION_FREE(sessions);

    *why = "too many clients at once";
    if (!s)
        return -XEN_EBUSY;
    s->c = c;
    s->made = 0;
    s->in = (struct held){s->asked, 0, AHEAD};
    s->out = s->sent = 0;
    c->user = s;
    *credit = AHEAD;
    return 0;
}

static void control_end(struct channel *c)
{
    struct session *s = c->user;
    struct bh_control arg = {.domid = s->made};

    if (s->made)
        HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_destroy, &arg);
    s->c = NULL;
}

static long about(struct bh_control *args)
{
    struct bh_about *a = (void *)args->buffer;
    int store = domstore_peer();

    if (args->size < sizeof(*a))
        return -XEN_EINVAL;
    *a = (struct bh_about){.version = LINK_VERSION,
                           .channels = services_channels(),
                           .domid = rt_domid(),
                           .store = store < 0 ? ~0U : (uint32_t)store,
                           .since = services_since(),
                           .memory_free = rt_memory_free()};
    args->size = sizeof(*a);
    return 0;
}

static long read_memory(struct bh_control *page)
{
    return HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_read_memory, page);
}

/* What follows from a command that was carried out. */
static void note(struct session *s, uint32_t command, const struct bh_control *args, long rc)
{
    if (command == BH_CONTROL_create && !rc)
        s->made = args->domid;
    if (s->made != args->domid)
        return;
    if ((command == BH_CONTROL_finish && !rc) || (command == BH_CONTROL_destroy && !rc) ||
        (command == BH_CONTROL_load && rc == -XEN_EILSEQ))
        s->made = 0;
}

static long carry_out(struct session *s, uint32_t command, struct bh_control *args)
{
    long rc;

    if (command == BH_CTL_ABOUT)
        return about(args);
    if (command == BH_CTL_READ_MEMORY)
        return pages_read(args, read_memory);
    if (command > BH_CONTROL_record || command == BH_CONTROL_log)
        return -XEN_ENOSYS;
    if (command == BH_CONTROL_create && s->made)
        return -XEN_EBUSY;
    if (command == BH_CONTROL_unpause && domstore_want(args->domid))
        return 0; /* it will start when its entries are in the store */
    rc = HYPERCALL2(BH_HYPERVISOR_control, command, args);
    note(s, command, args, rc);
    if (command == BH_CONTROL_finish && !rc)
        ctl_scan();
    return rc;
}

/* The bytes that came with a request, unpacked if they are an LZ4 block; NULL: they are not. */
static uint8_t *unpack(struct session *s, const struct bh_request *q, size_t *given)
{
    static uint8_t unpacked[BH_REQUEST_BUFFER];
    uint8_t *bytes = s->asked + sizeof(*q);
    int n;

    *given = q->size - sizeof(*q);
    if (!(q->command & BH_REQUEST_LZ4))
        return bytes;
    n = LZ4_decompress_safe((const char *)bytes, (char *)unpacked, (int)*given, sizeof(unpacked));
    *given = (size_t)n;
    return n > 0 && (uint64_t)n == q->args.size ? unpacked : NULL;
}

/* The request at the start of asked[] is whole. The buffer is what came with it, or the answer's.
 */
static void answer(struct session *s)
{
    const struct bh_request *q = (const void *)s->asked;
    struct bh_answer *a = (void *)s->answer;
    uint64_t wanted = MIN(q->reply_max, BH_REQUEST_BUFFER);
    uint8_t *bytes;
    size_t given;
    long rc = -XEN_EINVAL;

    *a = (struct bh_answer){.size = sizeof(*a), .id = q->id, .args = q->args};
    bytes = unpack(s, q, &given);
    a->args.buffer = (uint64_t)(given ? bytes : s->answer + sizeof(*a));
    a->args.size = given ? given : wanted;
    if (bytes)
        rc = carry_out(s, q->command & ~BH_REQUEST_LZ4, &a->args);
    a->error = (int32_t)rc;
    if (!given && !rc)
        a->size += (uint32_t)MIN(a->args.size, wanted);
    a->args.buffer = 0;
    s->out = a->size;
    s->sent = 0;
}

/* Answers the next request, when it is there and the one before has gone. */
static void advance(struct session *s)
{
    const struct bh_request *q = (const void *)s->asked;
    uint32_t size = q->size;

    if (s->out || s->in.n < sizeof(*q))
        return;
    if (size < sizeof(*q) || size > MESSAGE) {
        rt_print("ctl: a client's request has %u bytes\n", size);
        services_close(s->c);
        return;
    }
    if (s->in.n < size)
        return;
    answer(s);
    held_drop(&s->in, s->c, size);
    mux_ready(s->c);
}

static void control_received(struct channel *c, const uint8_t *bytes, size_t n)
{
    struct session *s = c->user;

    held_add(&s->in, bytes, n);
    advance(s);
}

static size_t control_send(struct channel *c, uint8_t *bytes, size_t max)
{
    struct session *s = c->user;
    size_t n;

    if (s->sent == s->out) {
        s->out = s->sent = 0;
        advance(s);
    }
    n = MIN(max, s->out - s->sent);
    memcpy(bytes, s->answer + s->sent, n);
    s->sent += n;
    return n;
}

const struct service svc_control = {control_open, control_received, control_send, control_end};
