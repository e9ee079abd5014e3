# SPDX-License-Identifier: MIT
# Fuzzers: each name is a libFuzzer program made of the sources listed; -runs: new inputs in check.
fuzz-tests += fuzz_boot
fuzz_boot-src  := tests/fuzz/fuzz_boot.c hyp/boot/multiboot.c hyp/x86/acpi.c hyp/x86/svm/svminsn.c
fuzz_boot-runs := 100000

fuzz-tests += fuzz_bundle
fuzz_bundle-src  := tests/fuzz/fuzz_bundle.c hyp/dom/record.c hyp/lib/hash.c
fuzz_bundle-runs := 200000

fuzz-tests += fuzz_console
fuzz_console-src  := tests/fuzz/fuzz_console.c $(addprefix drvdom/ctl/,lane.c line.c keys.c)
fuzz_console-runs := 6000

fuzz-tests += fuzz_call
fuzz_call-src   := $(addprefix tests/fuzz/,fuzz_call.c callgen.c audit.c) $(fake-call) \
                   $(fake-domains) hyp/x86/copy.c hyp/dom/area.c hyp/dom/vcpuinfo.c hyp/x86/tsc.c
fuzz_call-flags := -D_GNU_SOURCE= -include tests/fuzz/fake_window.h \
                   -Wl,--wrap=arch_slot_map,--wrap=run_preempted
fuzz_call-runs  := 5000

fuzz-tests += fuzz_xml
fuzz_xml-src  := tests/fuzz/fuzz_xml.c tests/unit/kernels.c xml/hostxml.c xml/domxml.c \
                 xml/cpuset.c xml/source.c xml/walk.c xml/schema.S \
                 $(addprefix tools/,mkbundle.c mkdomain.c kernel.c unpack.c file.c) \
                 hyp/dom/record.c hyp/lib/hash.c
fuzz_xml-runs := 30000

fuzz-tests += fuzz_kernel
fuzz_kernel-src  := tests/fuzz/fuzz_kernel.c tests/unit/kernels.c \
                    $(addprefix tools/,kernel.c unpack.c file.c)
fuzz_kernel-runs := 5000

fuzz-tests += fuzz_shim
fuzz_shim-src   := tests/fuzz/fuzz_shim.c $(shim-sources)
fuzz_shim-flags := -Wl,--wrap=send
fuzz_shim-runs  := 10000

fuzz-tests += fuzz_link
fuzz_link-src  := tests/fuzz/fuzz_link.c $(addprefix drvdom/ctl/,mux.c arq.c framing.c)
fuzz_link-runs := 20000
