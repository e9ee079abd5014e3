# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The probe guests that end by themselves, and their verdicts.
probe_names="apic evtchn grant loops memory pointers policy sched smp spec traps version"
all_probes() {
    for name in $probe_names; do
        vcpus=1
        case $name in
        smp) vcpus=2 ;;
        loops) vcpus=3 ;;
        esac
        probe "$name" "$vcpus"
    done
}
expect_probes() {
    for name in $probe_names; do
        expect "$1" "\[$name\] PASS" "\[$name\] domain [0-9]* destroyed"
    done
    expect "$1" "no guest is left" "power off"
}
