# SPDX-License-Identifier: MIT
# Event channels and grants.

hyp-objs += hyp/dom/evtchn.o hyp/dom/evtchn_deliver.o hyp/dom/evtchn_fifo.o hyp/dom/evtchn_op.o
