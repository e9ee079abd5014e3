/* SPDX-License-Identifier: MIT */
/* fakectl PATH: a host at the other end of a line, the Unix socket PATH, whatever bl does with it.
 */
#include <stdio.h>
#include "tests/hub/carrier.h"
#include "tests/tool/fakestore.h"
#include "tests/tool/model.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fakectl PATH\n");
        return 2;
    }
    model_init();
    fakestore_init();
    carrier_run(carrier_listen(argv[1]), false, 0, model_tick);
}
