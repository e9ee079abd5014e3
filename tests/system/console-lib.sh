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

# A guest that never reads: a ring full of input (1 KiB) is kept for it, the rest is dropped.
console_deaf() { # DIR
    wait_for "$1/com2.log" "bulkhead: console of deaf (Ctrl-\] ? for keys) --"
    # What comes at once might be the end of a frame, and not typed.
    until grep -aq "bulkhead: \* 2 deaf --" "$1/com2.log"; do
        printf '\035l' >"$1/com2.in"
        sleep 1
    done
    printf '%1000s\0358' "" >"$1/com2.in"
    wait_for "$1/com2.log" "bulkhead: no domain 8 --"
    ! grep dropped "$1/com2.log" || exit 1
    printf %1000s "" >"$1/com2.in"
    wait_for "$1/com2.log" "bulkhead: deaf does not listen: input dropped --"
    printf '\035?' >"$1/com2.in"
    wait_for "$1/com2.log" \
        "bulkhead: Ctrl-\] then: n next, p previous, 0-9 domain number, l list, Ctrl-\] itself --"
    printf '\0359' >"$1/com2.in"
    wait_for "$1/com2.log" "bulkhead: no domain 9 --"
}

# Keys in bursts, each answered before the next: input comes at any moment of the control domain's
# going to sleep.
console_bursts() { # DIR TIMES
    keys=$(printf '\0358%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)
    for n in $(seq "$2"); do
        printf '%s\0357' "$keys" >"$1/com2.in"
        tries=0
        until [ "$(grep -ac "bulkhead: no domain 7 --" "$1/com2.log")" -ge "$n" ]; do
            tries=$((tries + 1))
            [ "$tries" -lt 60000 ] || {
                echo "no answer to burst $n"
                exit 1
            }
            sleep 0.01
        done
    done
}

# No guest at all. What comes before the control domain has set up the port may be lost.
console_nobody() { # DIR
    wait_for "$1/com1.log" "\[ctl\] domain 1 started"
    until grep -aq "bulkhead: no console: input dropped --" "$1/com2.log"; do
        printf x >"$1/com2.in"
        sleep 1
    done
    printf '\035l' >"$1/com2.in"
    wait_for "$1/com2.log" "bulkhead: no console --"
}
