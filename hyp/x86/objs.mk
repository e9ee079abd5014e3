# SPDX-License-Identifier: MIT
hyp-objs += hyp/x86/paging.o hyp/x86/uart.o hyp/x86/trap_entry.o hyp/x86/trap.o hyp/x86/panic.o
hyp-objs += hyp/x86/acpi.o hyp/x86/power.o
hyp-objs += hyp/x86/apic.o hyp/x86/cpu.o hyp/x86/time.o hyp/x86/timer.o hyp/x86/tsc.o
hyp-objs += $(if $(DEBUG),hyp/x86/watch.o)
hyp-objs += hyp/x86/ioapic.o hyp/x86/irq.o hyp/x86/smp.o hyp/x86/trampoline.o

unit-tests += test_spec
test_spec-src := tests/unit/test_spec.c hyp/x86/spec.c

unit-tests += test_tsc
test_tsc-src := tests/unit/test_tsc.c hyp/x86/tsc.c

unit-tests += test_smp
test_smp-src := tests/unit/test_smp.c

unit-tests += test_time
test_time-src := tests/unit/test_time.c hyp/x86/tsc.c

unit-tests += test_timer
test_timer-src := tests/unit/test_timer.c
