/* SPDX-License-Identifier: MIT */
/* Channels: whoever opens, fills, starves and closes them, and whoever breaks their rules. */
#include <string.h>
#include <xen/errno.h>
#include "drvdom/ctl/mux.h"
#include "tests/unit/check_main.h"
#include "tests/unit/fake_line.h"

#define MS      1000000UL
#define SILENCE (30000 * MS)
#define CREDIT  3000U
#define REFUSED 7U /* argument of a service that is not there */
#define FOREVER ~0U
#define STREAMS 1000

/* One end of a channel: byte i that it sends is key + i. */
struct stream {
    struct channel *channel;
    struct stream *other;
    uint32_t sent, limit, received, eaten;
    bool opened, closed, refused;
};

struct side {
    struct mux mux;
    unsigned ups, downs;
    enum arq_end why;
};

static struct side bl, ctl;
static struct fake_line to_ctl, to_bl;
static uint64_t now;
static struct stream *by_argument[STREAMS]; /* bl's ends; ctl's are found through them */
static struct stream ctl_ends[STREAMS];

static void up(struct mux *m)
{
    ((struct side *)m)->ups++;
}

static void down(struct mux *m, enum arq_end why)
{
    ((struct side *)m)->downs++;
    ((struct side *)m)->why = why;
}

static int open_end(struct channel *c, uint32_t *credit, const char **why)
{
    struct stream *s = &ctl_ends[c->argument % STREAMS];

    *why = "not today";
    if (c->service == REFUSED)
        return -XEN_ENODEV;
    *s = (struct stream){
        .channel = c, .other = by_argument[c->argument % STREAMS], .limit = FOREVER};
    if (s->other)
        s->other->other = s;
    s->opened = true;
    c->user = s;
    *credit = CREDIT;
    mux_ready(c);
    return 0;
}

static void opened(struct channel *c, int error, const char *text, size_t n)
{
    struct stream *s = c->user;

    s->opened = !error;
    s->refused = error;
    if (error) {
        ck_assert_int_eq(error, -XEN_ENODEV);
        ck_assert(n == 9 && !memcmp(text, "not today", 9));
        s->channel = NULL;
    }
}

static void received(struct channel *c, const uint8_t *bytes, size_t n)
{
    struct stream *s = c->user;

    for (size_t i = 0; i < n; i++)
        if (bytes[i] != (uint8_t)(c->argument + s->received++)) /* ck_assert is slow */
            ck_abort_msg("byte %u", s->received - 1);
    ck_assert(!s->other || s->received <= s->other->sent);
}

static size_t send_bytes(struct channel *c, uint8_t *bytes, size_t max)
{
    struct stream *s = c->user;
    size_t n = s->limit - s->sent < max ? s->limit - s->sent : max;

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(c->argument + s->sent++);
    return n;
}

static void closed(struct channel *c)
{
    struct stream *s = c->user;

    s->closed = true;
    s->channel = NULL;
}

static const struct mux_owner owner = {up, down, open_end, opened, received, send_bytes, closed};

static void set_up(unsigned seed)
{
    now = MS;
    memset(by_argument, 0, sizeof(by_argument));
    bl = ctl = (struct side){.why = 0};
    mux_init(&bl.mux, &owner, false, SILENCE, seed);
    mux_init(&ctl.mux, &owner, true, SILENCE, seed + 1);
    line_init(&to_ctl, seed);
    line_init(&to_bl, seed + 1);
    arq_start(&bl.mux.arq, now);
}

static void step(size_t n)
{
    now += MS;
    line_take(&to_ctl, &bl.mux.arq, n, now);
    line_take(&to_bl, &ctl.mux.arq, n, now);
    line_give(&to_ctl, &ctl.mux.arq, n, now);
    line_give(&to_bl, &bl.mux.arq, n, now);
    arq_tick(&bl.mux.arq, now);
    arq_tick(&ctl.mux.arq, now);
}

static void steps(unsigned count)
{
    while (count--)
        step(3000);
}

static struct stream *open_stream(struct stream *s, uint32_t service, uint32_t argument,
                                  uint32_t credit)
{
    *s = (struct stream){.limit = FOREVER};
    by_argument[argument % STREAMS] = s;
    s->channel = mux_open(&bl.mux, service, argument, credit, s);
    return s;
}

static void eat(struct stream *s)
{
    if (s->channel && s->channel->state == CHANNEL_OPEN) {
        mux_credit(s->channel, s->received - s->eaten);
        s->eaten = s->received;
    }
}

static unsigned in_use(const struct side *side)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        n += side->mux.channels[i].state != CHANNEL_FREE;
    return n;
}

START_TEST(opens_and_closes)
{
    struct stream s, refused;

    set_up(1);
    ck_assert_ptr_null(mux_open(&bl.mux, 0, 0, 0, NULL)); /* no session yet */
    steps(5);
    open_stream(&s, 1, 100, 500);
    open_stream(&refused, REFUSED, 101, 500);
    steps(20);
    ck_assert(s.opened && !s.refused && refused.refused);
    ck_assert_uint_eq(s.received, 500); /* no more than the credit */
    ck_assert_uint_eq(ctl_ends[100].received, CREDIT);
    eat(&s);
    steps(5);
    ck_assert_uint_eq(s.received, 1000);
    mux_close(s.channel);
    steps(5);
    ck_assert(ctl_ends[100].closed);
    ck_assert(!in_use(&bl) && !in_use(&ctl));

    open_stream(&s, 1, 102, 500);
    steps(5);
    mux_close(ctl_ends[102].channel);
    steps(5);
    ck_assert(s.closed);
    ck_assert(!in_use(&bl) && !in_use(&ctl));

    open_stream(&s, 1, 103, 500);
    steps(5);
    mux_close(ctl_ends[103].channel);
    mux_close(s.channel);
    steps(5);
    ck_assert(!s.closed && !ctl_ends[103].closed);
    ck_assert(!in_use(&bl) && !in_use(&ctl));
    ck_assert_uint_eq(bl.downs + ctl.downs, 0);
}
END_TEST

/* Closed by bl while it is being opened, refused, or before ctl has heard of it. */
START_TEST(closed_early)
{
    struct stream s;

    for (unsigned delay = 0; delay < 6; delay++)
        for (uint32_t service = 1; service <= REFUSED; service += REFUSED - 1) {
            set_up(3);
            steps(5);
            open_stream(&s, service, 100, 500);
            for (unsigned i = 0; i < delay; i++) {
                now += MS;
                line_take(i % 2 ? &to_bl : &to_ctl, i % 2 ? &ctl.mux.arq : &bl.mux.arq, 3000, now);
                if (i > 1)
                    line_give(i % 2 ? &to_ctl : &to_bl, i % 2 ? &ctl.mux.arq : &bl.mux.arq, 3000,
                              now);
            }
            if (s.channel)
                mux_close(s.channel);
            steps(10);
            ck_assert(!in_use(&bl) && !in_use(&ctl));
            ck_assert_uint_eq(bl.downs + ctl.downs, 0);
        }
}
END_TEST

/* ctl closes what it has just opened. */
START_TEST(closed_at_once)
{
    struct stream s;

    set_up(4);
    steps(5);
    open_stream(&s, 1, 100, 500);
    line_take(&to_ctl, &bl.mux.arq, 3000, now);
    line_give(&to_ctl, &ctl.mux.arq, 3000, now);
    mux_close(ctl_ends[100].channel);
    line_take(&to_bl, &ctl.mux.arq, 3000, now);
    arq_receive(&bl.mux.arq, NULL, 0, now);
    ck_assert_int_eq(ctl.mux.channels[0].state, CHANNEL_FREE);
    ck_assert_uint_eq(ctl.downs, 0);
}
END_TEST

/* One that nobody reads stops neither the others of its direction nor itself the other way. */
START_TEST(unread)
{
    struct stream deaf, other;

    set_up(5);
    steps(5);
    open_stream(&deaf, 1, 100, 700);
    open_stream(&other, 1, 101, 700);
    for (unsigned i = 0; i < 500; i++) {
        step(3000);
        eat(&other);
        eat(&ctl_ends[100]);
        eat(&ctl_ends[101]);
    }
    ck_assert_uint_eq(deaf.received, 700);
    ck_assert_uint_gt(other.received, 100000);
    ck_assert_uint_gt(ctl_ends[100].received, 100000);
    ck_assert_uint_gt(ctl_ends[101].received, 100000);
}
END_TEST

/* Busy channels share alike; one that has little to say is heard at once. */
START_TEST(fair)
{
    struct stream busy[5], quiet;

    set_up(6);
    steps(5);
    for (unsigned i = 0; i < 5; i++)
        open_stream(&busy[i], 1, 100 + i, 100000000);
    open_stream(&quiet, 1, 105, 1000);
    for (unsigned i = 0; i < 5; i++)
        ctl_ends[100 + i].limit = FOREVER;
    step(3000);
    ctl_ends[105].limit = 0;
    steps(1000);
    for (unsigned i = 1; i < 5; i++)
        ck_assert_int_le(abs((int)(busy[i].received - busy[0].received)), 2000);
    ck_assert_uint_gt(busy[0].received, 400000);
    quiet.received = ctl_ends[105].sent;
    ctl_ends[105].limit = ctl_ends[105].sent + 1;
    mux_ready(ctl_ends[105].channel);
    now += MS;
    /* At most what the busy ones say in one turn comes first, behind what is under way. */
    for (unsigned bytes = 0; quiet.received != ctl_ends[105].limit; bytes += 100) {
        ck_assert_uint_le(bytes, 6000);
        line_take(&to_bl, &ctl.mux.arq, 100, now);
        line_give(&to_bl, &bl.mux.arq, LINE_BYTES, now);
        line_take(&to_ctl, &bl.mux.arq, LINE_BYTES, now);
        line_give(&to_ctl, &ctl.mux.arq, LINE_BYTES, now);
    }
}
END_TEST

/* Everything at random, on a bad line: bytes stay in order, and at the end nothing is left. */
START_TEST(soup)
{
    static struct stream streams[STREAMS];
    unsigned made = 0;

    set_up((unsigned)_i * 100 + 7);
    to_ctl.lose = to_bl.lose = to_ctl.add = to_bl.add = (unsigned)_i * 50;
    for (unsigned i = 0; i < 1500; i++) {
        uint32_t what = line_random(&to_ctl), k = made ? line_random(&to_ctl) % made : 0;

        k = made > 80 ? made - 80 + k % 80 : k;
        if (what % 8 == 0 && bl.mux.arq.state == ARQ_UP && in_use(&bl) < LINK_CHANNELS) {
            open_stream(&streams[made], what % 5 ? 1 : REFUSED, made, what % 2000);
            made++;
        } else if (what % 8 == 1 && made && streams[k].channel && what % 3 == 0) {
            mux_close(streams[k].channel);
            streams[k].channel = NULL;
        } else if (what % 8 == 2 && made && ctl_ends[k].channel &&
                   ctl_ends[k].other == &streams[k] && what % 3 == 0) {
            mux_close(ctl_ends[k].channel);
            ctl_ends[k].channel = NULL;
        } else if (made) {
            eat(&streams[k]);
            eat(&ctl_ends[k]);
        }
        step(what % 4000);
    }
    for (unsigned i = 0; i < made; i++)
        if (streams[i].channel)
            mux_close(streams[i].channel);
    for (unsigned i = 0; i < 100000 && (in_use(&bl) || in_use(&ctl)); i++)
        step(3000);
    ck_assert_uint_gt(made, 100);
    ck_assert(!in_use(&bl) && !in_use(&ctl));
    ck_assert_uint_eq(bl.ups + ctl.ups, 2);
    ck_assert_uint_eq(bl.downs + ctl.downs, 0);
}
END_TEST

/* Rules: each of these messages ends the session. */
struct message {
    struct link_message header;
    uint8_t body[16];
    size_t n; /* bytes of body in the payload */
};

static const struct message to_ctl_bad[] = {
    {{LINK_CHANNELS, 12, LINK_OPEN, 0}, {0}, 12}, /* no such channel */
    {{0, 12, LINK_OPEN, 0}, {1}, 12},             /* in use */
    {{1, 11, LINK_OPEN, 0}, {1}, 11},             /* too short */
    {{1, 13, LINK_OPEN, 0}, {1}, 12},             /* longer than the payload */
    {{1, 12, LINK_OPEN, 0}, {1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 12}, /* credit */
    {{0, 4, LINK_OPENED, 0}, {1}, 4},
    {{0, 4, LINK_REFUSED, 0}, {1}, 4},
    {{0, 0, LINK_BYTES, 0}, {0}, 0},
    {{1, 1, LINK_BYTES, 0}, {0}, 1}, /* not open */
    {{0, 3, LINK_CREDIT, 0}, {0}, 3},
    {{0, 4, LINK_CREDIT, 0}, {0xff, 0xff, 0xff, 0x4f}, 4},
    {{1, 4, LINK_CREDIT, 0}, {1}, 4},
    {{0, 1, LINK_CLOSE, 0}, {0}, 1},
    {{0, 0, 0, 0}, {0}, 0},
    {{0, 0, LINK_CLOSE + 1, 0}, {0}, 0},
};

static const struct message to_bl_bad[] = {
    {{1, 12, LINK_OPEN, 0}, {1}, 12},  {{0, 4, LINK_OPENED, 0}, {1}, 4}, /* again */
    {{1, 4, LINK_REFUSED, 0}, {1}, 4}, {{1, 0, LINK_CLOSE, 0}, {0}, 0},
    {{1, 4, LINK_CREDIT, 0}, {1}, 4},
};

static void inject(struct arq *to, const struct message *m)
{
    struct link_header h = {.session = to->session,
                            .seq = to->expected,
                            .ack = to->next,
                            .echo = to->tx,
                            .type = LINK_DATA};
    uint8_t payload[sizeof(*m)], out[FRAMING_MAX];

    memcpy(payload, &m->header, sizeof(m->header));
    memcpy(payload + sizeof(m->header), m->body, m->n);
    arq_receive(to, out, framing_encode(&h, sizeof(h), payload, sizeof(m->header) + m->n, out),
                now);
}

static void check_bad(struct side *to, const struct message *m)
{
    struct stream s;

    set_up(8);
    steps(5);
    open_stream(&s, 1, 100, 500);
    steps(5);
    inject(&to->mux.arq, m);
    ck_assert_uint_eq(to->downs, 1);
    ck_assert_int_eq(to->why, ARQ_END_BROKEN);
    ck_assert_uint_eq(in_use(to), 0);
}

START_TEST(bad_to_ctl)
{
    check_bad(&ctl, &to_ctl_bad[_i]);
}
END_TEST

START_TEST(bad_to_bl)
{
    check_bad(&bl, &to_bl_bad[_i]);
}
END_TEST

/* One byte more than was allowed. */
START_TEST(beyond_credit)
{
    struct message m = {{0, 1, LINK_BYTES, 0}, {0}, 1};
    struct stream s;

    set_up(9);
    steps(5);
    open_stream(&s, 1, 100, 500);
    steps(20);
    ck_assert_uint_eq(ctl_ends[100].received, CREDIT);
    inject(&ctl.mux.arq, &m);
    ck_assert_int_eq(ctl.why, ARQ_END_BROKEN);
    steps(5);
    ck_assert_uint_eq(bl.downs, 1); /* it is told */
    arq_start(&bl.mux.arq, now);
    steps(5);
    open_stream(&s, 1, 100, 500);
    steps(5);
    ck_assert(s.opened);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, opens_and_closes);
    tcase_add_test(tc, closed_early);
    tcase_add_test(tc, closed_at_once);
    tcase_add_test(tc, unread);
    tcase_add_test(tc, fair);
    tcase_add_loop_test(tc, soup, 0, 6);
    tcase_add_loop_test(tc, bad_to_ctl, 0, sizeof(to_ctl_bad) / sizeof(to_ctl_bad[0]));
    tcase_add_loop_test(tc, bad_to_bl, 0, sizeof(to_bl_bad) / sizeof(to_bl_bad[0]));
    tcase_add_test(tc, beyond_credit);
}

int main(void)
{
    return check_main("mux", fill);
}
