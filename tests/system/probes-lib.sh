# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The probe guests that end by themselves, and their verdicts.
# Without "traps", beside which not everything runs in the emulators.
calm_probes="apic evtchn grant loops memory pointers policy sched smp spec version"
probe_names="$calm_probes traps"
all_probes() { # NAME...
    : "${1:?no probe is named}"
    for name in "$@"; do
        vcpus=1
        case $name in
        fpu | smp) vcpus=2 ;;
        loops) vcpus=3 ;;
        esac
        probe "$name" "$vcpus"
    done
}
expect_probes() { # DIR NAME...
    probes_dir=$1
    shift
    : "${1:?no probe is named}"
    for name in "$@"; do
        expect "$probes_dir" "\[$name\] PASS" "\[$name\] domain [0-9]* destroyed"
    done
    expect "$probes_dir" "no guest is left" "power off"
}
