# SPDX-License-Identifier: MIT
hyp-objs += hyp/lib/string.o hyp/lib/format.o hyp/lib/log.o hyp/lib/hash.o
