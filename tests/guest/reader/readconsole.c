/* SPDX-License-Identifier: MIT */
#include "tests/guest/reader/reader.h"

#include <xen/hvm/params.h>
#include <xen/io/console.h>

static struct xencons_interface *page;
static uint32_t port;

void read_console(const char *line)
{
    uint32_t prod = page->out_prod;

    for (; *line; line++)
        page->out[MASK_XENCONS_IDX(prod++, page->out)] = *line;
    __atomic_store_n(&page->out_prod, prod, __ATOMIC_RELEASE);
    rt_notify(port);
    while (__atomic_load_n(&page->out_cons, __ATOMIC_ACQUIRE) != prod)
        reader_sleep(port);
}

void read_console_init(void)
{
    port = (uint32_t)rt_param(HVM_PARAM_CONSOLE_EVTCHN);
    page = (void *)(rt_param(HVM_PARAM_CONSOLE_PFN) << 12);
}
