# SPDX-License-Identifier: MIT
bl-objs += xml/cpuset.o xml/domxml.o xml/hostxml.o xml/source.o xml/walk.o xml/schema.o

unit-tests += test_xml
test_xml-src := tests/unit/test_xml.c tests/unit/kernels.c \
                xml/hostxml.c xml/domxml.c xml/cpuset.c xml/source.c xml/walk.c xml/schema.S \
                $(addprefix tools/,mkbundle.c mkdomain.c kernel.c unpack.c file.c) \
                hyp/dom/record.c hyp/lib/hash.c
