/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/unit/fake_arch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hyp/lib/log.h"
#include "mm/arch.h"

uint64_t fake_flushes;
unsigned fake_chunks;

static uint8_t *direct, *windows; /* two views of the same memory */
static uint64_t frames;
static unsigned depth;
static struct frame *table;

void fake_machine(uint64_t n)
{
    int fd = memfd_create("ram", 0);
    size_t size = n * PAGE_SIZE;

    if (fd < 0 || ftruncate(fd, (off_t)size))
        abort();
    direct = mmap(NULL, size, PROT_NONE, MAP_SHARED, fd, 0);
    windows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (direct == MAP_FAILED || windows == MAP_FAILED)
        abort();
    close(fd);
    frames = n;
    fake_chunks = 0;
    free(table);
    table = calloc(n, sizeof(*table));
    mem_init(table, n);
    mem_add(mk_hfn(1), n - 1);
}

uint8_t *fake_frame(hfn_t f)
{
    if (f.val >= frames)
        abort();
    return windows + f.val * PAGE_SIZE;
}

static void protect(hfn_t chunk, int prot)
{
    if (chunk.val % 512 || mprotect(direct + chunk.val * PAGE_SIZE, 512 * PAGE_SIZE, prot))
        abort();
}

void arch_chunk_map(hfn_t chunk)
{
    protect(chunk, PROT_READ | PROT_WRITE);
    fake_chunks++;
}

void arch_chunk_unmap(hfn_t chunk)
{
    protect(chunk, PROT_NONE);
    fake_chunks--;
}

void *arch_hfn_to_hva(hfn_t f)
{
    return direct + f.val * PAGE_SIZE;
}

hfn_t arch_hva_to_hfn(const void *p)
{
    return mk_hfn((uint64_t)((const uint8_t *)p - direct) / PAGE_SIZE);
}

void *arch_slot_map(hfn_t f)
{
    if (depth++ == SLOT_DEPTH)
        abort();
    return fake_frame(f);
}

void arch_slot_unmap(void *p)
{
    if (!p || !depth--)
        abort();
}

void arch_p2m_flush(struct p2m *p)
{
    (void)p;
    fake_flushes++;
}

void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "panic: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    abort();
}
