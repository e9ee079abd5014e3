# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What a Linux guest must say: expect_linux DIR NAME KERNEL VCPUS; and after bh.load expect_load DIR
# NAME VCPUS. Guests with 64 vCPUs: expect_big DIR.
expect_linux() {
    online=0
    [ "$4" = 1 ] || online=0-$(($4 - 1))
    expect "$1" "\[$2\] test: kernel $3" "\[$2\] test: cpus $4 online $online" \
        "\[$2\] test: memory [12]..... kB" "\[$2\] test: hypervisor xen 4\.17\.bulkhead" \
        "\[$2\] test: clocksource \(xen\|tsc\)" "\[$2\] test: year 20" "\[$2\] test: irq .*timer0" \
        "\[$2\] test: irq .*hvc_console" "\[$2\] test: done" "\[$2\] domain . powered off" \
        "\[$2\] domain . destroyed" "no guest is left" "power off"
}

expect_load() {
    expect "$1" "\[$2\] test: work $3 of $3" "\[$2\] test: again online 0-$(($3 - 1))" \
        "\[$2\] test: balloon -65536 kB"
    expect_healthy "$1" "$2"
}

expect_healthy() {
    expect_not "$1" "\[$2\] .*\(BUG: \|Oops: \|WARNING: CPU\|detected stalls\|self-detected stall\)"
}

expect_big() {
    expect "$1" "\[big\] test: cpus 64 online 0-63" "\[big\] test: spinlocks 64" \
        "\[big\] test: done" "\[big\] domain . powered off" "no guest is left" "power off"
    expect_healthy "$1" big
}
