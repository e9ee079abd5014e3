// SPDX-License-Identifier: MIT
#include "tests/xs/side.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The digits that payload begins with, when a NUL follows; else 0. */
static size_t number(const struct bytes *payload)
{
    size_t i = 0;
    while (i < payload->len && isdigit((unsigned char)payload->data[i]))
        i++;
    return i < payload->len && !payload->data[i] ? i : 0;
}

static void replace(struct bytes *payload, size_t old, const char *text)
{
    struct bytes result = {0};
    bytes_add(&result, text, strlen(text));
    bytes_add(&result, payload->data + old, payload->len - old);
    free(payload->data);
    *payload = result;
}

/* A transaction's id is what its daemon likes, but not 0. */
static void take_transaction(struct link *link, const struct op *op, struct bytes *payload)
{
    size_t digits = number(payload);
    uint32_t id = digits ? (uint32_t)strtoul(payload->data, NULL, 10) : 0;
    if (!id)
        return;
    link->tx[op->slot] = id;
    replace(payload, digits, "new");
}

/* A path's generations are numbered as they come: the same again means that nothing changed. */
static void number_generation(struct side *side, const struct op *op, struct bytes *payload)
{
    struct bytes key = {0}, *known = &side->generations;
    size_t at = 0, digits = number(payload);
    unsigned serial = 0;
    char text[16];
    if (!digits)
        return;
    bytes_add(&key, op->payload, strnlen(op->payload, op->len));
    bytes_add(&key, "=", 1);
    bytes_add(&key, payload->data, digits + 1);
    while (at < known->len && strcmp(known->data + at, key.data) != 0) {
        at += strlen(known->data + at) + 1;
        serial++;
    }
    if (at == known->len)
        bytes_add(known, key.data, key.len);
    snprintf(text, sizeof(text), "%u", serial);
    replace(payload, digits, text);
    free(key.data);
}

/* However it ends, but for a request that says neither: the transaction is gone. */
static void end_transaction(struct link *link, const struct op *op,
                            const struct xsd_sockmsg *header, const struct bytes *payload)
{
    bool malformed = header->type == XS_ERROR && payload->len && !strcmp(payload->data, "EINVAL");
    if (op->tx && op->tx <= TX_SLOTS && !malformed)
        link->tx[op->tx - 1] = 0;
}

void normal_answer(struct side *side, const struct op *op, struct xsd_sockmsg *header,
                   struct bytes *payload)
{
    struct link *link = &side->links[op->client];
    switch (op->type) {
    case XS_TRANSACTION_START:
        if (header->type == op->type)
            take_transaction(link, op, payload);
        break;
    case XS_TRANSACTION_END:
        end_transaction(link, op, header, payload);
        break;
    case XS_RESET_WATCHES:
        if (header->type == op->type)
            memset(link->tx, 0, sizeof(link->tx));
        break;
    case XS_DIRECTORY_PART:
        if (header->type == op->type)
            number_generation(side, op, payload);
        break;
    }
    header->len = (uint32_t)payload->len;
}
