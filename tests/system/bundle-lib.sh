# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Broken bundles: what is broken is not started, and the log says what and why.
#
#   number FILE OFFSET SIZE   reads one of SIZE bytes
#   flip FILE OFFSET          inverts a byte
#   seal FILE PAGE            the checksum of the header (page 0) or of a record is right again

# Offsets in hyp/abi/bundle.h.
record_name=16
record_vcpus=96
record_nsegments=152
record_segments=160
segment_size=48
segment_gpa=24

number() {
    od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

flip() {
    poke "$1" "$2" "$(printf %02x $((255 - $(number "$1" "$2" 1))))"
}

seal() {
    at=$(($2 * 4096))
    [ "$2" != 0 ] || at=8
    poke "$1" "$at" 00 00 00 00 00 00 00 00
    sum=$(dd if="$1" bs=4096 skip="$2" count=1 status=none | xxhsum -H1)
    # shellcheck disable=SC2046 # several bytes
    poke "$1" "$at" $(echo "$sum" |
        sed 's/^\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\).*/\8 \7 \6 \5 \4 \3 \2 \1/')
}

# The place of field $2 in the record of domain $1.
field() {
    echo $((($1 + 1) * 4096 + $2))
}

# Domain 0 is the control domain, 1 a good guest; the others become what they are called.
good_bundle() { # DIR
    {
        for name in good record data vcpus segment twin odd; do
            probe version 1 "" "" "$name"
        done
    } | host_xml "$1"
    "$BUILD/bl" image --control "$BUILD/ctl.elf" --bundle "$1/good" "$1/host.xml"
    cp "$1/good" "$1/sealed"
    seal "$1/sealed" 0
    seal "$1/sealed" 1
    cmp "$1/good" "$1/sealed" # or the sum that is taken here is not bl's
}

broken_records() { # DIR
    b=$1/broken
    cp "$1/good" "$b"
    poke "$b" "$(field 2 $record_vcpus)" 02
    last=$(($(number "$b" "$(field 3 $record_nsegments)" 4) - 1))
    data=$(number "$b" "$(field 3 $((record_segments + segment_size * last)))" 8)
    flip "$b" $((data + 1))
    poke "$b" "$(field 4 $record_vcpus)" 00
    seal "$b" 5
    poke "$b" "$(field 5 $((record_segments + segment_gpa)))" 00 00 80
    seal "$b" 6
    poke "$b" "$(field 6 $record_name)" 67 6f 6f 64
    seal "$b" 7
    poke "$b" "$(field 7 $((record_name + 1)))" 1b
    seal "$b" 8
}

expect_broken_records() { # DIR
    expect "$1" 'bundle: domain 2 "record" is not started: checksum: does not match$' \
        "\[data\] segment $last: checksum: does not match\$" "\[data\] domain . destroyed" \
        'bundle: domain 4 "vcpus" is not started: vcpus: must be 1..64$' \
        "bundle: domain 5 \"segment\" is not started: segment 0: gpa: not within the guest's memory\$" \
        'bundle: domain 6 "good" is not started: name: domain 1 has the same$' \
        'bundle: domain 7 "o?d" is not started: name: not a printable name$' \
        "\[good\] domain . started" "\[good\] PASS" "no guest is left" "power off"
    expect_not "$1" "\[\(record\|data\|vcpus\|segment\|odd\)\] domain . started"
    [ "$(grep -ac "\[good\] PASS" "$1/com1.log")" = 1 ]
}

# A bundle that is not started at all, and why.
expect_nothing() { # VENDOR DIR WHY ARG...
    vendor=$1
    dir=$2
    why=$3
    shift 3
    boot_image "$dir" "$dir/broken"
    : >"$dir/com1.log"
    boot_until "$vendor" "$dir" "bundle: $why\$" 1 "$@"
    expect_not "$dir" "domain . started"
}
