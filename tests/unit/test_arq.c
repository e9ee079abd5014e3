/* SPDX-License-Identifier: MIT */
/* Payloads over a line that damages them, from a peer that may be hostile. */
#include <string.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_line.h"

#define MS      1000000UL
#define SILENCE (30000 * MS)

/* Payload i has a length and bytes that follow from i. */
struct end {
    struct arq arq;
    uint32_t sent, received, limit, longest;
    unsigned ups, downs;
    enum arq_end why;
};

static struct end bl, ctl;
static struct fake_line to_ctl, to_bl;
static uint64_t now;

static void up(struct arq *a)
{
    struct end *e = (struct end *)a;

    e->ups++;
    e->sent = e->received = 0;
}

static void down(struct arq *a, enum arq_end why)
{
    struct end *e = (struct end *)a;

    e->downs++;
    e->why = why;
}

static size_t payload(uint32_t i, uint32_t longest, uint8_t *p)
{
    uint32_t n = 4 + i * 7919U % (longest - 3);

    memcpy(p, &i, 4);
    for (uint32_t k = 4; k < n; k++)
        p[k] = (uint8_t)(i * k % 5 ? i + k : 0);
    return n;
}

static size_t fill(struct arq *a, uint8_t *p)
{
    struct end *e = (struct end *)a;

    return e->sent == e->limit ? 0 : payload(e->sent++, e->longest, p);
}

static void deliver(struct arq *a, const uint8_t *p, size_t n)
{
    struct end *e = (struct end *)a;
    uint8_t want[LINK_PAYLOAD_MAX];

    if (n != payload(e->received++, e->longest, want) || memcmp(p, want, n)) /* ck_assert is slow */
        ck_abort_msg("payload %u", e->received - 1);
}

static const struct arq_user user = {up, down, fill, deliver};

static void set_up(unsigned seed, uint32_t limit, uint32_t longest)
{
    now = 1000 * MS;
    bl = (struct end){.limit = limit, .longest = longest};
    ctl = (struct end){.limit = limit, .longest = longest};
    arq_init(&bl.arq, &user, false, SILENCE, seed);
    arq_init(&ctl.arq, &user, true, SILENCE, seed + 1);
    line_init(&to_ctl, seed + 2);
    line_init(&to_bl, seed + 3);
    arq_start(&bl.arq, now);
}

/* A millisecond, in which the line carries at most n bytes each way. */
static void step(size_t n)
{
    now += MS;
    line_take(&to_ctl, &bl.arq, n, now);
    line_take(&to_bl, &ctl.arq, n, now);
    line_give(&to_ctl, &ctl.arq, n, now);
    line_give(&to_bl, &bl.arq, n, now);
    if (now >= arq_deadline(&bl.arq))
        arq_tick(&bl.arq, now);
    if (now >= arq_deadline(&ctl.arq))
        arq_tick(&ctl.arq, now);
}

static bool done(void)
{
    return bl.received == ctl.limit && ctl.received == bl.limit;
}

static void run(size_t n, unsigned most)
{
    while (!done() && most--)
        step(n);
    ck_assert(done());
}

START_TEST(checksum)
{
    uint32_t crc = crc32c(0, "123456", 6);

    /* RFC 3720, appendix B.4, has others; this is the one of the CRC catalogues. */
    ck_assert_uint_eq(crc32c(crc, "789", 3), 0xe3069283);
}
END_TEST

/* Of all lengths, with few, many and no zeros: back as they were, and no zero between the ends. */
START_TEST(frames_come_back)
{
    static struct deframer d;
    uint8_t in[LINK_FRAME_MAX], out[FRAMING_MAX];

    for (size_t n = 1; n <= LINK_FRAME_MAX - 4; n++) {
        size_t len, got = 0;
        const uint8_t *f = NULL;

        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)(_i == 0 ? 0 : _i == 1 ? 1 + i % 255 : i % 3);
        len = framing_encode(in, n / 3, in + n / 3, n - n / 3, out);
        ck_assert_uint_le(len, FRAMING_MAX);
        ck_assert(!out[0] && !out[len - 1] && !memchr(out + 1, 0, len - 2));
        for (size_t i = 0; i < len; i++) {
            if (f)
                ck_abort_msg("a frame before its end");
            f = framing_decode(&d, out[i], &got);
        }
        ck_assert(f && got == n && !memcmp(f, in, n));
    }
}
END_TEST

/* Each change of one bit is noticed, and the frame behind it is read. */
START_TEST(damage_is_noticed)
{
    static struct deframer d;
    uint8_t out[FRAMING_MAX];
    size_t got, len = framing_encode("bulkhead", 8, "", 0, out);

    for (size_t bit = 8; bit < 8 * (len - 1); bit++) {
        const uint8_t *f = NULL;

        out[bit / 8] ^= (uint8_t)(1U << bit % 8);
        for (size_t i = 0; i < len; i++)
            ck_assert(!framing_decode(&d, out[i], &got));
        out[bit / 8] ^= (uint8_t)(1U << bit % 8);
        for (size_t i = 0; i < len; i++)
            f = framing_decode(&d, out[i], &got);
        ck_assert(f && got == 8 && !memcmp(f, "bulkhead", 8));
    }
}
END_TEST

/* A line without faults: nothing is sent twice, and acknowledgements are a small part. */
START_TEST(good_line)
{
    set_up(1, 3000, LINK_PAYLOAD_MAX);
    ctl.limit = 0;
    run(2000, 100000);
    ck_assert_uint_eq(bl.arq.repeated, 0);
    ck_assert_uint_lt(to_bl.carried * 10, to_ctl.carried);
}
END_TEST

START_TEST(bad_line)
{
    unsigned seed = (unsigned)_i;

    set_up(seed * 10, 2000, seed % 2 ? LINK_PAYLOAD_MAX : 100);
    to_ctl.lose = to_bl.change = seed % 3 * 300;
    to_ctl.change = to_bl.lose = seed % 5 * 100;
    to_ctl.add = to_bl.add = seed % 7 * 50;
    to_ctl.burst = to_bl.burst = seed % 4 * 20;
    run(200 + seed * 100, 3000000);
    ck_assert_uint_eq(bl.ups + ctl.ups, 2);
    ck_assert_uint_eq(bl.downs + ctl.downs, 0);
}
END_TEST

/* More payloads than there are numbers. */
START_TEST(numbers_wrap)
{
    set_up(5, 150000, 8);
    to_ctl.lose = to_bl.lose = 500;
    run(4000, 3000000);
    ck_assert_uint_eq(bl.ups + ctl.ups, 2);
    ck_assert_uint_gt(bl.arq.repeated, 100);
}
END_TEST

/* Frames behind a lost one tell of it: time stands still. */
START_TEST(gap_needs_no_timer)
{
    set_up(7, 0, LINK_PAYLOAD_MAX);
    for (unsigned i = 0; i < 10; i++)
        step(LINE_BYTES);
    ck_assert_uint_eq(bl.ups, 1);
    bl.limit = 100;
    line_take(&to_ctl, &bl.arq, 5000, now);
    memset(to_ctl.bytes + 1500, 0, 100);
    for (unsigned i = 0; i < 50 && !done(); i++) {
        line_give(&to_ctl, &ctl.arq, LINE_BYTES, now);
        line_take(&to_bl, &ctl.arq, LINE_BYTES, now);
        line_give(&to_bl, &bl.arq, LINE_BYTES, now);
        line_take(&to_ctl, &bl.arq, LINE_BYTES, now);
    }
    ck_assert(done());
    ck_assert_uint_ge(bl.arq.repeated, 1);
    ck_assert_uint_le(bl.arq.repeated, 2);
}
END_TEST

/* The other side begins anew: this one learns it from the first frame, and what was on its way is
 * not mixed with what comes. */
START_TEST(ctl_starts_again)
{
    set_up(9, 1000, 500);
    for (unsigned i = 0; i < 100; i++)
        step(500);
    ck_assert_uint_gt(ctl.received, 10);
    ck_assert(!done());
    arq_init(&ctl.arq, &user, true, SILENCE, 77);
    for (unsigned i = 0; i < 1000 && !bl.downs; i++)
        step(500);
    ck_assert_uint_eq(bl.downs, 1);
    ck_assert_int_eq(bl.why, ARQ_END_RESET);
    arq_start(&bl.arq, now);
    run(500, 100000);
    ck_assert_uint_eq(bl.ups, 2);
    ck_assert_uint_eq(ctl.ups, 2);
}
END_TEST

START_TEST(bl_starts_again)
{
    set_up(11, 1000, 500);
    for (unsigned i = 0; i < 100; i++)
        step(500);
    arq_init(&bl.arq, &user, false, SILENCE, 78);
    arq_start(&bl.arq, now);
    run(500, 100000);
    ck_assert_uint_eq(ctl.downs, 1);
    ck_assert_int_eq(ctl.why, ARQ_END_RESET);
    ck_assert_uint_eq(ctl.ups, 2);
    arq_stop(&bl.arq, ARQ_END_ASKED);
    step(500);
    ck_assert_int_eq(ctl.arq.state, ARQ_DOWN);
    ck_assert_int_eq(ctl.why, ARQ_END_ASKED);
}
END_TEST

START_TEST(line_is_cut)
{
    set_up(13, 10, 500);
    run(500, 1000);
    for (unsigned i = 0; i < 2 * SILENCE / MS; i++)
        step(500);
    ck_assert_uint_eq(bl.downs + ctl.downs, 0); /* idle, but there */
    to_bl.cut = to_ctl.cut = true;
    for (unsigned i = 0; i < 2 * SILENCE / MS; i++)
        step(500);
    ck_assert_int_eq(bl.why, ARQ_END_SILENT);
    ck_assert_uint_eq(bl.downs, 1);
    ck_assert_int_eq(ctl.arq.state, ARQ_UP); /* its clock alone proves nothing */
    arq_receive(&ctl.arq, (const uint8_t *)"\r", 1, now);
    ck_assert_int_eq(ctl.why, ARQ_END_SILENT);
    ck_assert_uint_eq(ctl.downs, 1);
    to_bl.cut = to_ctl.cut = false;
    arq_start(&bl.arq, now);
    run(500, 1000);
}
END_TEST

/* A frame of a given header and body, to one end. */
static void inject(struct arq *to, const struct link_header *h, const void *body, size_t n)
{
    uint8_t out[FRAMING_MAX];

    arq_receive(to, out, framing_encode(h, sizeof(*h), body, n, out), now);
}

static void expect(struct arq *from, uint8_t type, struct link_header *h, void *body, size_t n)
{
    static struct deframer d;
    const uint8_t *f = NULL;
    uint8_t byte;
    size_t got = 0;

    while (!f && arq_take(from, &byte, 1, now))
        f = framing_decode(&d, byte, &got);
    ck_assert(f && got == sizeof(*h) + n);
    memcpy(h, f, sizeof(*h));
    ck_assert_uint_eq(h->type, type);
    memcpy(body, f + sizeof(*h), n);
}

START_TEST(versions)
{
    struct link_header h = {.type = LINK_HELLO};
    struct link_hello hello = {LINK_MAGIC, 4711, LINK_VERSION + 1, LINK_VERSION + 3};
    struct link_refuse refuse;
    struct link_welcome welcome;

    set_up(15, 0, 100);
    inject(&ctl.arq, &h, &hello, sizeof(hello));
    expect(&ctl.arq, LINK_REFUSE, &h, &refuse, sizeof(refuse));
    ck_assert_uint_eq(refuse.nonce, 4711);
    ck_assert_uint_eq(refuse.newest, LINK_VERSION);
    ck_assert_int_eq(ctl.arq.state, ARQ_DOWN);

    hello.oldest = LINK_VERSION;
    h.type = LINK_HELLO;
    inject(&ctl.arq, &h, &hello, sizeof(hello));
    expect(&ctl.arq, LINK_WELCOME, &h, &welcome, sizeof(welcome));
    ck_assert_uint_eq(welcome.version, LINK_VERSION);

    inject(&bl.arq, &h, &welcome, sizeof(welcome)); /* of another nonce */
    ck_assert_int_eq(bl.arq.state, ARQ_HELLO);
    expect(&bl.arq, LINK_HELLO, &h, &hello, sizeof(hello));
    refuse = (struct link_refuse){LINK_MAGIC, hello.nonce, 7, 9};
    h.type = LINK_REFUSE;
    inject(&bl.arq, &h, &refuse, sizeof(refuse));
    ck_assert_int_eq(bl.why, ARQ_END_VERSION);
    ck_assert_uint_eq(bl.arq.refused.newest, 9);
}
END_TEST

/* HELLO that comes twice begins one session. */
START_TEST(hello_twice)
{
    struct link_header h = {.type = LINK_HELLO};
    struct link_hello hello = {LINK_MAGIC, 1, LINK_VERSION, LINK_VERSION};
    struct link_welcome first, second;

    set_up(16, 0, 100);
    inject(&ctl.arq, &h, &hello, sizeof(hello));
    expect(&ctl.arq, LINK_WELCOME, &h, &first, sizeof(first));
    h.type = LINK_HELLO;
    inject(&ctl.arq, &h, &hello, sizeof(hello));
    expect(&ctl.arq, LINK_WELCOME, &h, &second, sizeof(second));
    ck_assert_uint_eq(first.session, second.session);
    ck_assert_uint_eq(ctl.ups, 1);
    hello.nonce++;
    h.type = LINK_HELLO;
    inject(&ctl.arq, &h, &hello, sizeof(hello));
    expect(&ctl.arq, LINK_WELCOME, &h, &second, sizeof(second));
    ck_assert_uint_ne(first.session, second.session);
    ck_assert_uint_eq(ctl.ups, 2);
}
END_TEST

/* Acknowledgements of what was never sent, and payloads from nowhere. */
START_TEST(impossible_numbers)
{
    struct link_header h = {.type = LINK_ACK};
    uint8_t p[LINK_PAYLOAD_MAX];

    set_up(17, 0, 100);
    for (unsigned i = 0; i < 10; i++)
        step(500);
    ctl.limit = 5;
    to_bl.cut = true;
    for (unsigned i = 0; i < 10; i++)
        step(1000);
    h.session = ctl.arq.session;
    h.ack = 6;
    inject(&ctl.arq, &h, NULL, 0);
    ck_assert_uint_eq(ctl.arq.base, 0);
    h.ack = 5;
    h.echo = (uint16_t)(ctl.arq.tx + 1);
    inject(&ctl.arq, &h, NULL, 0);
    ck_assert_uint_eq(ctl.arq.base, 0);
    h.echo = ctl.arq.tx;
    h.session++;
    inject(&ctl.arq, &h, NULL, 0);
    ck_assert_uint_eq(ctl.arq.base, 0);
    h.session--;
    inject(&ctl.arq, &h, NULL, 0);
    ck_assert_uint_eq(ctl.arq.base, 5);

    h.type = LINK_DATA;
    for (unsigned seq = LINK_WINDOW; seq < 0x10000; seq += 999) {
        h.seq = (uint16_t)seq;
        inject(&ctl.arq, &h, p, payload(0, 100, p));
    }
    ck_assert_uint_eq(ctl.received, 0);
    h.seq = 0;
    inject(&ctl.arq, &h, p, 0);
    ck_assert_uint_eq(ctl.received, 0);
    inject(&ctl.arq, &h, p, payload(0, 100, p));
    inject(&ctl.arq, &h, p, payload(0, 100, p));
    ck_assert_uint_eq(ctl.received, 1);
}
END_TEST

static void type(const char *keys, size_t n)
{
    arq_receive(&ctl.arq, (const uint8_t *)keys, n, now);
}

/* A terminal without frames on the same line. */
START_TEST(in_frame)
{
    uint8_t byte;

    set_up(19, 0, 100);
    ck_assert_uint_eq(arq_take(&ctl.arq, &byte, 1, now), 0);
    ck_assert(arq_in_frame(&ctl.arq, now));
    now += 1000 * MS;
    ck_assert(!arq_in_frame(&ctl.arq, now));
    type("ls -l\r", 6);
    ck_assert(!arq_in_frame(&ctl.arq, now));
    type("\0", 1);
    ck_assert(arq_in_frame(&ctl.arq, now));
    type("x\0", 2);
    ck_assert(!arq_in_frame(&ctl.arq, now));
    for (unsigned i = 0; i < 10; i++)
        step(500);
    ck_assert_int_eq(ctl.arq.state, ARQ_UP);
    ck_assert(!arq_in_frame(&ctl.arq, now));
    type("\0", 1);
    for (unsigned i = 0; i < FRAMING_MAX + 1; i++) /* that was no frame's beginning */
        type("x", 1);
    ck_assert(!arq_in_frame(&ctl.arq, now));
}
END_TEST

/* The rest of a frame, for who has just started, is nothing that was typed. */
START_TEST(in_the_middle_of_a_frame)
{
    uint8_t byte;

    set_up(20, 0, 100);
    ck_assert_uint_eq(arq_take(&ctl.arq, &byte, 1, now), 0);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert(arq_in_frame(&ctl.arq, now));
        type("rest", 4);
        now += MS;
    }
    type("\0", 1);
    ck_assert(!arq_in_frame(&ctl.arq, now));
    type("ls", 2);
    ck_assert(!arq_in_frame(&ctl.arq, now));
}
END_TEST

/* Who has sent half a frame has gone, and somebody types: in a session, and when there is none. */
START_TEST(half_a_frame)
{
    set_up(21, 10, 100);
    run(500, 100);
    arq_stop(&bl.arq, ARQ_END_ASKED);
    line_take(&to_ctl, &bl.arq, 16, now); /* of BYE */
    line_give(&to_ctl, &ctl.arq, 16, now);
    now += SILENCE - 1;
    type("\r", 1);
    ck_assert(arq_in_frame(&ctl.arq, now));
    ck_assert_int_eq(ctl.arq.state, ARQ_UP);
    now++;
    type("\r", 1);
    ck_assert_int_eq(ctl.why, ARQ_END_SILENT);
    ck_assert(!arq_in_frame(&ctl.arq, now));
    type("\0x", 2);
    ck_assert(arq_in_frame(&ctl.arq, now));
    now += SILENCE;
    ck_assert(!arq_in_frame(&ctl.arq, now));
}
END_TEST

static void fill_case(TCase *tc)
{
    tcase_add_test(tc, checksum);
    tcase_add_loop_test(tc, frames_come_back, 0, 3);
    tcase_add_test(tc, damage_is_noticed);
    tcase_add_test(tc, good_line);
    tcase_add_loop_test(tc, bad_line, 0, 24);
    tcase_add_test(tc, numbers_wrap);
    tcase_add_test(tc, gap_needs_no_timer);
    tcase_add_test(tc, ctl_starts_again);
    tcase_add_test(tc, bl_starts_again);
    tcase_add_test(tc, line_is_cut);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, hello_twice);
    tcase_add_test(tc, impossible_numbers);
    tcase_add_test(tc, in_frame);
    tcase_add_test(tc, in_the_middle_of_a_frame);
    tcase_add_test(tc, half_a_frame);
}

int main(void)
{
    return check_main("arq", fill_case);
}
