// SPDX-License-Identifier: MIT
#include "tests/xs/storeop.h"
#include <ctype.h>
#include <string.h>
#include <xen/io/xs_wire.h>

const char *op_type_name(uint32_t type)
{
    static const char *const names[] = {
        [XS_CONTROL] = "CONTROL",
        [XS_DIRECTORY] = "DIRECTORY",
        [XS_READ] = "READ",
        [XS_GET_PERMS] = "GET_PERMS",
        [XS_WATCH] = "WATCH",
        [XS_UNWATCH] = "UNWATCH",
        [XS_TRANSACTION_START] = "TRANSACTION_START",
        [XS_TRANSACTION_END] = "TRANSACTION_END",
        [XS_INTRODUCE] = "INTRODUCE",
        [XS_RELEASE] = "RELEASE",
        [XS_GET_DOMAIN_PATH] = "GET_DOMAIN_PATH",
        [XS_WRITE] = "WRITE",
        [XS_MKDIR] = "MKDIR",
        [XS_RM] = "RM",
        [XS_SET_PERMS] = "SET_PERMS",
        [XS_WATCH_EVENT] = "WATCH_EVENT",
        [XS_ERROR] = "ERROR",
        [XS_IS_DOMAIN_INTRODUCED] = "IS_DOMAIN_INTRODUCED",
        [XS_RESUME] = "RESUME",
        [XS_SET_TARGET] = "SET_TARGET",
        [XS_RESET_WATCHES] = "RESET_WATCHES",
        [XS_DIRECTORY_PART] = "DIRECTORY_PART",
    };
    return type < sizeof(names) / sizeof(names[0]) && names[type] ? names[type] : "UNKNOWN";
}

void op_print_bytes(FILE *to, const char *bytes, size_t len)
{
    fputc('"', to);
    for (size_t i = 0; i < len; i++) {
        size_t run = 1;
        while (i + run < len && bytes[i + run] == bytes[i])
            run++;
        if (!bytes[i])
            fputc('|', to);
        else if (isprint((unsigned char)bytes[i]) && !strchr("\\|{", bytes[i]))
            fputc(bytes[i], to);
        else
            fprintf(to, "\\%02x", (unsigned char)bytes[i]);
        if (run > 8) {
            fprintf(to, "{%zu}", run);
            i += run - 1;
        }
    }
    fprintf(to, "\" (%zu)", len);
}

void op_print(FILE *to, const struct op *op)
{
    static const char *const clients[] = {"socket", "socket-2", "dom0", "dom1", "dom2", "dom3"};
    fprintf(to, "%s ", clients[op->client]);
    switch (op->kind) {
    case OP_RECONNECT:
        fputs("closes and opens its connection\n", to);
        return;
    case OP_OVERLONG:
        fprintf(to, "announces %zu bytes\n", op->len);
        return;
    case OP_REQUEST:
        break;
    }
    if (op->times > 1)
        fprintf(to, "%u times ", op->times);
    if (op->tx == TX_WRONG)
        fputs("wrong transaction ", to);
    else if (op->tx)
        fprintf(to, "transaction %u ", op->tx);
    fprintf(to, "%s(%u) ", op_type_name(op->type), op->type);
    op_print_bytes(to, op->payload, op->len);
    fputc('\n', to);
}
