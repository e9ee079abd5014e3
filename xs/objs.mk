# SPDX-License-Identifier: MIT
# The store's logic: no system, no C library.
store-objs := $(addprefix xs/,heap.o vault.o siphash.o tree.o perms.o wire.o tenant.o conn.o queue.o \
              watches.o transaction.o view.o nodereq.o connreq.o domreq.o ctlreq.o store.o)

# The store's domain.
xs-objs := xs/dom/xsdom.o $(store-objs)

# The program on a Unix socket.
xenstored-objs := $(addprefix xs/hosted/,xenstored.o sockets.o worker.o)

store-test := tests/unit/storekit.c $(store-objs:.o=.c) hyp/lib/format.c

unit-tests += test_store
test_store-src := tests/unit/test_store.c $(store-test)

unit-tests += test_store_memory
test_store_memory-src := tests/unit/test_store_memory.c $(store-test)

unit-tests += test_store_rules
test_store_rules-src := tests/unit/test_store_rules.c $(store-test)

unit-tests += test_store_model
test_store_model-src := tests/unit/test_store_model.c $(store-test)

unit-tests += test_store_crash
test_store_crash-src   := tests/unit/test_store_crash.c $(store-test)
test_store_crash-flags := -Wl,--wrap=heap_alloc -fsanitize-coverage=trace-pc

unit-tests += test_xenstored
test_xenstored-src := tests/unit/test_xenstored.c

fuzz-tests += fuzz_store
fuzz_store-src  := tests/fuzz/fuzz_store.c $(store-test)
fuzz_store-runs := 20000
