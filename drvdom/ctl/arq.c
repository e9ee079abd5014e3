/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/arq.h"

#include "hyp/lib/string.h"
#include "hyp/lib/util.h"

#define MS            1000000UL
#define PING_AFTER    (2000 * MS) /* without a frame */
#define HELLO_FIRST   (250 * MS)
#define PAUSE         (100 * MS) /* that is in no frame */
#define TIMEOUT_FIRST (500 * MS) /* nothing is known of the line yet */
#define TIMEOUT_MIN   (50 * MS)
#define TIMEOUT_MAX   (4000 * MS)

static struct arq_slot *sent(struct arq *a, uint16_t seq)
{
    return &a->sent[seq % LINK_WINDOW];
}

static uint16_t under_way(const struct arq *a)
{
    return (uint16_t)(a->next - a->base);
}

/* Full period: no number comes again within 2^32. */
static uint32_t another(struct arq *a)
{
    return a->random = a->random * 0x915f77f5U + 1;
}

void arq_init(struct arq *a, const struct arq_user *user, bool server, uint64_t silence,
              uint32_t random)
{
    memset(a, 0, sizeof(*a));
    a->user = user;
    a->server = server;
    a->silence = silence;
    a->random = random;
    a->expires = ARQ_NEVER;
    a->unsure = a->in.inside = true;
}

/* Nothing of a session before is left. */
static void begin(struct arq *a, uint32_t session, uint64_t now)
{
    a->state = ARQ_UP;
    a->session = session;
    a->base = a->next = a->tx = a->expected = a->echo = 0;
    for (unsigned i = 0; i < LINK_WINDOW; i++)
        a->sent[i].n = a->come[i].n = 0;
    a->ack_due = a->ping_due = false;
    a->heard = a->pinged = now;
    a->rtt = 0;
    a->timeout = TIMEOUT_FIRST;
    a->expires = ARQ_NEVER;
    a->user->up(a);
}

static void end(struct arq *a, enum arq_end why)
{
    a->state = ARQ_DOWN;
    a->expires = ARQ_NEVER;
    a->greeting = 0;
    a->user->down(a, why);
}

void arq_start(struct arq *a, uint64_t now)
{
    a->state = ARQ_HELLO;
    a->nonce = another(a);
    a->greeting = LINK_HELLO;
    a->timeout = HELLO_FIRST;
    a->expires = now + a->timeout;
}

void arq_stop(struct arq *a, enum arq_end why)
{
    if (a->state == ARQ_DOWN)
        return;
    a->farewell_due = a->state == ARQ_UP;
    a->farewell = a->session;
    end(a, why);
}

/* RFC 6298, with finer timers. */
static void measured(struct arq *a, uint64_t sample)
{
    uint64_t off = sample > a->rtt ? sample - a->rtt : a->rtt - sample;

    if (!a->rtt) {
        a->rtt = sample;
        a->rtt_var = sample / 2;
    } else {
        a->rtt_var = (3 * a->rtt_var + off) / 4;
        a->rtt = (7 * a->rtt + sample) / 8;
    }
}

static void restart_timer(struct arq *a, uint64_t now)
{
    if (a->rtt)
        a->timeout = MIN(MAX(a->rtt + 4 * a->rtt_var, TIMEOUT_MIN), TIMEOUT_MAX);
    a->expires = under_way(a) ? now + a->timeout : ARQ_NEVER;
}

/* The line keeps the order: what was sent before the frame that came last, and is not there, is
 * lost. */
static void find_lost(struct arq *a, uint16_t echo)
{
    for (uint16_t seq = a->base; seq != a->next; seq++) {
        struct arq_slot *s = sent(a, seq);

        s->lost |= !s->arrived && (int16_t)(uint16_t)(echo - s->tx) > 0;
    }
}

/* Numbers that cannot be are not believed. */
static void acknowledged(struct arq *a, const struct link_header *h, uint64_t now)
{
    uint16_t all = (uint16_t)(h->ack - a->base), n = under_way(a);
    bool news = false;

    if (all > n || (int16_t)(uint16_t)(a->tx - h->echo) < 0)
        return;
    for (uint16_t i = 0; i < n; i++) {
        struct arq_slot *s = sent(a, (uint16_t)(a->base + i));

        if (s->arrived || i == all || (i > all && !(h->have >> (i - all - 1U) & 1)))
            continue;
        s->arrived = news = true;
        s->lost = false;
        if (s->tx == h->echo)
            measured(a, now - s->when);
    }
    a->base = h->ack;
    find_lost(a, h->echo);
    if (news)
        restart_timer(a, now);
}

static void deliver_kept(struct arq *a, uint32_t session)
{
    struct arq_slot *s;

    while (a->state == ARQ_UP && a->session == session &&
           (s = &a->come[a->expected % LINK_WINDOW])->n) {
        size_t n = s->n;

        s->n = 0;
        a->expected++;
        a->user->deliver(a, s->payload, n);
    }
}

static void data(struct arq *a, const struct link_header *h, const uint8_t *payload, size_t n)
{
    uint16_t ahead = (uint16_t)(h->seq - a->expected);
    struct arq_slot *s = &a->come[h->seq % LINK_WINDOW];

    a->ack_due = true;
    a->echo = h->tx;
    if (ahead >= LINK_WINDOW || s->n || !n)
        return;
    s->n = (uint16_t)n;
    memcpy(s->payload, payload, n);
    deliver_kept(a, a->session);
}

static void hello(struct arq *a, const struct link_hello *h, uint64_t now)
{
    if (h->magic != LINK_MAGIC)
        return;
    a->asked = h->nonce;
    if (h->oldest > LINK_VERSION || h->newest < LINK_VERSION) {
        a->greeting = LINK_REFUSE;
        return;
    }
    if (a->state != ARQ_UP || h->nonce != a->nonce) {
        if (a->state == ARQ_UP)
            end(a, ARQ_END_RESET);
        a->nonce = h->nonce;
        begin(a, another(a), now);
    }
    a->greeting = LINK_WELCOME;
}

static void welcome(struct arq *a, const struct link_welcome *w, uint64_t now)
{
    if (a->state != ARQ_HELLO || w->magic != LINK_MAGIC || w->nonce != a->nonce ||
        w->version != LINK_VERSION)
        return;
    a->greeting = 0;
    begin(a, w->session, now);
}

static void refuse(struct arq *a, const struct link_refuse *r)
{
    if (a->state != ARQ_HELLO || r->magic != LINK_MAGIC || r->nonce != a->nonce)
        return;
    a->refused = *r;
    end(a, ARQ_END_VERSION);
}

/* Of a session. */
static void in_session(struct arq *a, const struct link_header *h, const uint8_t *payload, size_t n,
                       uint64_t now)
{
    if (a->state != ARQ_UP || h->session != a->session) {
        if (a->server && h->type != LINK_BYE) {
            a->farewell_due = true;
            a->farewell = h->session;
        }
        return;
    }
    if (h->type == (a->server ? LINK_BYE : LINK_RESET)) {
        end(a, a->server ? ARQ_END_ASKED : ARQ_END_RESET);
        return;
    }
    a->heard = now;
    acknowledged(a, h, now);
    if (h->type == LINK_DATA)
        data(a, h, payload, n);
    else if (h->type == LINK_PING)
        a->ack_due = true;
}

static void frame(struct arq *a, const uint8_t *bytes, size_t n, uint64_t now)
{
    struct link_header h;
    union {
        struct link_hello hello;
        struct link_welcome welcome;
        struct link_refuse refuse;
    } u;
    const uint8_t *payload = bytes + sizeof(h);

    if (n < sizeof(h))
        return;
    n -= sizeof(h);
    memcpy(&h, bytes, sizeof(h));
    memcpy(&u, payload, MIN(n, sizeof(u)));
    if (h.type == LINK_HELLO && a->server && n == sizeof(u.hello))
        hello(a, &u.hello, now);
    else if (h.type == LINK_WELCOME && !a->server && n == sizeof(u.welcome))
        welcome(a, &u.welcome, now);
    else if (h.type == LINK_REFUSE && !a->server && n == sizeof(u.refuse))
        refuse(a, &u.refuse);
    else if (h.type >= LINK_RESET && h.type <= LINK_PING)
        in_session(a, &h, payload, n, now);
}

/* The end of a frame that began so long ago does not come any more: who was sending it has gone, or
 * an emulator has dropped it when bl's socket was closed. */
bool arq_in_frame(const struct arq *a, uint64_t now)
{
    return a->in.inside && now - a->since < (a->unsure ? PAUSE : a->silence);
}

/* ctl's clock alone proves nothing: an emulator's runs ahead while it has nothing to do. */
static bool somebody_else(const struct arq *a, uint8_t byte, uint64_t now)
{
    return a->server && a->state == ARQ_UP && now >= a->heard + a->silence && byte &&
           !arq_in_frame(a, now);
}

void arq_receive(struct arq *a, const uint8_t *bytes, size_t n, uint64_t now)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *f;
        size_t got;

        if (somebody_else(a, bytes[i], now))
            arq_stop(a, ARQ_END_SILENT);
        a->in.inside = arq_in_frame(a, now);
        a->unsure &= a->in.inside && bytes[i];
        if (a->unsure || !bytes[i])
            a->since = now;
        f = framing_decode(&a->in, bytes[i], &got);
        if (f)
            frame(a, f, got, now);
    }
}

static uint32_t have(const struct arq *a)
{
    uint32_t bits = 0;

    for (uint16_t i = 0; i < LINK_WINDOW - 1; i++)
        if (a->come[(uint16_t)(a->expected + 1 + i) % LINK_WINDOW].n)
            bits |= 1U << i;
    return bits;
}

static void put(struct arq *a, struct link_header *h, const void *body, size_t n)
{
    a->out_at = 0;
    a->out_n = framing_encode(h, sizeof(*h), body, n, a->out);
}

static void put_greeting(struct arq *a)
{
    struct link_header h = {.type = a->greeting};
    struct link_hello hello = {LINK_MAGIC, a->nonce, LINK_VERSION, LINK_VERSION};
    struct link_welcome welcome = {LINK_MAGIC, a->asked, a->session, LINK_VERSION, 0};
    struct link_refuse refuse = {LINK_MAGIC, a->asked, LINK_VERSION, LINK_VERSION};

    a->greeting = 0;
    if (h.type == LINK_HELLO)
        put(a, &h, &hello, sizeof(hello));
    else if (h.type == LINK_WELCOME)
        put(a, &h, &welcome, sizeof(welcome));
    else
        put(a, &h, &refuse, sizeof(refuse));
}

/* The payload that is to be sent next: the oldest that is lost, else a new one. NULL: there is
 * none, or too many are under way. */
static struct arq_slot *choose(struct arq *a, uint16_t *seq)
{
    struct arq_slot *s;

    for (*seq = a->base; *seq != a->next; ++*seq)
        if ((s = sent(a, *seq))->lost) {
            a->repeated++;
            return s;
        }
    if (under_way(a) == LINK_WINDOW)
        return NULL;
    s = sent(a, a->next);
    s->n = (uint16_t)a->user->fill(a, s->payload);
    if (!s->n)
        return NULL;
    a->next++;
    return s;
}

static void put_session(struct arq *a, uint64_t now)
{
    struct link_header h = {.session = a->session, .ack = a->expected, .echo = a->echo};
    struct arq_slot *s = choose(a, &h.seq);

    if (!s && !a->ack_due && !a->ping_due)
        return;
    h.have = have(a);
    a->ack_due = false;
    if (!s) {
        h.type = a->ping_due ? LINK_PING : LINK_ACK;
        a->ping_due = false;
        put(a, &h, NULL, 0);
        return;
    }
    s->lost = s->arrived = false;
    s->when = now;
    h.type = LINK_DATA;
    h.tx = s->tx = ++a->tx;
    if (a->expires == ARQ_NEVER)
        a->expires = now + a->timeout;
    put(a, &h, s->payload, s->n);
}

static void next_frame(struct arq *a, uint64_t now)
{
    struct link_header h = {.session = a->farewell, .type = a->server ? LINK_RESET : LINK_BYE};

    if (a->farewell_due) {
        a->farewell_due = false;
        put(a, &h, NULL, 0);
    } else if (a->greeting) {
        put_greeting(a);
    } else if (a->state == ARQ_UP) {
        put_session(a, now);
    }
}

size_t arq_take(struct arq *a, uint8_t *bytes, size_t max, uint64_t now)
{
    size_t n = 0;

    if (!a->since)
        a->since = now;
    while (n < max) {
        size_t part;

        if (a->out_at == a->out_n)
            next_frame(a, now);
        part = MIN(max - n, a->out_n - a->out_at);
        if (!part)
            break;
        memcpy(bytes + n, a->out + a->out_at, part);
        a->out_at += part;
        n += part;
    }
    return n;
}

static uint64_t ping_time(const struct arq *a)
{
    return a->server ? ARQ_NEVER : MAX(a->heard, a->pinged) + PING_AFTER;
}

static uint64_t silent_time(const struct arq *a)
{
    return a->server ? ARQ_NEVER : a->heard + a->silence;
}

uint64_t arq_deadline(const struct arq *a)
{
    if (a->state != ARQ_UP)
        return a->expires;
    return MIN(a->expires, MIN(silent_time(a), ping_time(a)));
}

/* The oldest payload under way is sent again; what comes back tells of the others. */
static void expired(struct arq *a, uint64_t now)
{
    a->timeout = MIN(2 * a->timeout, TIMEOUT_MAX);
    a->expires = now + a->timeout;
    if (a->state == ARQ_HELLO)
        a->greeting = LINK_HELLO;
    else
        sent(a, a->base)->lost = true;
}

void arq_tick(struct arq *a, uint64_t now)
{
    if (a->state == ARQ_UP && now >= silent_time(a)) {
        arq_stop(a, ARQ_END_SILENT);
        return;
    }
    if (now >= a->expires)
        expired(a, now);
    if (a->state == ARQ_UP && now >= ping_time(a)) {
        a->ping_due = true;
        a->pinged = now;
    }
}
