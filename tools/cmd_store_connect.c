/* SPDX-License-Identifier: MIT */
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/console.h"
#include "tools/host.h"

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    console_relay(host_stream(LINK_SERVICE_STORE, 0));
    return EXIT_OK;
}

const struct command cmd_store_connect = {
    .name = "store-connect",
    .operands = "",
    .purpose = "connect stdin and stdout to the store, for programs that speak its protocol",
    .run = run,
};
