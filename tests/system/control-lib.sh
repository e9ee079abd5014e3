# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The control hypercall: a probe in the control domain's place makes guests, well and badly. On the
# debug build, which checks itself after each that goes.
control_host() { # DIR
    HOST_MIB=256
    probe sleeper 1 "" 1000000000 kept | host_xml "$1"
    "$BUILD/bl" image --hypervisor "$BUILD/debug/bulkhead.elf" -o "$1/host.iso" \
        --control "$BUILD/probe/control/control.elf" "$1/host.xml" || exit 1
}

control_expect() { # DIR
    expect "$1" "\[ctl\] PASS" "control create: " "segment 2: checksum: does not match" \
        "\[ends\] domain .* powered off: every vCPU has halted for good (preserve)" \
        "\[ends\] domain .* rebooted: by the administrator" \
        "no guest is left" "power off"
    expect_not "$1" "\[ctl\] FAIL"
}
