# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For the system tests, sourced: boots an image in an emulator and looks at the host's log.
#
#   boot_image DIR          makes DIR/host.iso of the hypervisor
#   boot_qemu DIR ARG...    AMD-V: the log goes to DIR/com1.log; ARG are further options
#   boot_bochs DIR CPUS     VT-x
#   expect DIR PATTERN...   each must stand in the log

ACCEL=${ACCEL:-tcg}
BUILD=${BUILD:-build}
HANG=300 # seconds: only for an emulator that hangs

boot_image() {
    mkdir -p "$1/tree/boot/grub"
    cp "$BUILD/bulkhead.elf" "$1/tree/boot/"
    printf 'set timeout=0\nmultiboot2 /boot/bulkhead.elf\nboot\n' >"$1/tree/boot/grub/grub.cfg"
    grub-mkrescue -o "$1/host.iso" "$1/tree" >"$1/mkrescue.log" 2>&1 || {
        cat "$1/mkrescue.log"
        exit 1
    }
}

# QEMU's code is 0 after a power-off, but after a reset too: the log tells them apart.
boot_qemu() {
    dir=$1
    shift
    timeout "$HANG" qemu-system-x86_64 -accel "$ACCEL" -M q35 -m 1024 -nodefaults -no-reboot \
        -cpu EPYC,+svm,+npt,-rdtscp,-monitor,vendor=AuthenticAMD -display none -vga std \
        -cdrom "$dir/host.iso" -serial "file:$dir/com1.log" "$@" >"$dir/qemu.log" 2>&1 </dev/null
}

# Bochs ends with 1 after a power-off.
boot_bochs() {
    cat >"$1/bochsrc" <<END
config_interface: textconfig
display_library: rfb, options="timeout=0"
plugin_ctrl: sb16=false, es1370=false, speaker=false, usb_uhci=false
cpu: model=corei7_skylake_x, count=$2, ips=100000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$1/host.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$1/com1.log
log: $1/bochs.log
panic: action=fatal
error: action=ignore
clock: sync=none, time0=1767225600
END
    echo c >"$1/rc"
    timeout "$HANG" bochs -q -f "$1/bochsrc" -rc "$1/rc" >"$1/bochs.out" 2>&1 </dev/null || [ $? = 1 ]
}

expect() {
    dir=$1
    shift
    for pattern in "$@"; do
        grep -q -- "$pattern" "$dir/com1.log" || {
            echo "not in the host's log: $pattern"
            tail -n 40 "$dir/com1.log"
            exit 1
        }
    done
}
