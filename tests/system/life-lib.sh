# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Ends of domains: what the guest does, and what <on_...> says. On the debug build, which checks
# itself each time; but for the many reboots.
life_host() {
    {
        probe crash 1 "<on_crash>destroy</on_crash>" "" own
        probe crash 1 "<on_crash>destroy</on_crash>" hole hole
        probe crash 1 "<on_reboot>destroy</on_reboot>" triple triple
        probe crash 1 "<on_reboot>destroy</on_reboot>" port port
        probe crash 1 "" halt halt
        probe crash 1 "" init init
        probe crash 1 "<on_crash>destroy</on_crash>" jump jump
        probe crash 1 "<on_crash>destroy</on_crash>" call call
        probe crash 1 "<on_crash>destroy</on_crash>" gate gate
    } | host_image "$1" "$BUILD/debug/bulkhead.elf"
}

life_expect() {
    expect "$1" "\[own\] domain . crashed (destroy)" \
        "\[hole\] domain . crashed: write of guest-physical address 0xd0000000, where nothing is" \
        "\[triple\] domain . rebooted: triple fault (destroy)" \
        "\[port\] domain . rebooted (destroy)" \
        "\[halt\] domain . powered off: every vCPU has halted for good" \
        "\[init\] domain . powered off: every vCPU waits to be started" \
        "no guest is left" "power off"
}

# VT-x leaves task switches to the hypervisor, which does none. The selector in the qualification is
# followed by what led to it: a jump, a call, a task gate (SDM vol. 3 table 28-2).
life_no_tasks() {
    expect "$1" "\[jump\] vCPU 0: task switch: code 0x9, info 0x80000028" \
        "\[call\] vCPU 0: task switch: code 0x9, info 0x28" \
        "\[gate\] vCPU 0: task switch: code 0x9, info 0xc0000028"
    for way in jump call gate; do
        expect "$1" "\[$way\] domain .* crashed: task switch (destroy)"
        expect_not "$1" "\[$way\] \(PASS\|FAIL\)"
    done
}

# AMD-V's CPU does them in the guest.
life_tasks() {
    for way in jump call gate; do
        expect "$1" "\[$way\] PASS" "\[$way\] domain .* powered off"
    done
}

# The free frames after 1,000 reboots are as many as after 20.
reboots() { # VENDOR DIR ARG...
    vendor=$1
    dir=$2
    shift 2
    for last in 20 1000; do
        probe reboot 1 "<on_reboot>restart</on_reboot>" "$last" | host_image "$dir"
        "boot_$vendor" "$dir" "$@"
        expect "$dir" "\[reboot\] domain $last destroyed" "no guest is left" "power off"
        left=$(grep -a "mem: .* free" "$dir/com1.log" | tail -n 1 | sed 's/.*mem: //')
        [ "$last" = 20 ] || [ "$left" = "$before" ] || {
            echo "after 20 reboots $before, after 1,000 $left"
            grep -av "reboot\]" "$dir/com1.log" | sed -n '1,12p'
            tail -n 12 "$dir/com1.log"
            exit 1
        }
        before=$left
    done
}

# A crashed guest that is to be kept is kept, and so the host stays up; one with a restart returns.
life_preserve() { # VENDOR DIR ARG...
    vendor=$1
    dir=$2
    shift 2
    {
        probe crash 1 "<on_crash>preserve</on_crash>" "" kept
        probe crash 1 "<on_crash>restart</on_crash>" "" again
    } | host_image "$dir" "$BUILD/debug/bulkhead.elf"
    boot_until "$vendor" "$dir" "\[again\] domain .* destroyed" 5 "$@"
    expect "$dir" "\[kept\] domain . crashed (preserve)" "\[again\] domain .* crashed (restart)"
    if grep -aq "\[kept\] domain . destroyed" "$dir/com1.log"; then
        echo "the domain to be kept is gone"
        exit 1
    fi
}
