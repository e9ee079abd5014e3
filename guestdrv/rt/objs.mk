# SPDX-License-Identifier: MIT
rt-objs += guestdrv/rt/entry.o guestdrv/rt/rt.o guestdrv/rt/idt.o guestdrv/rt/event.o guestdrv/rt/gnttab.o
