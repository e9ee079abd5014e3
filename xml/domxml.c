/* SPDX-License-Identifier: MIT */
#include "xml/domxml.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "xml/cpuset.h"
#include "xml/source.h"

#define RULES(r)   (r), sizeof(r) / sizeof((r)[0])
#define LOWEST_RAM (1UL << 20)

bool domcfg_is_name(const char *name)
{
    const char *c = name;

    while (*c > ' ' && *c <= '~' && !strchr("/[]\"", *c))
        c++;
    return !*c && c > name && c - name < 64;
}

void domxml_name(struct walk *w, xmlNode *node, char *name)
{
    if (!walk_text(w, node, name, 64))
        return;
    if (!*name)
        walk_fail(w, node, "empty; a name of 1 to 63 characters");
    if (!domcfg_is_name(name))
        walk_fail(w, node, "'%s' is no name; letters, digits and signs but / [ ] \"", name);
}

static void read_name(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;

    domxml_name(w, node, d->name);
    walk_place(node, &d->name_at);
}

static bool read_digit(uint8_t *byte, char digit)
{
    const char *digits = "0123456789abcdef";
    const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

    if (at)
        *byte = (uint8_t)(*byte << 4 | (at - digits));
    return at;
}

/* With all of the hyphens or with none, as libvirt's schema has it. */
static bool parse_uuid(const char *text, uint8_t uuid[16])
{
    bool hyphens = strchr(text, '-');
    unsigned digits = 0;

    for (const char *form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"; *form; form++) {
        if (*form == '-' && !hyphens)
            continue;
        if (*form == '-' ? *text != '-' : !read_digit(&uuid[digits++ / 2], *text))
            return false;
        text++;
    }
    return !*text;
}

static void read_uuid(struct walk *w, xmlNode *node, void *arg)
{
    static const uint8_t zero[16];
    struct domcfg *d = arg;
    char text[64];

    if (!walk_text(w, node, text, sizeof(text)))
        return;
    if (!parse_uuid(text, d->uuid) || !memcmp(d->uuid, zero, sizeof(zero)))
        walk_fail(w, node,
                  "'%s' is no UUID; 32 hexadecimal digits, not all zero, in groups of 8-4-4-4-12 "
                  "or without hyphens",
                  text);
    d->has_uuid = true;
    walk_place(node, &d->uuid_at);
}

static void read_remark(struct walk *w, xmlNode *node, void *arg)
{
    (void)arg;
    walk_any_text(w, node);
}

static void read_memory(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;

    d->memory = walk_size(w, node);
    walk_place(node, &d->memory_at);
    if (d->memory < LOWEST_RAM)
        walk_fail(w, node, "%lu KiB is too little; at least 1 MiB", d->memory >> 10);
}

static void read_current(struct walk *w, xmlNode *node, void *arg)
{
    ((struct domcfg *)arg)->current = walk_size(w, node);
}

static void read_minimum(struct walk *w, xmlNode *node, void *arg)
{
    ((struct domcfg *)arg)->minimum = walk_size(w, node);
}

static void read_memtune(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {{"min_guarantee", read_minimum, 0, "unit"}};

    walk_children(w, node, RULES(rules), arg);
}

static void read_nothing(struct walk *w, xmlNode *node, void *arg)
{
    walk_children(w, node, NULL, 0, arg);
}

static void read_backing(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {{"nosharepages", read_nothing, 0, NULL}};

    walk_children(w, node, RULES(rules), arg);
}

uint64_t domxml_cpuset(struct walk *w, xmlNode *node)
{
    uint64_t set;
    char text[200];

    if (!walk_attribute(w, node, "cpuset", text, sizeof(text)) || !*text)
        return 0;
    set = cpuset_parse(text);
    if (!set)
        walk_fail(w, node, "cpuset '%s' is no list of CPUs; such as 0-3,^2,5, CPUs 0 to 63", text);
    return set;
}

/* The attribute has the one value that there is, if it is there at all. */
static void only(struct walk *w, xmlNode *node, const char *name, const char *value)
{
    char text[64];

    if (walk_attribute(w, node, name, text, sizeof(text)) && strcmp(text, value))
        walk_fail(w, node, "%s='%s' is not supported; it may be %s", name, text, value);
}

static void must(struct walk *w, xmlNode *node, const char *name, const char *value)
{
    if (!xmlHasProp(node, (const xmlChar *)name))
        walk_fail(w, node, "needs %s='%s'", name, value);
    only(w, node, name, value);
}

static void read_vcpu(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;
    char text[32];

    if (walk_text(w, node, text, sizeof(text)))
        d->vcpus = (uint32_t)walk_number(w, node, text, 1, 64);
    only(w, node, "placement", "static");
    d->affinity = domxml_cpuset(w, node);
}

struct tune {
    struct domcfg *d;
    xmlNode *quota_node;
    uint64_t period, quota; /* microseconds; quota 0: no limit */
};

static void read_shares(struct walk *w, xmlNode *node, void *arg)
{
    struct tune *t = arg;
    char text[32];

    if (walk_text(w, node, text, sizeof(text)))
        t->d->weight = (uint32_t)walk_number(w, node, text, 1, 65535);
}

static void read_period(struct walk *w, xmlNode *node, void *arg)
{
    struct tune *t = arg;
    char text[32];

    if (walk_text(w, node, text, sizeof(text)))
        t->period = walk_number(w, node, text, 1000, 1000000);
}

static void read_quota(struct walk *w, xmlNode *node, void *arg)
{
    struct tune *t = arg;
    char text[32];

    t->quota_node = node;
    if (walk_text(w, node, text, sizeof(text)) && strcmp(text, "-1")) /* libvirt's: no limit */
        t->quota = walk_number(w, node, text, 1000, 64000000);
}

/* A cap is in whole percents, and one of 0 would be no limit at all. */
static void read_cputune(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {{"shares", read_shares, 0, NULL},
                                             {"period", read_period, 0, NULL},
                                             {"quota", read_quota, 0, NULL}};
    struct domcfg *d = arg;
    struct tune t = {.d = d, .period = 100000};

    walk_children(w, node, RULES(rules), &t);
    if (walk_failed(w))
        return;
    d->cap = (uint32_t)(t.quota * 100 / t.period);
    if (t.quota && !d->cap)
        walk_fail(w, t.quota_node, "%lu is less than 1 %% of the period; at least %lu", t.quota,
                  (t.period + 99) / 100);
    if (d->cap > 6400)
        walk_fail(w, t.quota_node, "%lu is more than 64 times the period; at most %lu", t.quota,
                  t.period * 64);
}

static char *read_path(struct walk *w, xmlNode *node, struct place *at)
{
    char text[DOMCFG_PATH_SIZE];

    walk_place(node, at);
    if (!walk_text(w, node, text, sizeof(text)))
        return NULL;
    if (!*text)
        walk_fail(w, node, "empty; the path of a file");
    return walk_path(w, node, text);
}

static void read_kernel(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;

    d->kernel = read_path(w, node, &d->kernel_at);
}

static void read_initrd(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;

    d->initrd = read_path(w, node, &d->initrd_at);
}

static void read_cmdline(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;

    walk_text(w, node, d->cmdline, sizeof(d->cmdline));
}

static void read_type(struct walk *w, xmlNode *node, void *arg)
{
    static const char *const types[] = {"xenpvh"};

    (void)arg;
    only(w, node, "arch", "x86_64");
    only(w, node, "machine", "xenpvh");
    walk_word(w, node, types, 1);
}

static void read_os(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {
        {"type", read_type, WALK_REQUIRED, "arch machine"},
        {"kernel", read_kernel, WALK_REQUIRED, NULL},
        {"initrd", read_initrd, 0, NULL},
        {"cmdline", read_cmdline, 0, NULL},
    };

    walk_children(w, node, RULES(rules), arg);
}

static enum domcfg_action read_action(struct walk *w, xmlNode *node)
{
    static const char *const words[] = {"destroy", "restart", "preserve"};

    return walk_word(w, node, words, 3);
}

static void read_on_poweroff(struct walk *w, xmlNode *node, void *arg)
{
    ((struct domcfg *)arg)->on_poweroff = read_action(w, node);
}

static void read_on_reboot(struct walk *w, xmlNode *node, void *arg)
{
    ((struct domcfg *)arg)->on_reboot = read_action(w, node);
}

static void read_on_crash(struct walk *w, xmlNode *node, void *arg)
{
    ((struct domcfg *)arg)->on_crash = read_action(w, node);
}

static void read_target(struct walk *w, xmlNode *node, void *arg)
{
    only(w, node, "type", "xen");
    only(w, node, "port", "0");
    read_nothing(w, node, arg);
}

static void read_console(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {{"target", read_target, 0, "type port"}};

    only(w, node, "type", "pty");
    walk_children(w, node, RULES(rules), arg);
}

static void read_devices(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {{"console", read_console, 0, "type"}};

    walk_children(w, node, RULES(rules), arg);
}

static void read_timer(struct walk *w, xmlNode *node, void *arg)
{
    struct domcfg *d = arg;
    char text[32];

    must(w, node, "name", "tsc");
    only(w, node, "mode", "native");
    only(w, node, "present", "yes");
    if (walk_attribute(w, node, "frequency", text, sizeof(text)))
        d->tsc_hz = walk_number(w, node, text, 100000000, 10000000000);
    read_nothing(w, node, arg);
}

static void read_clock(struct walk *w, xmlNode *node, void *arg)
{
    static const struct walk_rule rules[] = {
        {"timer", read_timer, 0, "name frequency mode present"}};

    must(w, node, "offset", "utc");
    walk_children(w, node, RULES(rules), arg);
}

static void check_memory(struct walk *w, xmlNode *node, struct domcfg *d)
{
    if (!d->current)
        d->current = d->memory;
    if (!d->minimum)
        d->minimum = d->current;
    if (d->current > d->memory)
        walk_fail(w, node, "<currentMemory> is more than <memory>");
    if (d->minimum > d->current)
        walk_fail(w, node, "<min_guarantee> is more than <currentMemory>");
    if (d->current < LOWEST_RAM)
        walk_fail(w, node, "<currentMemory> is less than 1 MiB");
}

void domxml_read(struct walk *w, xmlNode *node, struct domcfg *d)
{
    static const struct walk_rule rules[] = {
        {"name", read_name, WALK_REQUIRED, NULL},
        {"uuid", read_uuid, 0, NULL},
        {"title", read_remark, 0, NULL},
        {"description", read_remark, 0, NULL},
        {"memory", read_memory, WALK_REQUIRED, "unit"},
        {"currentMemory", read_current, 0, "unit"},
        {"memtune", read_memtune, 0, NULL},
        {"memoryBacking", read_backing, 0, NULL},
        {"vcpu", read_vcpu, 0, "cpuset placement"},
        {"cputune", read_cputune, 0, NULL},
        {"os", read_os, WALK_REQUIRED, NULL},
        {"clock", read_clock, 0, "offset"},
        {"on_poweroff", read_on_poweroff, 0, NULL},
        {"on_reboot", read_on_reboot, 0, NULL},
        {"on_crash", read_on_crash, 0, NULL},
        {"devices", read_devices, 0, NULL},
    };
    char id[32];

    *d = (struct domcfg){.vcpus = 1, .weight = 256, .on_reboot = ACTION_RESTART};
    walk_place(node, &d->at);
    only(w, node, "type", "xen");
    if (walk_attribute(w, node, "id", id, sizeof(id)))
        walk_number(w, node, id, 0, UINT32_MAX);
    walk_children(w, node, RULES(rules), d);
    check_memory(w, node, d);
}

void domcfg_free(struct domcfg *d)
{
    free(d->kernel);
    free(d->initrd);
    source_free(d->files);
}
