# SPDX-License-Identifier: MIT
# The comparison with Debian's xenstored: a program, and what it preloads into the daemon.
xsdiff-objs := $(addprefix tests/xs/,xsdiff.o side.o step.o link.o normal.o gen.o storeop.o known.o)
