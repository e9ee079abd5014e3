# SPDX-License-Identifier: MIT
shim-objs += $(addprefix xs/shim/shim_,domain.o host.o node.o open.o paths.o read.o talk.o watch.o)

shim-sources := $(shim-objs:.o=.c)
unit-tests += test_shim
test_shim-src := tests/unit/test_shim.c tests/unit/fake_store.c $(shim-sources)

unit-tests += test_shim_watch
test_shim_watch-src := tests/unit/test_shim_watch.c tests/unit/fake_store.c $(shim-sources)

unit-tests += test_shim_hostile
test_shim_hostile-src   := tests/unit/test_shim_hostile.c tests/unit/fake_store.c $(shim-sources)
test_shim_hostile-flags := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

unit-tests += test_shim_host
test_shim_host-src   := tests/unit/test_shim_host.c tests/unit/fake_store.c $(shim-sources)
test_shim_host-flags := -Wl,--wrap=realpath
