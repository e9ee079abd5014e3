/* SPDX-License-Identifier: MIT */
/*
 * The line's two ends against a peer that sends anything: raw bytes, or frames and messages that
 * are right but for what the input says. What an owner of channels relies on must hold: never more
 * bytes than it has said it takes, nothing of a channel that is not open, nothing asked of it
 * outside of a session; and a peer that behaves gets a session again afterwards.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include "drvdom/ctl/mux.h"
#include "hyp/lib/util.h"

#define MS     1000000UL
#define CREDIT 2000U

static struct fuzz input;
static struct mux mux;
static bool session;
static uint64_t now;
static struct {
    bool open;
    uint32_t left; /* bytes that may come */
} channels[LINK_CHANNELS];

static size_t number(const struct channel *c)
{
    MUST(c >= mux.channels && c < mux.channels + LINK_CHANNELS);
    return (size_t)(c - mux.channels);
}

static void up(struct mux *m)
{
    (void)m;
    MUST(!session);
    session = true;
}

static void down(struct mux *m, enum arq_end why)
{
    (void)m;
    MUST(why <= ARQ_END_VERSION && (session || why == ARQ_END_VERSION));
    session = false;
    memset(channels, 0, sizeof(channels));
}

static int open_channel(struct channel *c, uint32_t *credit, const char **why)
{
    size_t i = number(c);

    MUST(session && !channels[i].open && mux.arq.server);
    *why = "no";
    if (c->argument & 1)
        return -5;
    channels[i].open = true;
    channels[i].left = *credit = c->argument % CREDIT;
    mux_ready(c);
    return 0;
}

static void opened(struct channel *c, int error, const char *text, size_t n)
{
    char copy[LINK_PAYLOAD_MAX];

    MUST(session && !mux.arq.server && channels[number(c)].open && error <= 0);
    MUST(n <= sizeof(copy));
    if (n)
        memcpy(copy, text, n); /* it can be read */
    channels[number(c)].open = !error;
}

static void received(struct channel *c, const uint8_t *bytes, size_t n)
{
    size_t i = number(c);

    MUST(session && channels[i].open && n && n <= channels[i].left);
    channels[i].left -= (uint32_t)n;
    if (bytes[0] & 1) {
        mux_credit(c, (uint32_t)n);
        channels[i].left += (uint32_t)n;
    }
    if (bytes[0] == 0x22) {
        channels[i].open = false;
        mux_close(c);
    }
}

static size_t send_bytes(struct channel *c, uint8_t *bytes, size_t max)
{
    MUST(session && channels[number(c)].open && max && max <= LINK_PAYLOAD_MAX);
    memset(bytes, 'x', max);
    return max;
}

static void closed(struct channel *c)
{
    MUST(session && channels[number(c)].open);
    channels[number(c)].open = false;
}

static const struct mux_owner owner = {up,       down,       open_channel, opened,
                                       received, send_bytes, closed};

static void take(void)
{
    uint8_t bytes[4096];

    for (unsigned i = 0; i < 3; i++)
        MUST(arq_take(&mux.arq, bytes, sizeof(bytes), now) <= sizeof(bytes));
}

static void give(struct link_header *h, const void *body, size_t n)
{
    uint8_t out[FRAMING_MAX];

    arq_receive(&mux.arq, out, framing_encode(h, sizeof(*h), body, n, out), now);
}

static void begin_session(void)
{
    struct link_header h = {.type = mux.arq.server ? LINK_HELLO : LINK_WELCOME};
    struct link_hello hello = {LINK_MAGIC, mux.arq.nonce + 1, LINK_VERSION, LINK_VERSION};
    struct link_welcome welcome = {LINK_MAGIC, 0, 77, LINK_VERSION, 0};

    if (mux.arq.server) {
        give(&h, &hello, sizeof(hello));
    } else {
        arq_stop(&mux.arq, ARQ_END_ASKED);
        session = false;
        arq_start(&mux.arq, now);
        welcome.nonce = mux.arq.nonce;
        give(&h, &welcome, sizeof(welcome));
    }
    MUST(session && mux.arq.state == ARQ_UP);
}

/* Some messages, nearly right. */
static size_t messages(uint8_t *payload)
{
    size_t n = 0;

    while (n < 600 && fuzz_left(&input)) {
        struct link_message h = {fuzz_byte(&input) % (LINK_CHANNELS + 1), 0, 0, 0};
        uint8_t how = fuzz_byte(&input);
        uint32_t body[3] = {how >> 6, (uint32_t)fuzz_bytes(&input, 2), 300};

        h.type = how & 7;
        h.length = h.type == LINK_OPEN    ? 12
                   : h.type == LINK_BYTES ? how
                   : h.type == LINK_CLOSE ? 0
                                          : 4;
        if (how & 8)
            h.length ^= fuzz_byte(&input);
        memcpy(payload + n, &h, sizeof(h));
        memset(payload + n + sizeof(h), how, 255);
        memcpy(payload + n + sizeof(h), body, sizeof(body));
        n += sizeof(h) + MIN(h.length, 255U);
    }
    return n;
}

static void frame(uint8_t how)
{
    uint8_t payload[LINK_PAYLOAD_MAX];
    struct link_header h = {.session = mux.arq.session,
                            .seq = mux.arq.expected,
                            .tx = (uint16_t)(mux.arq.echo + 1),
                            .ack = mux.arq.next,
                            .echo = mux.arq.tx,
                            .type = LINK_DATA};
    size_t n = messages(payload);

    if (how & 8)
        h.type = fuzz_byte(&input) % (LINK_PING + 2);
    if (how & 16)
        h.seq = (uint16_t)(h.seq + fuzz_byte(&input));
    if (how & 32)
        h.ack = (uint16_t)(h.ack - fuzz_byte(&input));
    if (how & 64)
        h.echo = (uint16_t)(h.echo - fuzz_bytes(&input, 2));
    if (how & 128)
        h.have = (uint32_t)fuzz_bytes(&input, 4);
    give(&h, payload, n);
}

static void own_side(uint8_t how)
{
    struct channel *c = &mux.channels[how >> 3 & 7];
    size_t i = number(c);

    if (!mux.arq.server && !channels[i].open) {
        c = mux_open(&mux, how & 3, how, CREDIT, NULL);
        if (c)
            channels[number(c)].open = true;
        if (c)
            channels[number(c)].left = CREDIT;
    } else if (channels[i].open) {
        channels[i].open = false;
        mux_close(c);
    }
}

static void step(void)
{
    uint8_t raw[64], how = fuzz_byte(&input);

    switch (how & 7) {
    case 0:
        for (size_t i = 0; i < sizeof(raw); i++)
            raw[i] = fuzz_left(&input) ? fuzz_byte(&input) : 0;
        arq_receive(&mux.arq, raw, sizeof(raw), now);
        break;
    case 1:
        now += (how >> 3) * 100UL * MS;
        arq_tick(&mux.arq, now);
        break;
    case 2:
        own_side(how);
        break;
    case 3:
        begin_session();
        break;
    case 4:
        take();
        break;
    default:
        frame(how);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    unsigned steps = 0;

    if (!n)
        return 0;
    input = (struct fuzz){data, data + n};
    session = false;
    now = MS;
    memset(channels, 0, sizeof(channels));
    mux_init(&mux, &owner, fuzz_byte(&input) & 1, 5000 * MS, 1);
    begin_session();
    while (fuzz_left(&input) && steps++ < 200)
        step();
    take();
    begin_session();
    return 0;
}
