# SPDX-License-Identifier: MIT
bl-objs += xml/domxml.o xml/hostxml.o xml/walk.o xml/schema.o
