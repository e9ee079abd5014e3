# SPDX-License-Identifier: MIT
ctl-objs += drvdom/ctl/ctl.o drvdom/ctl/conring.o drvdom/ctl/keys.o drvdom/ctl/line.o
ctl-objs += drvdom/ctl/terminal.o
