/* SPDX-License-Identifier: MIT */
#include "tests/guest/reader/reader.h"

#include <xen/hvm/params.h>
#include "drvdom/ctl/xsring.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define PATH "domid"

static struct xsring ring;
static uint32_t port, last_id;
static char number[8];

/* What there is no room for, or what is not there yet, waits for the store. */
static void put(const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t some = lane_write(&ring.requests, (const char *)bytes + done, n - done);

        rt_notify(port);
        if (!some)
            reader_sleep(port);
        done += some;
    }
}

static void get(void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t some = lane_read(&ring.answers, (char *)bytes + done, n - done);

        if (!some)
            reader_sleep(port);
        done += some;
    }
}

bool read_store(void)
{
    struct {
        struct xsd_sockmsg head;
        char path[sizeof(PATH)];
    } ask = {{XS_READ, ++last_id, 0, sizeof(PATH)}, PATH};
    struct xsd_sockmsg head;
    char answer[sizeof(number)] = "";

    put(&ask, sizeof(ask.head) + sizeof(ask.path));
    get(&head, sizeof(head));
    if (head.len > sizeof(answer))
        rt_panic("the store answers with %u bytes", head.len);
    get(answer, head.len);
    return head.type == XS_READ && head.req_id == last_id && head.len == strlen(number) &&
           !strncmp(answer, number, head.len);
}

void read_store_init(void)
{
    port = (uint32_t)rt_param(HVM_PARAM_STORE_EVTCHN);
    xsring_init(&ring, (void *)(rt_param(HVM_PARAM_STORE_PFN) << 12));
    format(number, sizeof(number), "%u", rt_domid());
}
