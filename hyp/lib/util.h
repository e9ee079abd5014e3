/* SPDX-License-Identifier: MIT */
/* Small macros used everywhere. */
#ifndef BH_LIB_UTIL_H
#define BH_LIB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)          ((a) < (b) ? (a) : (b))
#define MAX(a, b)          ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, a)     (((x) + ((a) - 1)) & ~((__typeof__(x))(a) - 1)) /* a: power of two */
#define ROUND_DOWN(x, a)   ((x) & ~((__typeof__(x))(a) - 1))
#define likely(x)          __builtin_expect(!!(x), 1)
#define unlikely(x)        __builtin_expect(!!(x), 0)
#define container_of(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))
#define BIT(n)             (1ULL << (n))

#define __packed       __attribute__((packed))
#define __aligned(n)   __attribute__((aligned(n)))
#define __noreturn     __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __must_check   __attribute__((warn_unused_result))

/* A volatile access: the compiler reads or writes exactly once. */
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#endif
