# SPDX-License-Identifier: MIT
bench-objs += tests/bench/bench.o tests/bench/measure.o tests/bench/grants.o tests/bench/pair.o
vmlinux-objs += tests/bench/vmlinux.o tools/kernel.o tools/unpack.o tools/file.o
