# SPDX-License-Identifier: MIT
hyp-objs += $(addprefix hyp/dom/,domains.o record.o domain.o build.o guestacpi.o teardown.o)
hyp-objs += $(addprefix hyp/dom/,run.o sched.o vcpuinfo.o area.o ram.o image.o)
hyp-objs += $(if $(DEBUG),hyp/dom/invariant.o hyp/dom/standstill.o)

evtchn-files := $(addprefix hyp/dom/,evtchn evtchn_deliver evtchn_fifo evtchn_op)
grant-files  := $(addprefix hyp/dom/,grant grant_map grant_copy grant_op)

hyp-objs += $(addsuffix .o,$(evtchn-files) $(grant-files))

fake-domains := tests/unit/fake_dom.c tests/unit/fake_arch.c mm/frame.c mm/buddy.c mm/p2m.c \
            $(addsuffix .c,$(evtchn-files) $(grant-files))
fake-dom := tests/unit/fake_guest.c $(fake-domains)

unit-tests += test_evtchn
test_evtchn-src := tests/unit/test_evtchn.c $(fake-dom)

unit-tests += test_evtchn_fifo
test_evtchn_fifo-src := tests/unit/test_evtchn_fifo.c $(fake-dom)

unit-tests += test_grant
test_grant-src := tests/unit/test_grant.c $(fake-dom)

unit-tests += test_sched
test_sched-src := tests/unit/test_sched.c hyp/dom/sched.c

unit-tests += test_work
test_work-src := tests/unit/test_work.c hyp/dom/teardown.c

unit-tests += test_record
test_record-src := tests/unit/test_record.c hyp/dom/record.c hyp/lib/hash.c

unit-tests += test_image
test_image-src := tests/unit/test_image.c tests/unit/fake_arch.c hyp/dom/image.c mm/frame.c mm/buddy.c
