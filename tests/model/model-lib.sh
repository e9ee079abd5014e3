# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Models checked by Spin, sourced by the test of each. A model has configurations, chosen by macros,
# in which it must hold, and mutations, each a macro that takes one step out of the protocol: Spin
# has to find what that breaks.
set -u
models=tests/model
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# search OPTIMIZATION MODEL MACRO...: searches all states; what Spin's verifier says is in $work/out.
search() {
    optimization=$1
    model=$2
    shift 2
    macros=
    for macro in "$@"; do macros="$macros -D$macro"; done
    cp "$models/$model.pml" "$work/"
    # shellcheck disable=SC2086 # a list of options
    (cd "$work" && spin -a $macros "$model.pml" &&
        gcc $optimization -w -DSAFETY -DVECTORSZ=256 -o pan pan.c &&
        timeout 300 ./pan -m1000000 -w25 -n) >"$work/out" 2>&1
}

verdict() {
    echo "$1 $2"
    [ "$1" = ok ] && return
    failed=1
    cat "$work/out"
}

# holds MODEL MACRO...: no error in any state, and none left out.
holds() {
    if search -O1 "$@" && grep -q 'errors: 0$' "$work/out" &&
        ! grep -Eq 'Search not completed|too small|out of memory' "$work/out"; then
        verdict ok "$* ($(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$work/out") states)"
    else
        verdict FAIL "$*"
    fi
}

# breaks MODEL MACRO...: Spin finds an assertion that fails or a process that waits for ever.
breaks() {
    search -O0 "$@"
    if grep -Eq '^pan:1: (assertion violated|invalid end state)' "$work/out"; then
        verdict ok "$* is found"
    else
        verdict FAIL "$* is not found"
    fi
}

finish() {
    exit $failed
}
