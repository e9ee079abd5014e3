/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/pages.h"

#include <lz4.h>
#include <xen/errno.h>
#include "hyp/abi/link.h"
#include "hyp/lib/string.h"
#include "hyp/lib/util.h"

#define PAGE_SIZE 4096
#define MOST      64U /* pages looked at for one request, so that others get their turn */

static bool is_zero(const uint64_t *words)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        any |= words[i];
    return !any;
}

/* At `to`, where there is room for the worst; returns how many bytes. */
static size_t pack(const uint64_t *page, uint64_t gfn, uint8_t *to)
{
    static LZ4_stream_t state;
    struct bh_page head = {.gfn = gfn};
    char *data = (char *)to + sizeof(head);

    if (!is_zero(page)) {
        head.size = (uint32_t)LZ4_compress_fast_extState(&state, (const char *)page, data,
                                                         PAGE_SIZE, PAGE_SIZE - 1, 1);
        if (!head.size) {
            head.size = PAGE_SIZE;
            memcpy(data, page, PAGE_SIZE);
        }
    }
    memcpy(to, &head, sizeof(head));
    return sizeof(head) + head.size;
}

long pages_read(struct bh_control *args, long (*read)(struct bh_control *page))
{
    static uint64_t page[PAGE_SIZE / sizeof(uint64_t)];
    const size_t worst = sizeof(struct bh_page) + PAGE_SIZE;
    uint8_t *to = (uint8_t *)args->buffer;
    uint64_t used = 0;
    long rc = args->size < worst ? -XEN_EINVAL : 0;

    for (unsigned i = 0; !rc && i < MOST && args->size - used >= worst; i++) {
        struct bh_control one = {
            .domid = args->domid, .a = args->a, .buffer = (uint64_t)page, .size = sizeof(page)};

        rc = read(&one);
        if (rc)
            break;
        used += pack(page, one.a, to + used);
        args->a = one.a + 1;
    }
    args->size = used;
    return used ? 0 : rc;
}
