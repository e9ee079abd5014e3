/* SPDX-License-Identifier: MIT */
/*
 * Two hostile guests and the store. Whatever they put into their rings, domain 0 is served, the
 * tree is sound, and who opens the vault again finds exactly as much memory free as there was.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/storekit.h"
#include "xs/state.h"

#define GUESTS 2U

static const char *const paths[] = {"d", "d/a",           "d/a/b", "d/a/c", "/local/domain/6/d",
                                    "/", "@releaseDomain"};

static struct kit_client *guests[GUESTS];

static void begin(void)
{
    struct kit_client *root;

    kit_open(1U << 17);
    root = kit_connect(0);
    ASK(root, XS_WRITE, 0, "/local/domain/5/d\0");
    ASK(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0");
    ASK(root, XS_WRITE, 0, "/local/domain/6/d\0");
    ASK(root, XS_SET_PERMS, 0, "/local/domain/6/d\0n6\0b5\0");
    guests[0] = kit_introduce(1, 5);
    guests[1] = kit_introduce(2, 6);
}

/* A whole request: a path of ours, and what the input has. */
static void request(struct kit_client *g, struct fuzz *in)
{
    struct xsd_sockmsg head = {fuzz_byte(in) % (XS_TYPE_COUNT + 1), 1, fuzz_byte(in) % 4, 0};
    char payload[300];
    const char *path = paths[fuzz_byte(in) % (sizeof(paths) / sizeof(paths[0]))];
    uint32_t more = fuzz_byte(in);

    strcpy(payload, path);
    head.len = (uint32_t)strlen(path) + 1;
    while (more--)
        payload[head.len++] = (char)fuzz_byte(in);
    if (kit_put(g, &head, sizeof(head)) == sizeof(head))
        kit_put(g, payload, head.len);
}

static void step(struct fuzz *in)
{
    uint8_t op = fuzz_byte(in);
    struct kit_client *g = guests[op & 1];

    switch (op >> 1 & 7) {
    case 0: /* raw bytes */
        for (unsigned n = fuzz_byte(in); n; n--) {
            uint8_t byte = fuzz_byte(in);

            kit_put(g, &byte, 1);
        }
        break;
    case 1: /* any index */
        g->ring->req_prod += fuzz_byte(in) << (fuzz_byte(in) % 8);
        break;
    case 2:
        g->ring->rsp_cons += fuzz_byte(in) << (fuzz_byte(in) % 8);
        break;
    case 3: /* our indices are none of his */
        g->ring->req_cons = g->ring->rsp_prod = fuzz_byte(in);
        break;
    case 4:
        g->ring->rsp_cons = g->ring->rsp_prod;
        break;
    default:
        request(g, in);
    }
    store_kick(kit_store, g->conn);
    kit_work();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fuzz in = {data, data + n};
    struct kit_client *root = &kit_clients[0];
    uint32_t left;

    begin();
    while (fuzz_left(&in))
        step(&in);
    MUST(strcmp(ASK(root, XS_CONTROL, 0, "check\0")->text, "OK") == 0);
    MUST(ASK(root, XS_READ, 0, "/tool/xenstored\0")->type == XS_READ);
    left = kit_store->vault.heap.free;
    MUST(kit_reopen() == VAULT_FOUND);
    MUST(kit_store->vault.heap.free == left);
    return 0;
}
