# SPDX-License-Identifier: MIT
bench-objs += tests/bench/bench.o tests/bench/measure.o tests/bench/grants.o tests/bench/pair.o
