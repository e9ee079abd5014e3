# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Two guests with a shell each; the keys that switch between them (Ctrl-] n).
console_host() {
    {
        guest one cloud 1 256 "quiet bh.end=shell"
        guest two cloud 1 256 "quiet bh.end=shell"
    } | host_image "$1"
}

# The terminal belongs to the first guest at first. The shell's prompt comes after "test: shell".
console_talk() {
    wait_for "$1/com1.log" "\[one\] test: shell"
    wait_for "$1/com1.log" "\[two\] test: shell"
    printf 'echo "one $((6 * 7))"\n' >"$1/com2.in"
    wait_for "$1/com2.log" "one 42"
    wait_for "$1/com1.log" "\[one\] one 42"
    printf '\035n' >"$1/com2.in"
    printf 'echo "two $((7 * 7))"\n' >"$1/com2.in"
    wait_for "$1/com1.log" "\[two\] two 49"
    wait_for "$1/com2.log" "two 49"
    printf 'exit\n' >"$1/com2.in"
    wait_for "$1/com1.log" "\[two\] domain . destroyed"
    printf '\035n' >"$1/com2.in"
    printf '\nexit\n' >"$1/com2.in"
    wait_for "$1/com1.log" "\[one\] domain . destroyed"
}
