/* SPDX-License-Identifier: MIT */
#include "hyp/lib/string.h"

#include <stdint.h>

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
    void *r = d;

    if (n % 8)
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    else
        __asm__ volatile("shr $3, %2; rep movsq" : "+D"(d), "+S"(s), "+c"(n) : : "memory", "cc");
    return r;
}

void *memmove(void *d, const void *s, size_t n)
{
    char *to = (char *)d + n;
    const char *from = (const char *)s + n;

    if ((size_t)d - (size_t)s >= n)
        return memcpy(d, s, n);
    while (n--)
        *--to = *--from;
    return d;
}

void *memset(void *d, int c, size_t n)
{
    uint64_t word = 0x0101010101010101UL * (uint8_t)c;
    void *r = d;

    if (n % 8)
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(word) : "memory");
    else
        __asm__ volatile("shr $3, %1; rep stosq" : "+D"(d), "+c"(n) : "a"(word) : "memory", "cc");
    return r;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

size_t strlen(const char *s)
{
    return strnlen(s, ~0UL);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, ~0UL);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}
