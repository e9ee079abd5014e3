# SPDX-License-Identifier: MIT
bl-objs += $(addprefix tools/,bl.o options.o json.o table.o units.o)
bl-objs += $(addprefix tools/,mkbundle.o mkdomain.o file.o iso.o child.o kernel.o unpack.o)
# What works on a running host.
bl-objs += $(addprefix tools/,client.o hubstart.o hub.o hubpeer.o hubline.o host.o domlist.o \
             events.o await.o xsclient.o guestctl.o console.o rawmode.o upload.o progress.o \
             interrupt.o corefile.o)
bl-objs += $(addprefix drvdom/ctl/,mux.o arq.o framing.o) hyp/lib/hash.o
bl-objs += $(addprefix tools/cmd_,help.o image.o version.o config.o console.o create.o dmesg.o \
             domid.o dump_core.o hub.o info.o list.o mem.o monitor.o pause.o rename.o restart.o \
             sched_weight.o shutdown.o store_connect.o sysrq.o top.o trigger.o uptime.o \
             vcpu_list.o vcpu_pin.o vcpu_set.o wait.o)

unit-tests += test_unpack
test_unpack-src  := tests/unit/test_unpack.c tools/unpack.c

unit-tests += test_hub
test_hub-src := tests/unit/test_hub.c tests/hub/carrier.c tests/hub/hubservices.c \
                $(addprefix tools/,client.c units.c hubstart.c hub.c hubpeer.c hubline.c) \
                $(addprefix drvdom/ctl/,mux.c arq.c framing.c) hyp/lib/hash.c

unit-tests += test_corefile
test_corefile-src := tests/unit/test_corefile.c tools/corefile.c tools/units.c
