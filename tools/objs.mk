# SPDX-License-Identifier: MIT
bl-objs += tools/bl.o tools/options.o tools/json.o tools/cmd_help.o tools/cmd_image.o tools/cmd_version.o
bl-objs += tools/mkbundle.o tools/mkdomain.o tools/file.o tools/iso.o tools/kernel.o tools/unpack.o
bl-objs += tools/cmd_hub.o tools/client.o tools/hubstart.o tools/hub.o tools/hubpeer.o tools/hubline.o
bl-objs += $(addprefix drvdom/ctl/,mux.o arq.o framing.o) hyp/lib/hash.o

unit-tests += test_unpack
test_unpack-src  := tests/unit/test_unpack.c tools/unpack.c
test_unpack-libs := liblzma liblz4 libzstd zlib

unit-tests += test_hub
test_hub-src := tests/unit/test_hub.c tests/hub/carrier.c tests/hub/hubservices.c \
                $(addprefix tools/,client.c hubstart.c hub.c hubpeer.c hubline.c) \
                $(addprefix drvdom/ctl/,mux.c arq.c framing.c) hyp/lib/hash.c
