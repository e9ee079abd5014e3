/* SPDX-License-Identifier: MIT */
#include "tools/domlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>
#include "tools/bl.h"
#include "tools/host.h"
#include "tools/units.h"

/* The one with the lowest number >= domid. */
static bool next(uint32_t domid, struct bh_domain_info *d)
{
    struct bh_control args = {.domid = domid, .size = sizeof(*d)};
    int rc = host_call(BH_CONTROL_next, &args, NULL, 0, d, sizeof(*d));

    if (rc && rc != -XEN_ENOENT)
        exit(host_refused("the host", "list its domains", rc));
    if (!rc && (d->domid < domid || d->vcpus > BUNDLE_MAX_VCPUS))
        host_nonsense();
    d->name[sizeof(d->name) - 1] = '\0';
    return !rc;
}

static bool named(const char *word, const struct bh_domain_info *d)
{
    return !strcmp(d->name, word);
}

/* A name may be that of a zombie, too: one that lives goes first. */
bool domlist_look(const char *word, struct bh_domain_info *d)
{
    struct bh_domain_info i;
    uint64_t number;
    bool found = false;

    if (units_number(word, 0, UINT32_MAX, &number))
        return next((uint32_t)number, d) && d->domid == number;
    for (uint32_t at = 0; next(at, &i); at = i.domid + 1)
        if (named(word, &i) && (!found || d->state == BH_DOMAIN_ZOMBIE)) {
            *d = i;
            found = true;
        }
    return found;
}

bool domlist_find(const char *word, struct bh_domain_info *d)
{
    if (domlist_look(word, d))
        return true;
    bl_fail("there is no domain '%s'; bl list says who is there", word);
    return false;
}

static void add(struct domlist *d, const struct bh_domain_info *i)
{
    struct bh_domain_info *more = realloc(d->list, (d->n + 1) * sizeof(*more));

    if (!more)
        exit(bl_fail("out of memory"));
    d->list = more;
    d->list[d->n++] = *i;
}

bool domlist_read(struct domlist *d, int argc, char **argv)
{
    struct bh_domain_info i;

    *d = (struct domlist){0};
    for (int a = 0; a < argc; a++) {
        if (!domlist_find(argv[a], &i))
            return false;
        add(d, &i);
    }
    for (uint32_t at = 0; !argc && next(at, &i); at = i.domid + 1)
        add(d, &i);
    return true;
}

void domlist_free(struct domlist *d)
{
    free(d->list);
}

int domlist_do(const struct bh_domain_info *d, const char *doing, uint32_t command, uint64_t a,
               uint64_t b)
{
    struct bh_control args = {.domid = d->domid, .a = a, .b = b};
    int rc = host_call(command, &args, NULL, 0, NULL, 0);

    return rc ? host_refused(d->name, doing, rc) : EXIT_OK;
}

int domlist_pause(const struct bh_domain_info *d)
{
    if (d->class == BUNDLE_CLASS_CTL)
        return bl_fail("%s: cannot pause: it is the control domain, which alone could unpause it",
                       d->name);
    return domlist_do(d, "pause", BH_CONTROL_pause, 0, 0);
}

bool domlist_crashed(const struct bh_domain_info *d)
{
    return d->state >= BH_DOMAIN_SHUTDOWN &&
           (d->shutdown_reason == SHUTDOWN_crash || d->shutdown_reason == SHUTDOWN_watchdog);
}

const char *domlist_state(const struct bh_domain_info *d)
{
    static const char *const words[] = {"building", "loading",  "ready",
                                        "running",  "shutdown", "zombie"};

    if (d->state == BH_DOMAIN_RUNNING && d->flags & BH_DOMAIN_PAUSED)
        return "paused";
    if (d->state == BH_DOMAIN_SHUTDOWN && domlist_crashed(d))
        return "crashed";
    return d->state < sizeof(words) / sizeof(words[0]) ? words[d->state] : "unknown";
}

const char *domlist_reason(const struct bh_domain_info *d)
{
    static const char *const words[] = {"poweroff", "reboot",   "suspend",
                                        "crash",    "watchdog", "soft-reset"};

    if (d->state < BH_DOMAIN_SHUTDOWN)
        return "-";
    return d->shutdown_reason <= SHUTDOWN_MAX ? words[d->shutdown_reason] : "unknown";
}

const char *domlist_class(const struct bh_domain_info *d)
{
    static const char *const words[] = {"guest", "ctl", "xs", "blk", "net"};

    return d->class < sizeof(words) / sizeof(words[0]) ? words[d->class] : "unknown";
}

bool domlist_vcpu(const struct bh_domain_info *d, uint32_t vcpu, struct bh_vcpu_info *v)
{
    struct bh_control args = {.domid = d->domid, .vcpu = vcpu, .size = sizeof(*v)};
    int rc = host_call(BH_CONTROL_vcpu, &args, NULL, 0, v, sizeof(*v));

    if (rc && rc != -XEN_ESRCH)
        exit(host_refused(d->name, "read its vCPUs", rc));
    return !rc;
}

/* One vCPU on a CPU: running; all that are online wait: blocked. */
static void activity(const struct bh_domain_info *d, char letters[DOMLIST_LETTERS])
{
    bool blocked = true;
    struct bh_vcpu_info v;

    for (uint32_t i = 0; i < d->vcpus && domlist_vcpu(d, i, &v); i++) {
        if (v.running) {
            letters[0] = 'r';
            return;
        }
        blocked = blocked && (v.blocked || !v.online);
    }
    if (blocked)
        letters[1] = 'b';
}

void domlist_letters(const struct bh_domain_info *d, char letters[DOMLIST_LETTERS])
{
    memcpy(letters, "------", DOMLIST_LETTERS);
    if (d->flags & BH_DOMAIN_PAUSED || d->state < BH_DOMAIN_RUNNING)
        letters[2] = 'p';
    else if (d->state == BH_DOMAIN_RUNNING)
        activity(d, letters);
    if (d->state == BH_DOMAIN_SHUTDOWN)
        letters[3] = 's';
    if (domlist_crashed(d))
        letters[4] = 'c';
    if (d->state == BH_DOMAIN_ZOMBIE)
        letters[5] = 'd';
}

void domlist_uuid(const uint8_t uuid[16], char text[DOMLIST_UUID])
{
    unsigned n = 0;

    for (unsigned i = 0; i < 16; i++)
        n += (unsigned)snprintf(text + n, DOMLIST_UUID - n, "%s%02x",
                                i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}
