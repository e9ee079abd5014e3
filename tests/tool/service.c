/* SPDX-License-Identifier: MIT */
#include "tests/hub/carrier.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/io/xs_wire.h>
#include "drvdom/ctl/pages.h"
#include "hyp/abi/link.h"
#include "tests/tool/fakestore.h"
#include "tests/tool/model.h"

#define INPUT (2 * MODEL_BUFFER)

struct service {
    struct service *next;
    uint32_t kind, argument;
    void *channel;
    size_t used;
    uint8_t in[INPUT];
};

static struct service *services;

struct service *service_open(uint32_t kind, uint32_t argument, void *channel)
{
    struct model_domain *d = model_find(argument);
    struct service *s;
    char text[128];

    if (kind > LINK_SERVICE_EVENTS || (kind == LINK_SERVICE_CONSOLE && !d))
        return NULL;
    s = calloc(1, sizeof(*s));
    *s = (struct service){services, kind, argument, channel, 0, {0}};
    services = s;
    if (kind == LINK_SERVICE_CONSOLE)
        channel_send(channel, text,
                     (size_t)snprintf(text, sizeof(text), "%s login: ", d->info.name));
    return s;
}

void service_close(struct service *s)
{
    struct service **at = &services;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (s->kind == LINK_SERVICE_CONTROL)
        model_session_ended(s);
    free(s);
}

/* Each line that reads "exit" is the end of the domain, all else comes back. */
static void console(struct service *s, const uint8_t *p, size_t n)
{
    struct model_domain *d = model_find(s->argument);

    channel_send(s->channel, p, n);
    for (size_t i = 0; i < n && s->used < sizeof(s->in); i++) {
        s->in[s->used++] = p[i];
        if (p[i] != '\r' && p[i] != '\n')
            continue;
        if (d && s->used == 5 && !memcmp(s->in, "exit", 4))
            model_end(d, 0);
        s->used = 0;
    }
}

static uint32_t about(uint8_t *out)
{
    struct bh_about a = {
        .version = LINK_VERSION, .channels = 1, .domid = 1, .store = 2, .memory_free = 3 << 20};

    memcpy(out, &a, sizeof(a));
    return sizeof(a);
}

static long read_memory(struct bh_control *page)
{
    return model_control(NULL, BH_CONTROL_read_memory, page, NULL, (uint8_t *)page->buffer);
}

static void answer(struct service *s, const struct bh_request *r)
{
    static uint8_t in[MODEL_BUFFER], out[MODEL_BUFFER];
    struct bh_answer a = {.id = r->id, .args = r->args};
    uint32_t n = r->size - (uint32_t)sizeof(*r), command = r->command & ~BH_REQUEST_LZ4;
    const char *data = (const char *)(r + 1);
    const struct model_domain *d = model_find(r->args.domid);

    memset(in, 0, sizeof(in));
    if (n > sizeof(in))
        a.error = -XEN_EINVAL;
    else if (r->command & BH_REQUEST_LZ4 && d && !strcmp(d->info.name, "plain"))
        a.error = -XEN_ENOSYS;
    else if (r->command & BH_REQUEST_LZ4)
        a.error = LZ4_decompress_safe(data, (char *)in, (int)n, sizeof(in)) == (int)r->args.size
                      ? 0
                      : -XEN_EINVAL;
    else
        memcpy(in, data, n);
    if (!a.error && command == BH_CTL_ABOUT) {
        a.args.size = about(out);
    } else if (!a.error && command == BH_CTL_READ_MEMORY) {
        a.args.buffer = (uint64_t)out;
        a.args.size = r->reply_max < sizeof(out) ? r->reply_max : sizeof(out);
        a.error = (int32_t)pages_read(&a.args, read_memory);
    } else if (!a.error) {
        a.error = model_control(s, command, &a.args, in, out);
    }
    n = r->reply_max && !a.error ? (uint32_t)a.args.size : 0;
    a.size = (uint32_t)sizeof(a) + n;
    channel_send(s->channel, &a, sizeof(a));
    channel_send(s->channel, out, n);
}

/* The bytes of the first whole message, or 0. */
static size_t whole(const struct service *s)
{
    const struct bh_request *r = (const void *)s->in;
    const struct xsd_sockmsg *m = (const void *)s->in;
    size_t n;

    if (s->used < (s->kind == LINK_SERVICE_CONTROL ? sizeof(*r) : sizeof(*m)))
        return 0;
    n = s->kind == LINK_SERVICE_CONTROL ? r->size : sizeof(*m) + m->len;
    return n <= s->used ? n : 0;
}

static void message(struct service *s)
{
    static uint8_t out[FAKESTORE_MAX];

    if (s->kind == LINK_SERVICE_CONTROL)
        answer(s, (const void *)s->in);
    else
        channel_send(s->channel, out, fakestore_request(s->in, out));
}

void service_input(struct service *s, const uint8_t *p, size_t n)
{
    size_t size;

    if (s->kind == LINK_SERVICE_CONSOLE) {
        console(s, p, n);
        return;
    }
    while (n) {
        size_t take = n < sizeof(s->in) - s->used ? n : sizeof(s->in) - s->used;

        memcpy(s->in + s->used, p, take);
        s->used += take;
        p += take;
        n -= take;
        while ((size = whole(s))) {
            message(s);
            s->used -= size;
            memmove(s->in, s->in + size, s->used);
        }
    }
}

void model_changed(uint32_t domid)
{
    const struct model_domain *d = model_find(domid);
    struct bh_event e = {.type = BH_EVENT_GONE, .domid = domid, .time = 1500000000};

    if (d) {
        e.type = BH_EVENT_CHANGED;
        e.state = d->info.state;
        e.flags = d->info.flags;
        e.shutdown_reason = d->info.shutdown_reason;
        memcpy(e.name, d->info.name, sizeof(e.name));
    }
    for (struct service *s = services; s; s = s->next) {
        if (s->kind == LINK_SERVICE_EVENTS)
            channel_send(s->channel, &e, sizeof(e));
        if (s->kind == LINK_SERVICE_CONSOLE && s->argument == domid && !d)
            channel_end(s->channel);
    }
}
