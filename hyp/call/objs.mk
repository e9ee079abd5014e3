# SPDX-License-Identifier: MIT
hyp-objs += hyp/call/call.o hyp/call/multicall.o hyp/call/version.o hyp/call/memory.o
hyp-objs += hyp/call/physmap.o hyp/call/hvmop.o hyp/call/vcpuop.o hyp/call/vcpuinit.o
hyp-objs += hyp/call/schedop.o hyp/call/consoleio.o hyp/call/physdevop.o
hyp-objs += hyp/call/control.o hyp/call/controlload.o hyp/call/controllife.o
hyp-objs += hyp/call/controldom.o hyp/call/controlvcpu.o

fake-call := tests/unit/fake_call.c $(patsubst %.o,%.c,$(filter hyp/call/%,$(hyp-objs)))
fake-call += hyp/dom/record.c hyp/dom/ram.c hyp/dom/sched.c hyp/dom/image.c
fake-call += hyp/lib/hash.c hyp/lib/format.c

unit-tests += test_call_memory
test_call_memory-src := tests/unit/test_call_memory.c $(fake-call) $(fake-dom)
test_call_memory-flags := -Wl,--wrap=p2m_map

unit-tests += test_call
test_call-src := tests/unit/test_call.c $(fake-call) $(fake-dom)

unit-tests += test_call_control
test_call_control-src := tests/unit/test_call_control.c $(fake-call) $(fake-dom)

unit-tests += test_call_vcpu
test_call_vcpu-src := tests/unit/test_call_vcpu.c $(fake-call) $(fake-dom)

unit-tests += test_invariant
test_invariant-src := tests/unit/test_invariant.c hyp/dom/invariant.c $(fake-call) \
                      $(fake-dom)
