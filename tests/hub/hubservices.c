/* SPDX-License-Identifier: MIT */
#include "tests/hub/hubservices.h"

#include <stdlib.h>
#include <string.h>
#include "drvdom/ctl/framing.h"
#include "hyp/abi/link.h"
#include "tests/hub/carrier.h"

struct service {
    uint32_t kind;
    void *channel;
    size_t n;
    uint8_t in[sizeof(struct bh_request) + BH_REQUEST_BUFFER];
};

static unsigned channels;

static void flood(void *channel)
{
    uint8_t *bytes = malloc(FLOOD_BYTES);

    for (uint32_t i = 0; i < FLOOD_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    channel_send(channel, bytes, FLOOD_BYTES);
    free(bytes);
}

struct service *service_open(uint32_t kind, uint32_t argument, void *channel)
{
    struct service *s;

    if (kind == LINK_SERVICE_CONSOLE && (argument == NOBODY || argument == CARRIER_RUDE))
        return NULL;
    s = calloc(1, sizeof(*s));
    s->kind = kind;
    s->channel = channel;
    channels++;
    if (kind == LINK_SERVICE_CONSOLE && argument == FLOOD)
        flood(channel);
    if (kind == LINK_SERVICE_CONSOLE && argument == FAREWELL) {
        channel_send(channel, "bye", 3);
        channel_end(channel);
    }
    return s;
}

void service_close(struct service *s)
{
    channels--;
    free(s);
}

static void answer(struct service *s, const struct bh_request *r)
{
    struct bh_answer a = {.id = r->id, .args = r->args};
    uint32_t n = r->size - (uint32_t)sizeof(*r), wanted = r->reply_max < n ? r->reply_max : n;
    uint8_t *bytes = s->in + sizeof(*r);

    a.args.b = crc32c(0, bytes, n);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)~bytes[i];
    if (r->command == SAY_ERROR)
        a.error = (int32_t)r->args.a;
    if (r->command == SAY_OTHER_ID)
        a.id++;
    if (r->command == SAY_TOO_MUCH)
        wanted = n;
    if (r->command == COUNT)
        a.args.a = channels;
    a.args.size = wanted;
    a.size = (uint32_t)sizeof(a) + wanted;
    channel_send(s->channel, &a, sizeof(a));
    channel_send(s->channel, bytes, wanted);
}

void service_input(struct service *s, const uint8_t *p, size_t n)
{
    struct bh_request r;

    if (s->kind == LINK_SERVICE_STORE)
        channel_send(s->channel, p, n);
    if (s->kind != LINK_SERVICE_CONTROL)
        return;
    memcpy(s->in + s->n, p, n); /* one request at a time is all that the clients send */
    s->n += n;
    if (s->n < sizeof(r))
        return;
    memcpy(&r, s->in, sizeof(r));
    if (s->n < r.size)
        return;
    s->n = 0;
    answer(s, &r);
}
