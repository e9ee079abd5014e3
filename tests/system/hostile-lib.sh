# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Hostile guests beside one that works; whatever they do, the host stays whole. SEED, CALLS (chaos's
# hypercalls) and LIVES (insns' domains) come from the environment, from the caller's defaults, or
# from hostile-seeds: numbers that have failed once. FAVOUR is how many times another guest's weight
# chaos has: a long run has most of the time for its calls.
FAVOUR=${FAVOUR:-1}
restarts="<on_reboot>restart</on_reboot><on_crash>restart</on_crash>"

hostile_guests() { # SEED CALLS LIVES; domain 2 is chaos
    probe chaos 3 "$(shares $((64 * FAVOUR)))" "seed=$1 count=$2"
    probe insns 2 "$(shares 64)$restarts" "seed=$1 count=3000 last=$3"
    probe neighbour 1 "$(shares 64)" "until=2"
}

frames_left() {
    grep -a "mem: .* free" "$1/com1.log" | tail -n 1 | sed 's/.*mem: //'
}

# A short run; a long one leaves as many frames free.
hostile_base() { # VENDOR DIR ARG...
    vendor=$1
    dir=$2
    shift 2
    hostile_guests 1 2000 5 | host_image "$dir" "$BUILD/debug/bulkhead.elf"
    "boot_$vendor" "$dir" "$@"
    expect "$dir" "no guest is left" "power off"
    before=$(frames_left "$dir")
}

hostile_run() { # VENDOR DIR SEED CALLS LIVES ARG...
    vendor=$1
    dir=$2
    seed=$3
    calls=$4
    lives=$5
    shift 5
    echo "seed $seed, $calls hypercalls, $lives lives"
    hostile_guests "$seed" "$calls" "$lives" | host_image "$dir" "$BUILD/debug/bulkhead.elf"
    "boot_$vendor" "$dir" "$@"
    expect "$dir" "\[chaos\] .*PASS" "\[insns\] PASS" "\[neighbour\] PASS" "no guest is left" \
        "power off"
    grep -a "\[chaos\] [0-9]* and [0-9]* hypercalls\|\[insns\] .* attempts:\|\[neighbour\] PASS" "$dir/com1.log" | tail -n 5
    grep -a "\[chaos\] PASS\|\[neighbour\] PASS" "$dir/com1.log" | tail -n 1 | grep -q neighbour || {
        echo "the neighbour did not work to the end of the hypercalls"
        exit 1
    }
    [ "$(grep -ac "\[insns\] seed=" "$dir/com1.log")" -ge $((lives - 3)) ] || {
        echo "fewer lives than $lives"
        exit 1
    }
    after=$(frames_left "$dir")
    [ "$before" = "$after" ] || {
        echo "before $before, after $after"
        exit 1
    }
}

# What has failed once.
hostile_replay() { # VENDOR DIR ARG...
    replay_vendor=$1
    replay_dir=$2
    shift 2
    grep -v '^#' tests/system/hostile-seeds >"$replay_dir/seeds"
    while read -r replay_seed replay_calls replay_lives; do
        hostile_run "$replay_vendor" "$replay_dir" "$replay_seed" "$replay_calls" \
            "$replay_lives" "$@"
    done <"$replay_dir/seeds"
}

# One CPU, equal weights: the neighbour gets its share, whatever storms beside it.
hostile_storm() { # VENDOR DIR VCPUS WORK ARG...
    vendor=$1
    dir=$2
    vcpus=$3
    work=$4
    shift 4
    {
        probe neighbour 1 "" "work=$work share=45"
        probe storm "$vcpus" "" "vcpus=$vcpus"
    } | host_image "$dir"
    "boot_$vendor" "$dir" "$@"
    expect "$dir" "\[neighbour\] PASS" "\[storm\] PASS" "no guest is left" "power off"
    grep -a "\[neighbour\] ran\|\[storm\] .* rounds" "$dir/com1.log"
}
