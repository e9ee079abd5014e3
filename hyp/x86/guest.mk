# SPDX-License-Identifier: MIT
# What both vendors share of running guests.
hyp-objs += hyp/x86/vcpu.o hyp/x86/exit.o hyp/x86/vlapic.o hyp/x86/vlapic_icr.o hyp/x86/cpuid.o
hyp-objs += hyp/x86/msr.o hyp/x86/ioport.o hyp/x86/copy.o hyp/x86/flush.o hyp/x86/vendor.o
hyp-objs += hyp/x86/spec.o hyp/x86/retpoline.o

unit-tests += test_flush
test_flush-src := tests/unit/test_flush.c
