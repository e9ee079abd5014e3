# SPDX-License-Identifier: MIT
# Event channels and grants.
hyp-objs += hyp/dom/evtchn.o hyp/dom/evtchn_deliver.o hyp/dom/evtchn_fifo.o hyp/dom/evtchn_op.o
hyp-objs += hyp/dom/grant.o hyp/dom/grant_map.o hyp/dom/grant_copy.o hyp/dom/grant_op.o
