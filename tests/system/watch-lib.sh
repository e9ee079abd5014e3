# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The debug build counts its own instructions (hyp/x86/watch.h): none of its stretches is too long,
# whatever the guests do.
WATCH_LIMIT=100000
greedy() {
    domain greedy 64 32 "$(realpath "$BUILD/probe/greedy/greedy.elf")" "" "" ""
}

watch_image() {
    host_xml "$1"
    "$BUILD/bl" image --control "$BUILD/ctl.elf" --bundle "$1/bundle" "$1/host.xml"
    boot_image "$1" "$1/bundle" "$BUILD/debug/bulkhead.elf" "watch=$WATCH_LIMIT"
}

watch_host() {
    {
        # shellcheck disable=SC2086 # several names
        all_probes $probe_names
        greedy
        probe reboot 1 "<on_reboot>restart</on_reboot>" 20
    } | watch_image "$1"
}

watch_expect() {
    # shellcheck disable=SC2086
    expect_probes "$1" $probe_names
    expect "$1" "\[greedy\] PASS" "\[reboot\] domain 20 destroyed" "watch: longest: .* of [1-9][0-9]\{4\} instructions"
    if grep -a "watch: .* took" "$1/com1.log"; then
        exit 1
    fi
}
