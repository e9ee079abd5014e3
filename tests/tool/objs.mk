# SPDX-License-Identifier: MIT
# The tool against a fake host, in programs of the shell.
fakectl-src  := $(addprefix tests/tool/,fakectl.c service.c model.c fakestore.c) tests/hub/carrier.c \
                $(addprefix drvdom/ctl/,pages.c mux.c arq.c framing.c) hyp/lib/hash.c
tool-tests   := tests/tool/tool-commands tests/tool/tool-create tests/tool/tool-image \
                tests/tool/tool-terminal tests/tool/tool-completion
