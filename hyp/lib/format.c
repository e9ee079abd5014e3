/* SPDX-License-Identifier: MIT */
#include "hyp/lib/format.h"

struct out {
    char *buf;
    size_t size, len; /* len counts what did not fit, too */
};

struct spec {
    bool left, zero;
    int width, precision; /* precision -1: none */
    unsigned bytes;       /* of the argument */
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void pad(struct out *o, char c, int n)
{
    for (; n > 0; n--)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
    int len = 0;

    while ((s->precision < 0 || len < s->precision) && text[len])
        len++;
    if (!s->left)
        pad(o, ' ', s->width - len);
    for (int i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', s->width - len);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, bool negative, char conv)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    const char *digits = conv == 'X' ? upper : lower;
    const char *prefix = negative ? "-" : conv == 'p' ? "0x" : "";
    unsigned base = conv == 'x' || conv == 'X' || conv == 'p' ? 16 : 10;
    char text[20];
    int n = 0, len;

    do
        text[n++] = digits[v % base];
    while (v /= base);
    len = n + negative + (conv == 'p' ? 2 : 0);
    if (!s->left && !s->zero)
        pad(o, ' ', s->width - len);
    while (*prefix)
        put(o, *prefix++);
    if (!s->left && s->zero)
        pad(o, '0', s->width - len);
    while (n)
        put(o, text[--n]);
    if (s->left)
        pad(o, ' ', s->width - len);
}

static uint64_t unsigned_arg(va_list *ap, unsigned bytes)
{
    uint64_t v = bytes == 8 ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned);

    return bytes >= 8 ? v : v & (BIT(bytes * 8) - 1);
}

static int64_t signed_arg(va_list *ap, unsigned bytes)
{
    int64_t v = bytes == 8 ? va_arg(*ap, int64_t) : va_arg(*ap, int);

    return bytes == 2 ? (int16_t)v : bytes == 1 ? (int8_t)v : v;
}

static int parse_int(const char **fmt, va_list *ap)
{
    int n = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*ap, int);
    }
    while (**fmt >= '0' && **fmt <= '9')
        n = n * 10 + *(*fmt)++ - '0';
    return n;
}

static const char *parse_spec(struct spec *s, const char *fmt, va_list *ap)
{
    *s = (struct spec){.precision = -1, .bytes = 4};
    for (; *fmt == '-' || *fmt == '0'; fmt++) {
        if (*fmt == '-')
            s->left = true;
        else
            s->zero = true;
    }
    s->width = parse_int(&fmt, ap);
    if (s->width < 0) {
        s->left = true;
        s->width = -s->width;
    }
    if (*fmt == '.') {
        fmt++;
        s->precision = parse_int(&fmt, ap);
    }
    for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
        s->bytes = *fmt == 'h' ? s->bytes / 2 : 8;
    return fmt;
}

static void convert(struct out *o, struct spec *s, char conv, va_list *ap)
{
    const char *text;
    int64_t i;

    switch (conv) {
    case 'd':
    case 'i':
        i = signed_arg(ap, s->bytes);
        put_number(o, s, i < 0 ? -(uint64_t)i : (uint64_t)i, i < 0, conv);
        break;
    case 'u':
    case 'x':
    case 'X':
        put_number(o, s, unsigned_arg(ap, s->bytes), false, conv);
        break;
    case 'p':
        put_number(o, s, (uint64_t)va_arg(*ap, void *), false, conv);
        break;
    case 's':
        text = va_arg(*ap, const char *);
        put_text(o, s, text ? text : "(null)");
        break;
    case 'c':
        pad(o, ' ', s->left ? 0 : s->width - 1);
        put(o, (char)va_arg(*ap, int));
        pad(o, ' ', s->left ? s->width - 1 : 0);
        break;
    default: /* '%', and what is not a conversion, stand for themselves */
        put(o, conv);
    }
}

int format_v(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = {buf, size, 0};
    struct spec s;
    va_list ap;

    va_copy(ap, args);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        fmt = parse_spec(&s, fmt + 1, &ap);
        if (!*fmt)
            break;
        convert(&o, &s, *fmt, &ap);
    }
    va_end(ap);
    if (size)
        buf[MIN(o.len, size - 1)] = 0;
    return (int)o.len;
}

int format(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = format_v(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
