/* SPDX-License-Identifier: MIT */
#include "xs/perms.h"

#include "hyp/lib/format.h"
#include "xs/kinds.h"
#include "xs/wire.h"

unsigned perms_of(const struct perms *p, uint64_t generation, const struct identity *who)
{
    uint32_t owner = p->entry[0].domid;

    if (who->privileged || owner == who->domid || (who->has_target && owner == who->target))
        return PERM_READ | PERM_WRITE | PERM_OWNER;
    for (uint32_t i = 1; i < p->n; i++) {
        const struct perm *e = &p->entry[i];

        if (e->bits & PERM_IGNORE)
            continue;
        if ((e->domid == who->domid && who->born <= generation) ||
            (who->has_target && e->domid == who->target && who->target_born <= generation))
            return e->bits;
    }
    return p->entry[0].bits & (PERM_READ | PERM_WRITE);
}

struct perms *perms_new(struct vault *v, uint32_t n)
{
    struct perms *p = vault_new(v, KIND_PERMS, 0, offsetof(struct perms, entry),
                                n * (uint32_t)sizeof(struct perm));

    if (p)
        p->n = n;
    return p;
}

static bool letter(char c, uint32_t *bits)
{
    switch (c) {
    case 'r':
        *bits = PERM_READ;
        return true;
    case 'w':
        *bits = PERM_WRITE;
        return true;
    case 'b':
        *bits = PERM_READ | PERM_WRITE;
        return true;
    case 'n':
        *bits = PERM_NONE;
        return true;
    default:
        return false;
    }
}

struct perms *perms_parse(struct vault *v, const char *text, uint32_t n, int *error)
{
    struct perms *p = perms_new(v, n);

    *error = XEN_ENOMEM;
    if (!p)
        return NULL;
    *error = XEN_EINVAL;
    for (uint32_t i = 0; i < n; i++) {
        const char *end;

        if (!letter(*text, &p->entry[i].bits))
            return NULL;
        p->entry[i].domid = (uint32_t)wire_number(text + 1, 0, &end);
        if (*end || !text[1])
            return NULL;
        text = end + 1;
    }
    return p;
}

uint32_t perms_format(const struct perms *p, uint32_t i, char text[PERMS_TEXT_MAX + 1])
{
    unsigned bits = p->entry[i].bits & (PERM_READ | PERM_WRITE);

    return (uint32_t)format(text, PERMS_TEXT_MAX + 1, "%c%i", "nrwb"[bits],
                            (int)p -> entry[i].domid) +
           1;
}
