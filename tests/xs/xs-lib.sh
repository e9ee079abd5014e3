# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced.
BUILD=${BUILD:-build}
scripts/xenstored "$BUILD/xenstored"

differ() { # OURS SEED REQUESTS
    "$BUILD/xs/xsdiff" "$(realpath "$BUILD/xs/nohyp.so")" "$BUILD/xenstored/xenstored" "$@"
}
