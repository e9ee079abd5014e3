# SPDX-License-Identifier: MIT
hyp-objs += hyp/boot/entry.o hyp/boot/multiboot.o hyp/boot/early.o hyp/boot/boot.o

unit-tests += test_multiboot
test_multiboot-src := tests/unit/test_multiboot.c hyp/boot/multiboot.c
