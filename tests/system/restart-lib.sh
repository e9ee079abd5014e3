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
# reads it. Its shell still counts, and its kernel says nothing of it.
restart_talk() { # DIR DEATHS
    wait_for "$1/com1.log" "\[one\] test: shell"
    printf 'lines() { dmesg | grep -ciE "xen|hvc|event|grant"; }; n=0 before=$(lines)\n' >"$1/com2.in"
    for n in $(seq "$2"); do
        first=$((n * 10000000))
        last=$((first + 250))
        printf 'n=$((n + 1)); seq $((n * 10000000)) $((n * 10000000 + 250))\n\036' >"$1/com2.in"
        wait_for "$1/com1.log" "\[one\] $last"
        seq $first $last >"$1/want"
        sed -n "s/.*\[one\] \($n.......\)\$/\1/p" "$1/com1.log" >"$1/have"
        cmp "$1/want" "$1/have"
    done
    # shellcheck disable=SC2016 # for the guest's shell
    printf 'echo "lives $n lines $(($(lines) - before))"; [ "$(lines)" = "$before" ] || dmesg | tail -n 40\nexit\n' >"$1/com2.in"
    wait_for "$1/com1.log" "\[one\] domain 2 destroyed"
}

restart_expect() { # DIR DEATHS
    expect "$1" "\[one\] lives $2 lines 0\$" "no guest is left" "power off"
    [ "$(count "$1" "\[ctl\] domain 1 crashed (restart)")" = "$2" ]
    [ "$(count "$1" "\[ctl\] domain 1 started")" = "$(($2 + 1))" ]
    [ "$(count "$1" "\[.*\] domain . started")" = "$(($2 + 2))" ]
}

# Makes domain N of DIR/bundle one of ours: its class, and its vault's pages, little endian.
ours() { # DIR N CLASS [BYTE...]
    dir=$1
    n=$2
    poke "$dir/bundle" "$(field "$n" 8)" "$3"
    shift 3
    [ $# = 0 ] || poke "$dir/bundle" "$(field "$n" 156)" "$@"
    seal "$dir/bundle" $((n + 1))
    seal "$dir/bundle" 0
}

# A store's domain whose frames a guest has mapped each time that it dies. There is no control domain,
# which would wait for its answers.
restart_held() { # VENDOR DIR LIVES ARG...
    vendor=$1
    dir=$2
    lives=$3
    shift 3
    {
        probe reborn 1 "<on_crash>restart</on_crash>"
        probe holder 1 "" "1 $lives"
    } | host_xml "$dir"
    sed -i 's|<control[^>]*/>||' "$dir/host.xml"
    "$BUILD/bl" image --control "$BUILD/ctl.elf" --bundle "$dir/bundle" "$dir/host.xml"
    ours "$dir" 0 02
    boot_image "$dir" "$dir/bundle" "$BUILD/debug/bulkhead.elf"
    "boot_$vendor" "$dir" "$@"
    expect "$dir" "\[holder\] PASS" "no guest is left" "power off"
    held=$(count "$dir" "\[reborn\] domain 1 starts again when others let go of 1 of its frames")
    [ "$held" -ge "$lives" ]
    [ "$(count "$dir" "\[reborn\] domain 1 started")" -ge "$lives" ]
    [ "$(count "$dir" "\[.*\] domain [^12] started")" = 0 ]
}

# A guest that reboots, and another that keeps a page of each life.
restart_many() { # VENDOR DIR ARG...
    vendor=$1
    dir=$2
    shift 2
    {
        probe mayfly 1 "<on_reboot>restart</on_reboot>" 3
        probe mayfly 1 "" "2 4" keeper
    } | host_image "$dir" "$BUILD/debug/bulkhead.elf"
    "boot_$vendor" "$dir" "$@"
    expect "$dir" "\[keeper\] PASS" "\[mayfly\] PASS" "no guest is left" "power off" \
        "\[mayfly\] domain 7 starts again when others let go of . of its frames"
    [ "$(count "$dir" "\[mayfly\] domain .* started")" = 6 ]
}

# A vault, which a probe finds as it left it; when the domain ends for good as many frames are free
# after one of 600 pages as after one of a single page.
restart_vault() { # VENDOR DIR LIVES ARG...
    vendor=$1
    dir=$2
    last=$3
    shift 3
    ON_IDLE=stay
    for vault in 1 600; do
        lives=$((vault == 1 ? 50 : last))
        probe lasting 1 "<on_crash>restart</on_crash>" "$lives $vault" | host_xml "$dir"
        "$BUILD/bl" image --control "$BUILD/ctl.elf" --bundle "$dir/bundle" "$dir/host.xml"
        ours "$dir" 1 03 "$(printf %02x $((vault % 256)))" "$(printf %02x $((vault / 256)))"
        boot_image "$dir" "$dir/bundle" "$BUILD/debug/bulkhead.elf"
        : >"$dir/com1.log"
        boot_until "$vendor" "$dir" "mem: .* free" $((lives + 1)) "$@" # the first: at boot
        expect "$dir" "\[lasting\] PASS" "\[lasting\] domain 2 powered off"
        [ "$(count "$dir" "\[lasting\] domain 2 crashed (restart)")" = $((lives - 1)) ]
        left=$(grep -a "mem: .* free" "$dir/com1.log" | tail -n 1 | sed 's/.*mem: //')
        [ "$vault" = 1 ] || [ "$left" = "$before" ] || {
            echo "with a vault of a page $before, with one of $vault $left"
            exit 1
        }
        before=$left
    done
}

# A control domain that dies before it has started any guest: the guest waits for the next.
restart_gate() { # VENDOR DIR ARG...
    vendor=$1
    dir=$2
    shift 2
    CONTROL=$BUILD/probe/crash/crash.elf
    probe version 1 "" "" waits | host_image "$dir" "$BUILD/debug/bulkhead.elf"
    : >"$dir/com1.log"
    boot_until "$vendor" "$dir" "\[ctl\] domain 1 started" 50 "$@"
    expect "$dir" "\[ctl\] domain 1 crashed (restart)"
    expect_not "$dir" "\[waits\] domain . started"
}
