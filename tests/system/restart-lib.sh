# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Domains of ours die, come back under their number, and guests go on.

count() { # DIR PATTERN
    grep -ac -- "$2" "$1/com1.log" || true
}

# A Linux guest, whose shell has the terminal, and the control domain that Ctrl-^ kills.
restart_console() { # DIR
    CONTROL=$BUILD/probe/mortal/mortal.elf
    guest one cloud 1 256 "quiet bh.end=shell" | host_image "$1" "$BUILD/debug/bulkhead.elf"
}

# The key comes with what is typed, so that the guest writes more than its ring holds while nobody
# reads it. Its shell still counts, and its kernel has noticed nothing.
restart_talk() { # DIR DEATHS
    wait_for "$1/com1.log" "\[one\] test: shell"
    printf 'lines() { dmesg | wc -l; }; n=0 before=$(lines)\n' >"$1/com2.in"
    for n in $(seq "$2"); do
        first=$((n * 10000000))
        last=$((first + 250))
        printf 'n=$((n + 1)); seq $((n * 10000000)) $((n * 10000000 + 250))\n\036' >"$1/com2.in"
        wait_for "$1/com1.log" "\[one\] $last"
        seq $first $last >"$1/want"
        sed -n "s/.*\[one\] \($n.......\)\$/\1/p" "$1/com1.log" >"$1/have"
        cmp "$1/want" "$1/have"
    done
    printf 'echo "lives $n lines $(($(lines) - before))"\nexit\n' >"$1/com2.in"
    wait_for "$1/com1.log" "\[one\] domain 2 destroyed"
}

restart_expect() { # DIR DEATHS
    expect "$1" "\[one\] lives $2 lines 0\$" "no guest is left" "power off"
    [ "$(count "$1" "\[ctl\] domain 1 crashed (restart)")" = "$2" ]
    [ "$(count "$1" "\[ctl\] domain 1 started")" = "$(($2 + 1))" ]
    [ "$(count "$1" "\[.*\] domain . started")" = "$(($2 + 2))" ]
}

# A domain of ours whose frames a guest has mapped each time that it dies.
restart_held() { # VENDOR DIR LIVES ARG...
    vendor=$1
    dir=$2
    lives=$3
    shift 3
    {
        probe reborn 1 "<on_crash>restart</on_crash>"
        probe holder 1 "" "2 $lives"
    } | host_xml "$dir"
    "$BUILD/bl" image --bundle "$dir/bundle" "$dir/host.xml"
    poke "$dir/bundle" "$(field 1 8)" 02 # its class: xs
    seal "$dir/bundle" 2
    seal "$dir/bundle" 0
    boot_image "$dir" "$dir/bundle" "$BUILD/debug/bulkhead.elf"
    "boot_$vendor" "$dir" "$@"
    expect "$dir" "\[holder\] PASS" "no guest is left" "power off"
    held=$(count "$dir" "\[reborn\] domain 2 starts again when others let go of [12] of its frames")
    [ "$held" -ge "$lives" ]
    [ "$(count "$dir" "\[reborn\] domain 2 started")" -ge "$lives" ]
    [ "$(count "$dir" "\[.*\] domain [^123] started")" = 0 ]
}
