# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# One guest reads the store and writes on its console beside others that flood the store, consoles
# and event channels, one after the other.
#
#   flood_host DIR COUNT [FLOOD...]   DIR/host.iso; COUNT: reads and lines beside each of the floods
#   flood_run VENDOR DIR COUNTS ARG...   all of them, for each of the counts: the reader gets what is
#                                     its own, ours live on
FLOODS="write tree watch transaction deaf garbage long index text lines jumps kicks events ports"
FLOOD_CPUS= # empty: flooders share what CPUs the others have
FLOOD_FIGURES=0
FLOOD_HYPERVISOR= # empty: the usual one

flood_host() { # DIR COUNT [FLOOD...]
    dir=$1
    count=$2
    shift 2
    {
        probe reader 1 "" "count=$count floods=$# apart=${FLOOD_CPUS:+1} figures=$FLOOD_FIGURES"
        CPUSET=${FLOOD_CPUS:-$CPUSET}
        for each; do
            probe flood 1 "" "$each" "$each"
        done
    } | {
        STORE=yes
        host_image "$dir" ${FLOOD_HYPERVISOR:+"$FLOOD_HYPERVISOR"}
    }
}

# Of the host's log, nobody loses lines but the flooders.
flood_expect() { # DIR COUNT FLOOD...
    dir=$1
    count=$2
    shift 2
    expect "$dir" "\[reader\] PASS" "no guest is left" "power off"
    expect_not "$dir" "domain . crashed\|FAIL"
    for each in nobody "$@"; do
        lines=$(grep -ac "\[reader\] line [0-9]* beside $each" "$dir/com1.log" || true)
        [ "$lines" = "$count" ] || {
            echo "beside $each: $lines lines, not $count"
            exit 1
        }
    done
}

# Each time as many frames are left.
flood_run() { # VENDOR DIR COUNTS ARG...
    vendor=$1
    dir=$2
    counts=$3
    shift 3
    FLOOD_HYPERVISOR=$BUILD/debug/bulkhead.elf
    before=
    for each_count in $counts; do
        # shellcheck disable=SC2086 # several words
        flood_host "$dir" "$each_count" $FLOODS
        "boot_$vendor" "$dir" "$@"
        # shellcheck disable=SC2086 # several words
        flood_expect "$dir" "$each_count" $FLOODS
        left=$(grep -a "mem: .* free" "$dir/com1.log" | tail -n 1 | sed 's/.*mem: //')
        [ "${before:=$left}" = "$left" ] || {
            echo "at first $before, with $each_count reads $left"
            exit 1
        }
    done
}
