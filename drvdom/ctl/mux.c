/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/mux.h"

#include <xen/errno.h>
#include "hyp/lib/string.h"
#include "hyp/lib/util.h"

#define HEADER       sizeof(struct link_message)
#define WHY_MAX      200U
#define SHARE        512U /* bytes of one channel in a row, while others wait */
#define WORTH        64U  /* room for bytes that is worth a message */
#define CREDIT_LIMIT (1U << 30)

static unsigned number(const struct channel *c)
{
    return (unsigned)(c - c->mux->channels);
}

static void enter(struct channel *c, enum channel_state state, bool unsaid)
{
    c->state = state;
    c->unsaid = unsaid;
}

/* Sending. */

struct filling {
    uint8_t *payload;
    size_t n;
};

static size_t room(const struct filling *f)
{
    return LINK_PAYLOAD_MAX - f->n;
}

static void put(struct filling *f, const void *p, size_t n)
{
    memcpy(f->payload + f->n, p, n);
    f->n += n;
}

static void message(struct filling *f, const struct channel *c, enum link_message_type type,
                    const void *body, size_t n)
{
    struct link_message h = {(uint16_t)number(c), (uint16_t)n, (uint8_t)type, 0};

    put(f, &h, sizeof(h));
    if (n)
        put(f, body, n);
}

static void say_refused(struct filling *f, struct channel *c)
{
    uint8_t body[sizeof(int32_t) + WHY_MAX];
    size_t n = strnlen(c->why, WHY_MAX);

    memcpy(body, &c->error, sizeof(int32_t));
    memcpy(body + sizeof(int32_t), c->why, n);
    message(f, c, LINK_REFUSED, body, sizeof(int32_t) + n);
    enter(c, CHANNEL_FREE, false);
}

/* What a channel has to say but for its bytes. */
static void say(struct filling *f, struct channel *c)
{
    struct link_open open = {c->service, c->argument, c->may_come};

    if (room(f) < HEADER + sizeof(int32_t) + WHY_MAX)
        return;
    if (c->unsaid) {
        c->unsaid = false;
        if (c->state == CHANNEL_OPENING) {
            message(f, c, LINK_OPEN, &open, sizeof(open));
        } else if (c->state == CHANNEL_OPEN) {
            message(f, c, LINK_OPENED, &c->may_come, sizeof(c->may_come));
        } else if (c->state == CHANNEL_REFUSED) {
            say_refused(f, c);
        } else {
            message(f, c, LINK_CLOSE, NULL, 0);
            if (c->state == CHANNEL_CLOSED)
                enter(c, CHANNEL_FREE, false);
        }
    }
    if (c->state == CHANNEL_OPEN && c->credit) {
        message(f, c, LINK_CREDIT, &c->credit, sizeof(c->credit));
        c->may_come += c->credit;
        c->credit = 0;
    }
}

static bool can_send(const struct channel *c)
{
    return c->state == CHANNEL_OPEN && !c->unsaid && c->ready && c->may_send;
}

/* Bytes, into the payload behind room for their header. */
static void send(struct filling *f, struct channel *c)
{
    size_t max = MIN(MIN(room(f) - HEADER, SHARE), c->may_send);
    struct link_message h = {(uint16_t)number(c), 0, LINK_BYTES, 0};

    h.length = (uint16_t)c->mux->owner->send(c, f->payload + f->n + HEADER, max);
    if (!h.length) {
        c->ready = false;
        return;
    }
    c->may_send -= h.length;
    put(f, &h, sizeof(h));
    f->n += h.length;
}

static bool send_in_turn(struct filling *f, struct mux *m)
{
    for (unsigned i = 0; i < LINK_CHANNELS; i++) {
        unsigned at = (m->turn + i) % LINK_CHANNELS;

        if (can_send(&m->channels[at])) {
            m->turn = at + 1;
            send(f, &m->channels[at]);
            return true;
        }
    }
    return false;
}

static struct mux *mux_of(struct arq *a)
{
    return container_of(a, struct mux, arq);
}

static size_t fill(struct arq *a, uint8_t *payload)
{
    struct mux *m = mux_of(a);
    struct filling f = {payload, 0};

    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        say(&f, &m->channels[(m->turn + i) % LINK_CHANNELS]);
    while (room(&f) >= HEADER + WORTH && send_in_turn(&f, m))
        ;
    return f.n;
}

/* Receiving. False: the other side has broken the rules. */

static bool add_credit(struct channel *c, uint32_t n)
{
    if (n > CREDIT_LIMIT || c->may_send > CREDIT_LIMIT - n)
        return false;
    c->may_send += n;
    return true;
}

static bool got_open(struct channel *c, const uint8_t *body, size_t n)
{
    const struct mux_owner *owner = c->mux->owner;
    struct link_open open;

    if (!c->mux->arq.server || c->state != CHANNEL_FREE || n != sizeof(open))
        return false;
    memcpy(&open, body, sizeof(open));
    *c = (struct channel){.mux = c->mux, .service = open.service, .argument = open.argument};
    if (!add_credit(c, open.credit))
        return false;
    enter(c, CHANNEL_OPEN, true);
    c->error = owner->open(c, &c->may_come, &c->why);
    if (c->error)
        enter(c, CHANNEL_REFUSED, true);
    return true;
}

/* One that is refused does not answer a CLOSE that is on its way. */
static bool got_answer(struct channel *c, uint8_t type, const uint8_t *body, size_t n)
{
    const struct mux_owner *owner = c->mux->owner;
    bool wanted = c->state == CHANNEL_OPENING;
    uint32_t number;

    if (c->mux->arq.server || n < sizeof(number) || (wanted && c->unsaid) ||
        (!wanted && c->state != CHANNEL_CLOSING))
        return false;
    memcpy(&number, body, sizeof(number));
    if (type == LINK_OPENED) {
        if (n != sizeof(number) || !add_credit(c, number))
            return false;
        if (wanted) {
            enter(c, CHANNEL_OPEN, false);
            c->ready = true;
            owner->opened(c, 0, NULL, 0);
        }
        return true;
    }
    enter(c, CHANNEL_FREE, false);
    if (wanted)
        owner->opened(c, (int32_t)number < 0 ? (int32_t)number : -1,
                      (const char *)body + sizeof(number), n - sizeof(number));
    return true;
}

static bool got_bytes(struct channel *c, const uint8_t *body, size_t n)
{
    if (c->state == CHANNEL_CLOSING)
        return true;
    if (c->state != CHANNEL_OPEN || !n || n > c->may_come)
        return false;
    c->may_come -= (uint32_t)n;
    c->mux->owner->received(c, body, n);
    return true;
}

static bool got_credit(struct channel *c, const uint8_t *body, size_t n)
{
    uint32_t more;

    if (c->state == CHANNEL_CLOSING)
        return true;
    if (c->state != CHANNEL_OPEN || n != sizeof(more))
        return false;
    memcpy(&more, body, sizeof(more));
    return add_credit(c, more);
}

/* Of a channel that ctl has refused meanwhile it means nothing. */
static bool got_close(struct channel *c, size_t n)
{
    if (n)
        return false;
    switch (c->state) {
    case CHANNEL_OPEN:
        enter(c, CHANNEL_CLOSED, true);
        c->mux->owner->closed(c);
        return true;
    case CHANNEL_CLOSING:
        enter(c, c->unsaid ? CHANNEL_CLOSED : CHANNEL_FREE, c->unsaid);
        return true;
    case CHANNEL_FREE:
    case CHANNEL_REFUSED:
        return c->mux->arq.server;
    case CHANNEL_OPENING:
    case CHANNEL_CLOSED:
        return false;
    }
    return false;
}

static bool got(struct mux *m, const struct link_message *h, const uint8_t *body)
{
    struct channel *c = &m->channels[h->channel % LINK_CHANNELS];

    if (h->channel >= LINK_CHANNELS)
        return false;
    switch (h->type) {
    case LINK_OPEN:
        return got_open(c, body, h->length);
    case LINK_OPENED:
    case LINK_REFUSED:
        return got_answer(c, h->type, body, h->length);
    case LINK_BYTES:
        return got_bytes(c, body, h->length);
    case LINK_CREDIT:
        return got_credit(c, body, h->length);
    case LINK_CLOSE:
        return got_close(c, h->length);
    default:
        return false;
    }
}

static void deliver(struct arq *a, const uint8_t *payload, size_t n)
{
    uint32_t session = a->session;
    struct link_message h;

    while (n && a->state == ARQ_UP && a->session == session) {
        if (n < HEADER)
            break;
        memcpy(&h, payload, HEADER);
        if (h.length > n - HEADER || !got(mux_of(a), &h, payload + HEADER))
            break;
        payload += HEADER + h.length;
        n -= HEADER + h.length;
    }
    if (n && a->state == ARQ_UP && a->session == session)
        arq_stop(a, ARQ_END_BROKEN);
}

static void up(struct arq *a)
{
    struct mux *m = mux_of(a);

    m->owner->up(m);
}

static void down(struct arq *a, enum arq_end why)
{
    struct mux *m = mux_of(a);

    m->owner->down(m, why);
    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        enter(&m->channels[i], CHANNEL_FREE, false);
}

void mux_init(struct mux *m, const struct mux_owner *owner, bool server, uint64_t silence,
              uint32_t random)
{
    static const struct arq_user user = {up, down, fill, deliver};

    arq_init(&m->arq, &user, server, silence, random);
    m->owner = owner;
    m->turn = 0;
    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        m->channels[i] = (struct channel){.mux = m};
}

struct channel *mux_open(struct mux *m, uint32_t service, uint32_t argument, uint32_t credit,
                         void *user)
{
    for (unsigned i = 0; i < LINK_CHANNELS && m->arq.state == ARQ_UP; i++) {
        struct channel *c = &m->channels[i];

        if (c->state != CHANNEL_FREE)
            continue;
        *c = (struct channel){
            .mux = m, .user = user, .may_come = credit, .service = service, .argument = argument};
        enter(c, CHANNEL_OPENING, true);
        return c;
    }
    return NULL;
}

void mux_credit(struct channel *c, uint32_t n)
{
    c->credit += n;
}

void mux_ready(struct channel *c)
{
    c->ready = true;
}

void mux_close(struct channel *c)
{
    if (c->state == CHANNEL_OPENING && c->unsaid) {
        enter(c, CHANNEL_FREE, false);
    } else if (c->state == CHANNEL_OPEN && c->unsaid) {
        c->error = -XEN_EIO;
        c->why = "closed again at once";
        enter(c, CHANNEL_REFUSED, true);
    } else {
        enter(c, CHANNEL_CLOSING, true);
    }
}
