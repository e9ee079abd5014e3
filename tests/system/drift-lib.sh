# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Domains whose TSC has a frequency of their own.
tsc() { # HZ: XML of a domain whose TSC has this frequency
    echo "<clock offset='utc'><timer name='tsc' frequency='$1'/></clock>"
}

host_khz() { # DIR: the host's frequency, from its log
    sed -n 's/.* TSC \([0-9]*\) kHz.*/\1/p' "$1/com1.log"
}

cannot_scale() { # NAME KHZ: PATTERN of a host's that cannot give it to domain NAME
    echo "\[$1\] cannot be built: its TSC is to run at $2 kHz, the host's runs at [0-9]* kHz, and this CPU"
}

# Three domains whose clocks are looked at for so many seconds of virtual time, which passes at once
# while everybody sleeps: two have a frequency of their own.
clock_domains() { # SECONDS
    probe drift 1 "$(tsc 2000000000)" "$1" fast
    probe drift 1 "" "$1"
    probe drift 1 "$(tsc 123456789)" "$1" slow
}

expect_clocks() { # DIR SECONDS
    expect "$1" "\[fast\] $2 s, TSC of 2000000 kHz" "\[fast\] PASS" \
        "\[drift\] $2 s, TSC of $(host_khz "$1") kHz" "\[drift\] PASS" \
        "\[slow\] $2 s, TSC of 123456 kHz" "\[slow\] PASS"
}
