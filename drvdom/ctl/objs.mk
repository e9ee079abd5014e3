# SPDX-License-Identifier: MIT
ctl-objs += drvdom/ctl/ctl.o drvdom/ctl/conring.o drvdom/ctl/keys.o drvdom/ctl/line.o
ctl-objs += drvdom/ctl/terminal.o drvdom/ctl/consoles.o drvdom/ctl/screen.o

unit-tests += test_ctl
test_ctl-src := tests/unit/test_ctl.c drvdom/ctl/conring.c drvdom/ctl/keys.c drvdom/ctl/line.c

unit-tests += test_consoles
test_consoles-src := tests/unit/test_consoles.c $(addprefix drvdom/ctl/,ctl.c consoles.c screen.c \
                     conring.c keys.c line.c) \
                     hyp/lib/format.c

unit-tests += test_arq
test_arq-src := tests/unit/test_arq.c tests/unit/fake_line.c $(addprefix drvdom/ctl/,arq.c framing.c)


unit-tests += test_mux
test_mux-src := tests/unit/test_mux.c tests/unit/fake_line.c $(addprefix drvdom/ctl/,mux.c arq.c framing.c)
