# SPDX-License-Identifier: MIT
ctl-objs += drvdom/ctl/ctl.o drvdom/ctl/lane.o drvdom/ctl/keys.o drvdom/ctl/line.o
ctl-objs += drvdom/ctl/terminal.o drvdom/ctl/consoles.o drvdom/ctl/screen.o
ctl-objs += drvdom/ctl/domstore.o drvdom/ctl/entries.o
ctl-objs += $(addprefix drvdom/ctl/,services.o held.o svc_control.o svc_store.o svc_console.o svc_events.o)
ctl-objs += $(addprefix drvdom/ctl/,pages.o mux.o arq.o framing.o) lz4.o

unit-tests += test_ctl
test_ctl-src := tests/unit/test_ctl.c drvdom/ctl/lane.c drvdom/ctl/keys.c drvdom/ctl/line.c

# All of it but for the terminal.
ctl-sources := $(addprefix drvdom/ctl/,ctl.c consoles.c screen.c lane.c keys.c line.c domstore.c \
               entries.c services.c held.c svc_control.c svc_store.c svc_console.c svc_events.c \
               pages.c mux.c arq.c framing.c)
ctl-host     = $(addprefix tests/unit/,ctlhost.c ctlxs.c ctlline.c storekit.c) $(ctl-sources) \
               $(store-objs:.o=.c) hyp/lib/format.c

unit-tests += test_consoles
test_consoles-src  := tests/unit/test_consoles.c hyp/lib/format.c $(ctl-sources)

unit-tests += test_domstore
test_domstore-src   = tests/unit/test_domstore.c $(ctl-host)

unit-tests += test_services
test_services-src   = tests/unit/test_services.c $(ctl-host)

unit-tests += test_streams
test_streams-src   = tests/unit/test_streams.c $(ctl-host)

unit-tests += test_arq
test_arq-src := tests/unit/test_arq.c tests/unit/fake_line.c $(addprefix drvdom/ctl/,arq.c framing.c)


unit-tests += test_mux
test_mux-src := tests/unit/test_mux.c tests/unit/fake_line.c $(addprefix drvdom/ctl/,mux.c arq.c framing.c)

unit-tests += test_pages
test_pages-src  := tests/unit/test_pages.c drvdom/ctl/pages.c
