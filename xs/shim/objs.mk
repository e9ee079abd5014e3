# SPDX-License-Identifier: MIT
shim-objs += $(addprefix xs/shim/shim_,domain.o host.o node.o open.o paths.o read.o talk.o watch.o)
