/* SPDX-License-Identifier: MIT */
/* Requests for nodes. */
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"
#include "xs/conn.h"
#include "xs/request.h"
#include "xs/view.h"
#include "xs/watches.h"
#include "xs/wire.h"

/* The node that the only string of the request names. */
static int named(struct request *r, unsigned need, struct path *p, const struct node **n)
{
    int error;

    if (!wire_is_string(r->payload, r->len))
        return XEN_EINVAL;
    error = view_path(r, r->payload, p);
    return error ? error : view_get(r, p, need, n);
}

int request_directory(struct request *r)
{
    const struct node *n;
    const char *names;
    struct path p;
    uint32_t len;
    int error = named(r, PERM_READ, &p, &n);

    if (error)
        return error;
    names = node_names(&r->s->vault, n, &len);
    return request_reply(r, XS_DIRECTORY, names, len);
}

/* How many bytes of whole names from here on fit into most bytes. */
static uint32_t whole_names(const char *names, uint32_t len, uint32_t most)
{
    uint32_t n = 0;

    while (n < len) {
        uint32_t name = (uint32_t)strlen(names + n);

        if (n + name >= most)
            break;
        n += name + 1;
    }
    return n;
}

int request_directory_part(struct request *r)
{
    char *reply = r->s->reply;
    const struct node *n;
    const char *names;
    struct path p;
    uint32_t start, len, part, at;
    int error;

    if (wire_strings(r->payload, r->len) != 2)
        return XEN_EINVAL;
    error = view_path(r, r->payload, &p);
    if (!error)
        error = view_get(r, &p, PERM_READ, &n);
    if (error)
        return error;
    names = node_names(&r->s->vault, n, &len);
    start = (uint32_t)wire_number(r->payload + strlen(r->payload) + 1, 10, NULL);
    at =
        (uint32_t)format(reply, sizeof(r->s->reply), "%llu", (unsigned long long)n->generation) + 1;
    start = MIN(start, len);
    part = whole_names(names + start, len - start, XENSTORE_PAYLOAD_MAX - at - 1);
    memcpy(reply + at, names + start, part);
    at += part;
    if (start + part == len)
        reply[at++] = '\0'; /* an empty name after the last */
    return request_reply(r, XS_DIRECTORY_PART, reply, at);
}

int request_read(struct request *r)
{
    const struct node *n;
    struct path p;
    int error = named(r, PERM_READ, &p, &n);

    return error ? error : request_reply(r, XS_READ, node_data(n), n->data_len);
}

int request_write(struct request *r)
{
    uint32_t name_len = (uint32_t)strnlen(r->payload, r->len);
    const char *data = r->payload + name_len + 1;
    uint32_t len = r->len - name_len - 1;
    const struct node *n;
    struct path p;
    int error;

    if (name_len == r->len)
        return XEN_EINVAL;
    error = view_path(r, r->payload, &p);
    if (!error)
        error = view_get(r, &p, PERM_WRITE, &n);
    if (error == XEN_ENOENT)
        error = view_create(r, &p, data, len, &n);
    else if (!error)
        error = view_change(r, &p, n, 0, data, len, &n);
    if (!error)
        error = view_fire(r, &p, false, n, NULL);
    return error ? error : request_ack(r, XS_WRITE);
}

int request_mkdir(struct request *r)
{
    const struct node *n;
    struct path p;
    int error = named(r, PERM_WRITE, &p, &n);

    if (error == XEN_ENOENT) {
        error = view_create(r, &p, "", 0, &n);
        if (!error)
            error = view_fire(r, &p, false, n, NULL);
    }
    return error ? error : request_ack(r, XS_MKDIR);
}

int request_rm(struct request *r)
{
    const struct node *n;
    struct path p;
    int error = named(r, PERM_WRITE, &p, &n);

    if (error == XEN_ENOENT) {
        struct path up = path_parent(&r->s->vault, &p);

        error = view_read(r, &up, &n);
    } else if (!error) {
        error = p.len == 1 ? XEN_EINVAL : view_remove(r, &p);
    }
    return error ? error : request_ack(r, XS_RM);
}

int request_get_perms(struct request *r)
{
    const struct perms *perms;
    const struct node *n;
    struct path p;
    uint32_t len = 0;
    int error = named(r, PERM_READ, &p, &n);

    if (error)
        return error;
    perms = node_perms(&r->s->vault, n);
    for (uint32_t i = 0; i < perms->n; i++) {
        char text[PERMS_TEXT_MAX + 1];
        uint32_t more = perms_format(perms, i, text);

        if (len + more > XENSTORE_PAYLOAD_MAX)
            return XEN_E2BIG;
        memcpy(r->s->reply + len, text, more);
        len += more;
    }
    return request_reply(r, XS_GET_PERMS, r->s->reply, len);
}

/* --- SET_PERMS --- */

/* An entry for a domain that does not exist never counts; a privileged connection may name one that
 * the store has not heard of. */
static int know_domains(struct request *r, struct perms *p)
{
    struct store *s = r->s;

    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t domid = p->entry[i].domid;

        if (tenant_find(s, domid))
            continue;
        if (!r->who.privileged || domid >= DOMID_SELF_NUMBER || !s->ops->exists(s->context, domid))
            p->entry[i].bits |= PERM_IGNORE;
        else if (!tenant_new(s, domid))
            return XEN_ENOMEM;
    }
    return p->entry[0].bits & PERM_IGNORE ? XEN_ENOENT : 0;
}

/* The permissions of @introduceDomain and @releaseDomain. */
static int set_special(struct request *r, const struct perms *p)
{
    struct state *state = r->s->state;
    bool release = strcmp(r->payload, WATCH_RELEASE) == 0;
    uint32_t *place = release ? &state->live.release_perms : &state->live.introduce_perms;
    const unsigned need = PERM_WRITE | PERM_OWNER;

    if (!release && strcmp(r->payload, WATCH_INTRODUCE) != 0)
        return XEN_EINVAL;
    if ((perms_of(vault_at(&r->s->vault, *place), NO_GENERATION, &r->who) & need) != need)
        return XEN_EACCES;
    vault_touch(&r->s->vault, state);
    *place = vault_ref(&r->s->vault, p);
    return request_ack(r, XS_SET_PERMS);
}

/* Another owner has one node more, the old one has one less. */
static int change_owner(struct request *r, const struct node *old, const struct node *n)
{
    int error = view_count(r, old, -1);

    return error ? error : view_count(r, n, 1);
}

static int set_node(struct request *r, const struct perms *perms)
{
    const struct node *old, *n;
    struct path p;
    int error = view_path(r, r->payload, &p);

    if (!error)
        error = view_get(r, &p, PERM_WRITE | PERM_OWNER, &old);
    if (error)
        return error;
    if (!r->who.privileged &&
        perms->entry[0].domid != node_perms(&r->s->vault, old)->entry[0].domid)
        return XEN_EPERM;
    error =
        view_change(r, &p, old, vault_ref(&r->s->vault, perms), node_data(old), old->data_len, &n);
    if (!error)
        error = change_owner(r, old, n);
    if (!error)
        error = view_fire(r, &p, false, n, old);
    return error ? error : request_ack(r, XS_SET_PERMS);
}

int request_set_perms(struct request *r)
{
    unsigned n = wire_strings(r->payload, r->len);
    struct perms *perms;
    int error;

    if (n < 2)
        return XEN_EINVAL;
    if (!r->who.privileged && n - 1 > r->s->state->live.quota[QUOTA_PERMISSIONS])
        return XEN_ENOSPC;
    perms = perms_parse(&r->s->vault, r->payload + strlen(r->payload) + 1, n - 1, &error);
    if (!perms)
        return error;
    error = know_domains(r, perms);
    if (error)
        return error;
    return r->payload[0] == '@' ? set_special(r, perms) : set_node(r, perms);
}
