/* SPDX-License-Identifier: MIT */
/* What one domain has brought, another need not bring again. */
#include "hyp/lib/string.h"
#include "tests/guest/control/maker.h"

static uint32_t begin(const char *name, bool again)
{
    long id;

    maker_prepare(name, MAKER_COUNTS);
    maker_record.on_reboot = again ? BUNDLE_RESTART : BUNDLE_DESTROY;
    maker_seal();
    id = maker_create();
    TRUE(id > 0);
    EQUAL(maker_wait((uint32_t)id, BH_DOMAIN_LOADING), BH_DOMAIN_LOADING);
    return (uint32_t)id;
}

/* It has the bytes that the other ones got. */
static void finish(uint32_t id)
{
    EQUAL(maker_wanted(id), 3);
    EQUAL(maker_load(id, 0, 0, maker_image, 1), -XEN_EINVAL);
    EQUAL(maker_simple(BH_CONTROL_finish, id, 0, 0), 0);
    EQUAL(maker_read(id, CODE >> 12), CODE >> 12);
    EQUAL(memcmp(maker_page, maker_image, 4096), 0);
    EQUAL(maker_read(id, (CODE >> 12) + 2), (CODE >> 12) + 2);
    EQUAL(memcmp(maker_page, maker_image + 8192, MAKER_SIZE - 8192), 0);
    EQUAL(maker_read(id, (CODE + 0x10000) >> 12), (CODE + 0x10000) >> 12);
    EQUAL(memcmp(maker_page, maker_module, 4096), 0);
}

static void end(uint32_t id)
{
    EQUAL(maker_simple(BH_CONTROL_destroy, id, 0, 0), 0);
    EQUAL(maker_wait(id, -XEN_ESRCH), -XEN_ESRCH);
}

void test_shared(void)
{
    uint64_t before = maker_settled_memory(0);
    uint32_t first = begin("first", true), second = begin("second", false), third;

    EQUAL(maker_wanted(first), 0);
    EQUAL(maker_load(first, 0, 0, maker_image, MAKER_SIZE), 0);
    third = begin("third", true); /* what is here of the first one, and not its second segment */
    EQUAL(maker_wanted(third), 2);
    EQUAL(maker_load(third, 2, 0, maker_module, MAKER_SIZE2), 0);
    finish(third);
    EQUAL(maker_load_all(second), 0); /* began before there was anything, and keeps nothing */
    finish(second);
    end(second);
    end(first); /* in the midst of its load */
    second = begin("second", false);
    finish(second);
    end(third);
    first = begin("first", false); /* the second has them still */
    finish(first);
    end(first);
    end(second);
    first = begin("first", true);
    EQUAL(maker_wanted(first), 0);
    maker_image[MAKER_SIZE - 1] ^= 1;
    EQUAL(maker_load(first, 0, 0, maker_image, MAKER_SIZE), -XEN_EILSEQ);
    EQUAL(maker_wait(first, -XEN_ESRCH), -XEN_ESRCH);
    first = begin("first", true); /* what was wrong is nobody's */
    EQUAL(maker_wanted(first), 0);
    end(first);
    EQUAL(maker_settled_memory(before), before);
}
