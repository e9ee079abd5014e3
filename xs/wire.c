/* SPDX-License-Identifier: MIT */
#include "xs/wire.h"

#include "hyp/lib/string.h"

#define DOMAIN_PATH "/local/domain/"

unsigned wire_strings(const char *payload, uint32_t len)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < len; i++)
        n += !payload[i];
    return n;
}

bool wire_is_string(const char *payload, uint32_t len)
{
    return len && strnlen(payload, len) == len - 1;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 99;
}

int64_t wire_number(const char *text, unsigned base, const char **end)
{
    const char *p = text, *first;
    uint64_t value = 0, limit;
    bool negative;

    while (is_blank(*p))
        p++;
    negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (!base) {
        base = *p == '0' ? 8 : 10;
        if (*p == '0' && (p[1] | 0x20) == 'x' && digit(p[2]) < 16) {
            base = 16;
            p += 2;
        }
    }
    limit = (uint64_t)INT64_MAX + negative;
    for (first = p; digit(*p) < base; p++) {
        unsigned d = digit(*p);

        value = value > (limit - d) / base ? limit : value * base + d;
    }
    if (end)
        *end = p == first ? text : p;
    return (int64_t)(negative ? 0 - value : value);
}

uint32_t wire_domid(const char *text)
{
    return (uint32_t)wire_number(text, 10, NULL);
}

/* How long "/local/domain/N/" is at the start of the path; 0: it does not start so. */
static uint32_t domain_prefix(const char *path, uint32_t len)
{
    const uint32_t start = sizeof(DOMAIN_PATH) - 1;
    uint32_t i = start, digits;

    if (len < start || memcmp(path, DOMAIN_PATH, start) != 0)
        return 0;
    i += path[i] == '-';
    for (digits = i; i < start + 5 && digit(path[i]) < 10; i++)
        ;
    return i > digits && path[i] == '/' ? i + 1 : 0;
}

static const bool is_path_char[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,
    ['/'] = true,         ['_'] = true,         ['@'] = true,
};

/* path[len] is NUL. */
bool wire_path_valid(const char *path, uint32_t len, uint32_t most)
{
    if (path[0] != '/' || (len > 1 && path[len - 1] == '/'))
        return false;
    if (len > most && len - domain_prefix(path, len) > most)
        return false;
    for (const char *p = path; p < path + len; p++)
        if (!is_path_char[(uint8_t)*p] || (*p == '/' && p[1] == '/'))
            return false;
    return true;
}

const char *wire_error(int error)
{
#define NAME(e)                                                                                    \
    case XEN_##e:                                                                                  \
        return #e
    switch (error) {
        NAME(EACCES);
        NAME(EEXIST);
        NAME(EISDIR);
        NAME(ENOENT);
        NAME(ENOMEM);
        NAME(ENOSPC);
        NAME(EIO);
        NAME(ENOTEMPTY);
        NAME(ENOSYS);
        NAME(EROFS);
        NAME(EBUSY);
        NAME(EAGAIN);
        NAME(EISCONN);
        NAME(E2BIG);
        NAME(EPERM);
    default:
        return "EINVAL";
    }
#undef NAME
}
