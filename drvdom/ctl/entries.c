/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/entries.h"

#include "hyp/abi/bundle.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define UUID_SIZE 37 /* as text, with the terminating zero */

/* What a request gives a node: a value, or rights to it and to those that come below it. */
enum gift {
    EMPTY,
    ONE,
    NAME,
    DOMID,
    UUID,
    VM,
    MEMORY_KIB,
    MAXIMUM_KIB,
    STORE_PORT,
    STORE_PAGE,
    CONSOLE_PORT,
    CONSOLE_PAGE,
    CONSOLE_TYPE,
    READABLE, /* by the domain */
    ITS_OWN,
};

struct entry {
    const char *path; /* of /local/domain/N, or of /vm/UUID when it begins with '/' */
    enum gift gift;
};

/* In this order: a node has its rights from the one above when it is made. */
static const struct entry entries[] = {
    {"", EMPTY},
    {"", READABLE},
    {"/name", NAME},
    {"/uuid", UUID},
    {"vm", VM},
    {"name", NAME},
    {"domid", DOMID},
    {"memory/static-max", MAXIMUM_KIB},
    {"memory/target", MEMORY_KIB},
    {"device", EMPTY},
    {"control", EMPTY},
    {"control/shutdown", EMPTY},
    {"control/shutdown", ITS_OWN},
    {"control/feature-poweroff", EMPTY},
    {"control/feature-poweroff", ITS_OWN},
    {"control/feature-reboot", EMPTY},
    {"control/feature-reboot", ITS_OWN},
    {"control/feature-suspend", EMPTY},
    {"control/feature-suspend", ITS_OWN},
    {"control/feature-balloon", EMPTY},
    {"control/feature-balloon", ITS_OWN},
    {"control/sysrq", EMPTY},
    {"control/sysrq", ITS_OWN},
    {"control/platform-feature-multiprocessor-suspend", ONE},
    {"control/platform-feature-xs_reset_watches", ONE},
    {"data", EMPTY},
    {"data", ITS_OWN},
    {"drivers", EMPTY},
    {"drivers", ITS_OWN},
    {"feature", EMPTY},
    {"feature", ITS_OWN},
    {"attr", EMPTY},
    {"attr", ITS_OWN},
    {"error", EMPTY},
    {"error", ITS_OWN},
    {"store/port", STORE_PORT},
    {"store/ring-ref", STORE_PAGE},
    {"console/port", CONSOLE_PORT},
    {"console/ring-ref", CONSOLE_PAGE},
    {"console/type", CONSOLE_TYPE},
};

static void uuid_text(char text[UUID_SIZE], const uint8_t uuid[16])
{
    char *to = text;

    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        to += format(to, 3, "%02x", uuid[i]);
    }
}

/* Behind what the payload holds: text, with its zero if terminated. */
static void append(struct request *r, const char *text, bool terminated)
{
    size_t n = strlen(text), room = sizeof(r->payload) - r->len - terminated;

    n = MIN(n, room);
    memcpy(r->payload + r->len, text, n);
    r->len += (uint32_t)n;
    if (terminated)
        r->payload[r->len++] = '\0';
}

static void append_number(struct request *r, const char *fmt, uint64_t n, bool terminated)
{
    char text[64];

    format(text, sizeof(text), fmt, n);
    append(r, text, terminated);
}

static void begin(struct request *r, uint32_t type)
{
    r->type = type;
    r->len = 0;
}

/* The path of one of d's entries. */
static void begin_entry(struct request *r, uint32_t type, const struct bh_domain_info *d,
                        const char *path)
{
    char uuid[UUID_SIZE];

    begin(r, type);
    if (*path == '/') {
        uuid_text(uuid, d->uuid);
        append(r, "/vm/", false);
        append(r, uuid, false);
        append(r, path, true);
    } else {
        append_number(r, *path ? "/local/domain/%lu/" : "/local/domain/%lu", d->domid, false);
        append(r, path, true);
    }
}

static uint64_t number(const struct bh_domain_info *d, enum gift gift)
{
    switch (gift) {
    case MEMORY_KIB: /* without the pages above RAM, which no balloon can have */
        return MIN(d->memory, d->memory_max) >> 10;
    case MAXIMUM_KIB:
        return d->memory_max >> 10;
    case STORE_PORT:
        return d->store_port;
    case STORE_PAGE:
        return BUNDLE_STORE_GFN;
    case CONSOLE_PORT:
        return d->console_port;
    case CONSOLE_PAGE:
        return BUNDLE_CONSOLE_GFN;
    default:
        return d->domid;
    }
}

static void append_gift(struct request *r, const struct bh_domain_info *d, enum gift gift)
{
    char uuid[UUID_SIZE];

    uuid_text(uuid, d->uuid);
    switch (gift) {
    case EMPTY:
        break;
    case ONE:
        append(r, "1", false);
        break;
    case NAME:
        append(r, d->name, false);
        break;
    case VM:
        append(r, "/vm/", false);
        append(r, uuid, false);
        break;
    case UUID:
        append(r, uuid, false);
        break;
    case CONSOLE_TYPE:
        append(r, "xenconsoled", false);
        break;
    case READABLE:
        append(r, "n0", true);
        append_number(r, "r%lu", d->domid, true);
        break;
    case ITS_OWN:
        append_number(r, "n%lu", d->domid, true);
        break;
    default:
        append_number(r, "%lu", number(d, gift), false);
        break;
    }
}

static void give(struct request *r, const struct bh_domain_info *d, const struct entry *e)
{
    begin_entry(r, e->gift >= READABLE ? XS_SET_PERMS : XS_WRITE, d, e->path);
    append_gift(r, d, e->gift);
}

static void write_cpu(struct request *r, const struct bh_domain_info *d, unsigned cpu)
{
    char path[32];

    format(path, sizeof(path), "cpu/%u/availability", cpu);
    begin_entry(r, XS_WRITE, d, path);
    append(r, "online", false);
}

bool entries_add(const struct bh_domain_info *d, unsigned n, struct request *r)
{
    if (n >= ARRAY_SIZE(entries) + d->vcpus)
        return false;
    if (n < ARRAY_SIZE(entries))
        give(r, d, &entries[n]);
    else
        write_cpu(r, d, n - (unsigned)ARRAY_SIZE(entries));
    return true;
}

/* The node that entries_look() reads goes last: should we die in between, the rest is found again.
 */
bool entries_remove(const struct bh_domain_info *d, const char *vm, unsigned n, struct request *r)
{
    if (n > 1)
        return false;
    if (n) {
        begin_entry(r, XS_RM, d, "");
    } else {
        begin(r, XS_RM);
        append(r, vm, true);
    }
    return true;
}

bool entries_rename(const struct bh_domain_info *d, unsigned n, struct request *r)
{
    if (n > 1)
        return false;
    give(r, d, &(struct entry){n ? "/name" : "name", NAME});
    return true;
}

void entries_look(const struct bh_domain_info *d, struct request *r)
{
    begin_entry(r, XS_READ, d, "vm");
}

bool entries_are_of(const struct bh_domain_info *d, const char *vm)
{
    struct request r = {.len = 0};

    append_gift(&r, d, VM);
    return strlen(vm) == r.len && !memcmp(vm, r.payload, r.len);
}
