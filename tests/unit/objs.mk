# SPDX-License-Identifier: MIT
# Unit tests: each name is a Check program made of the sources listed.
fake-machine := tests/unit/fake_arch.c mm/frame.c mm/buddy.c

unit-tests += test_frame
test_frame-src := tests/unit/test_frame.c $(fake-machine)

unit-tests += test_p2m
test_p2m-src := tests/unit/test_p2m.c mm/p2m.c $(fake-machine)

unit-tests += test_lib
test_lib-src := tests/unit/test_lib.c hyp/lib/format.c hyp/lib/log.c hyp/lib/hash.c $(fake-machine)
