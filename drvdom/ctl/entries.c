/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/entries.h"

#include "hyp/abi/bundle.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define UUID_SIZE 37 /* as text, with the terminating zero */

enum value {
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
};

enum rights { AS_ABOVE, READS, OWNS }; /* what the domain may do with the node and those below */

struct entry {
    const char *path; /* of /local/domain/N, or of /vm/UUID when it begins with '/' */
    enum value value;
    enum rights rights;
};

static const struct entry entries[] = {
    {"", EMPTY, READS},
    {"/name", NAME, AS_ABOVE},
    {"/uuid", UUID, AS_ABOVE},
    {"vm", VM, AS_ABOVE},
    {"name", NAME, AS_ABOVE},
    {"domid", DOMID, AS_ABOVE},
    {"memory/static-max", MAXIMUM_KIB, AS_ABOVE},
    {"memory/target", MEMORY_KIB, AS_ABOVE},
    {"device", EMPTY, AS_ABOVE},
    {"control", EMPTY, AS_ABOVE},
    {"control/shutdown", EMPTY, OWNS},
    {"control/feature-poweroff", EMPTY, OWNS},
    {"control/feature-reboot", EMPTY, OWNS},
    {"control/feature-suspend", EMPTY, OWNS},
    {"control/feature-balloon", EMPTY, OWNS},
    {"control/sysrq", EMPTY, OWNS},
    {"control/platform-feature-multiprocessor-suspend", ONE, AS_ABOVE},
    {"control/platform-feature-xs_reset_watches", ONE, AS_ABOVE},
    {"data", EMPTY, OWNS},
    {"drivers", EMPTY, OWNS},
    {"feature", EMPTY, OWNS},
    {"attr", EMPTY, OWNS},
    {"error", EMPTY, OWNS},
    {"store/port", STORE_PORT, AS_ABOVE},
    {"store/ring-ref", STORE_PAGE, AS_ABOVE},
    {"console/port", CONSOLE_PORT, AS_ABOVE},
    {"console/ring-ref", CONSOLE_PAGE, AS_ABOVE},
    {"console/type", CONSOLE_TYPE, AS_ABOVE},
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
        append(r, path[1] ? path : "", true);
    } else {
        append_number(r, *path ? "/local/domain/%lu/" : "/local/domain/%lu", d->domid, false);
        append(r, path, true);
    }
}

static void append_value(struct request *r, const struct bh_domain_info *d, enum value value)
{
    char uuid[UUID_SIZE];

    uuid_text(uuid, d->uuid);
    switch (value) {
    case EMPTY:
        break;
    case ONE:
        append(r, "1", false);
        break;
    case NAME:
        append(r, d->name, false);
        break;
    case DOMID:
        append_number(r, "%lu", d->domid, false);
        break;
    case VM:
        append(r, "/vm/", false);
        append(r, uuid, false);
        break;
    case UUID:
        append(r, uuid, false);
        break;
    case MEMORY_KIB: /* without the pages above RAM, which no balloon can have */
        append_number(r, "%lu", MIN(d->memory, d->memory_max) >> 10, false);
        break;
    case MAXIMUM_KIB:
        append_number(r, "%lu", d->memory_max >> 10, false);
        break;
    case STORE_PORT:
        append_number(r, "%lu", d->store_port, false);
        break;
    case STORE_PAGE:
        append_number(r, "%lu", BUNDLE_STORE_GFN, false);
        break;
    case CONSOLE_PORT:
        append_number(r, "%lu", d->console_port, false);
        break;
    case CONSOLE_PAGE:
        append_number(r, "%lu", BUNDLE_CONSOLE_GFN, false);
        break;
    case CONSOLE_TYPE:
    default:
        append(r, "xenconsoled", false);
        break;
    }
}

static void set_rights(struct request *r, const struct bh_domain_info *d, const struct entry *e)
{
    begin_entry(r, XS_SET_PERMS, d, e->path);
    if (e->rights == READS)
        append(r, "n0", true);
    append_number(r, e->rights == READS ? "r%lu" : "n%lu", d->domid, true);
}

static void write_entry(struct request *r, const struct bh_domain_info *d, const struct entry *e)
{
    begin_entry(r, XS_WRITE, d, e->path);
    append_value(r, d, e->value);
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
    for (const struct entry *e = entries; e < entries + ARRAY_SIZE(entries); e++) {
        if (!n--) {
            write_entry(r, d, e);
            return true;
        }
        if (e->rights != AS_ABOVE && !n--) {
            set_rights(r, d, e);
            return true;
        }
    }
    if (n >= d->vcpus)
        return false;
    write_cpu(r, d, n);
    return true;
}

bool entries_remove(const struct bh_domain_info *d, unsigned n, struct request *r)
{
    if (n > 1)
        return false;
    begin_entry(r, XS_RM, d, n ? "/" : "");
    return true;
}

bool entries_rename(const struct bh_domain_info *d, unsigned n, struct request *r)
{
    if (n > 1)
        return false;
    write_entry(r, d, &(struct entry){n ? "/name" : "name", NAME, AS_ABOVE});
    return true;
}

void entries_look(const struct bh_domain_info *d, struct request *r)
{
    begin_entry(r, XS_READ, d, "domid");
}
