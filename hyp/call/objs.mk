# SPDX-License-Identifier: MIT
hyp-objs += hyp/call/call.o hyp/call/multicall.o hyp/call/version.o hyp/call/memory.o
hyp-objs += hyp/call/physmap.o hyp/call/hvmop.o hyp/call/vcpuop.o hyp/call/vcpuinit.o
hyp-objs += hyp/call/schedop.o hyp/call/timerop.o hyp/call/consoleio.o hyp/call/physdevop.o
hyp-objs += hyp/call/control.o
