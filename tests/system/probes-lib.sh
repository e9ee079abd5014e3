# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The probe guests that end by themselves, and their verdicts.
probe_names="apic evtchn grant memory sched smp spec version"
all_probes() {
    for name in $probe_names; do
        vcpus=1
        [ "$name" != smp ] || vcpus=2
        probe "$name" "$vcpus"
    done
}
expect_probes() {
    for name in $probe_names; do
        expect "$1" "\[$name\] PASS" "\[$name\] domain . destroyed"
    done
    expect "$1" "no guest is left" "power off"
}
