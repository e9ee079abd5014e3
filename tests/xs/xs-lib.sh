# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced.
BUILD=${BUILD:-build}
scripts/xentools "$BUILD/xentools"

differ() { # OURS SEED REQUESTS
    "$BUILD/xs/xsdiff" "$(realpath "$BUILD/xs/nohyp.so")" "$BUILD/xentools/xenstored" "$@"
}
