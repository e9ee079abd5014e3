# SPDX-License-Identifier: MIT
hyp-objs += mm/frame.o mm/buddy.o mm/p2m.o
