# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For the system tests, sourced: makes hosts, boots them in an emulator, looks at the host's log.
#
#   guest NAME KERNEL VCPUS MIB CMDLINE [XML]   a domain with a kernel of scripts/kernels, on stdout
#   probe PROBE [VCPUS [XML [CMDLINE [NAME]]]]  a domain with a probe guest
#   shares WEIGHT [CAP]                         XML of a domain with this weight, and cap in percent
#   host_xml DIR                                domains on stdin: DIR/host.xml with a control domain
#   host_image DIR [HYPERVISOR]                 the same, and DIR/host.iso
#   boot_image DIR [BUNDLE [HYPERVISOR [OPTION]]]   DIR/host.iso by hand: the hypervisor, with no
#                                               bundle or with this one, and its command line
#   qemu_cpus N             before an image: domains get N CPUs of QEMU, of -smp "$SMP"
#   boot_qemu DIR ARG...    AMD-V: the log goes to DIR/com1.log; ARG are further options
#   boot_bochs DIR CPUS     VT-x; if there is a DIR/rc, Bochs' debugger has its commands from there
#   type_bochs DIR          before boot_bochs: the second serial port becomes DIR/com2.in and .log
#   type_qemu DIR           the same: $COM2_QEMU are options for boot_qemu then
#   qemu_claims FEATURES    before boot_qemu: the CPU tells that it has them
#   boot_until qemu|bochs DIR PATTERN TIMES ARG...   ends the emulator then
#   boot_begin qemu|bochs DIR ARG...   in the background, until boot_end: put that in the trap, too
#   wait_for FILE PATTERN   until it is there
#   expect DIR PATTERN...   each must stand in the log
#   expect_stamps DIR       time begins at the loader's hand-over, not when its clock has been measured
#   expect_not DIR PATTERN  must not
#   address FUNCTION        where the hypervisor has it
#   code FUNCTION           the hypervisor's instructions there: address, space, instruction
#   poke FILE OFFSET HEX...   writes bytes into a file

ACCEL=${ACCEL:-tcg}
QEMU_CPU=${QEMU_CPU:-EPYC,+svm,+npt,-rdtscp,-monitor,-cx16,vendor=AuthenticAMD}
# One executed instruction is a nanosecond, so that what else runs on this machine does not matter.
QEMU_COUNTS="-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm"
BUILD=${BUILD:-build}
HANG=${HANG:-1200} # seconds: only for an emulator that hangs
COM2_BOCHS="mode=null"
BOCHS_CPU=corei7_skylake_x
BOCHS_IPS=100000000 # instructions, or idle ticks, a second of Bochs' time
HOST_MIB=1024
ON_IDLE=poweroff
CPUSET= # that domains run on; empty: all
CONTROL= # instead of the control domain
STORE= # not empty: with a store, as hosts have it. Without one, guests have the numbers from 2 on.
SMP=1
# Without Linux' tests of its own ciphers, more than half of its boot; empty: a boot as it is.
LINUX_OPTIONS="cryptomgr.notests"
INITRD=test-initrd.gz PROGRAMS= # of guests with Linux: a name, and what is in it beside busybox
group=  # of the emulator in the background
bridge= # process between Bochs' second serial port and us

kernel() {
    (
        flock 9 # QEMU's tests and Bochs' run side by side
        scripts/kernels "$BUILD/kernels" "$1" >"$BUILD/kernels-$1.log" 2>&1 || {
            cat "$BUILD/kernels-$1.log" >&2
            exit 1
        }
        if ! [ "$BUILD/$INITRD" -nt tests/system/init ] ||
            ! [ "$BUILD/$INITRD" -nt scripts/initramfs ]; then
            # shellcheck disable=SC2086 # paths
            scripts/initramfs "$BUILD/$INITRD" tests/system/init $PROGRAMS
        fi
    ) 9>"$BUILD/kernels.lock"
}

# Each CPU has a thread of QEMU, and any that loads FPU state (FXRSTOR, XRSTOR, FNINIT) writes, with
# no lock, the flags of the first CPU (cpu_clear_ignne, in 7.2 as in 10.0): that may undo what a VMRUN
# or #VMEXIT does to them there, and the host goes on with the guest's page tables. So no domain runs
# on the first. With one thread for all CPUs, 7.2 delivers an interrupt that VMRUN injects a second
# time when a turn ends before the guest's next exit: in the midst of its handler, or with IF 0.
qemu_cpus() {
    CPUSET= SMP=$1
    [ "$1" = 1 ] || CPUSET=1-$1 SMP=$(($1 + 1))
}

domain() { # NAME VCPUS MIB KERNEL INITRD CMDLINE XML
    cat <<END
  <domain type='xen'>
    <name>$1</name><memory unit='MiB'>$3</memory>
    <vcpu cpuset='$CPUSET'>$2</vcpu>
    <os><type arch='x86_64' machine='xenpvh'>xenpvh</type><kernel>$4</kernel>$5
      <cmdline>$6</cmdline></os>
    $7
  </domain>
END
}

guest() {
    kernel "$2"
    domain "$1" "$3" "$4" "$(realpath "$BUILD/kernels/$2/vmlinuz")" \
        "<initrd>$(realpath "$BUILD/$INITRD")</initrd>" "console=hvc0 $LINUX_OPTIONS $5" "${6:-}"
}

probe() {
    domain "${5:-$1}" "${2:-1}" 8 "$(realpath "$BUILD/probe/$1/$1.elf")" "" "${4:-}" "${3:-}"
}

shares() { # WEIGHT [CAP]
    echo "<cputune><shares>$1</shares>${2:+<period>100000</period><quota>${2}000</quota>}</cputune>"
}

host_xml() {
    {
        echo "<host><name>test</name><memory unit='MiB'>$HOST_MIB</memory>"
        echo "<on_idle>$ON_IDLE</on_idle><control cpuset='$CPUSET'/>"
        cat
        echo "</host>"
    } >"$1/host.xml"
}

host_image() {
    host_xml "$1"
    control=$CONTROL
    store=
    [ -n "$control$STORE" ] || control=$BUILD/ctl.elf
    [ -z "$control" ] || [ -z "$STORE" ] || store=$BUILD/xs.elf
    # shellcheck disable=SC2086 # an option or none
    "$BUILD/bl" image -o "$1/host.iso" ${2:+--hypervisor "$2"} ${control:+--control "$control"} \
        ${store:+--store "$store"} "$1/host.xml" || exit 1
}

address() {
    nm "$BUILD/bulkhead.elf.syms" | sed -n "s/ . $1$//p"
}

code() {
    objdump -d --no-show-raw-insn --disassemble="$1" "$BUILD/bulkhead.elf.syms" | sed 's/: *\t/ /'
}

# Boots with boot_$1 in the background until boot_end.
boot_begin() { # VENDOR DIR ARG...
    setsid sh -c '. tests/system/boot-lib.sh; HOST_MIB=$1; COM2_BOCHS=$2; shift 2; "boot_$@"' sh \
        "$HOST_MIB" "$COM2_BOCHS" "$@" &
    group=$!
}

boot_end() {
    for job in ${group:+-"$group"} $bridge; do
        kill -- "$job" 2>/dev/null || true
        wait "${job#-}" 2>/dev/null || true
    done
    group=
    bridge=
}

# The same until pattern $3 has come $4 times.
boot_until() {
    vendor=$1
    dir=$2
    pattern=$3
    times=$4
    shift 4
    boot_begin "$vendor" "$dir" "$@"
    seconds=0
    until found=$(grep -ac -- "$pattern" "$dir/com1.log" 2>/dev/null) && [ "$found" -ge "$times" ]; do
        seconds=$((seconds + 1))
        [ "$seconds" -lt "$HANG" ] || break
        sleep 1
    done
    boot_end
    [ "$seconds" -lt "$HANG" ] || {
        echo "never came $times times: $pattern"
        tail -n 40 "$dir/com1.log"
        exit 1
    }
}

boot_image() {
    mkdir -p "$1/tree/boot/grub"
    cp "${3:-$BUILD/bulkhead.elf}" "$1/tree/boot/bulkhead.elf"
    {
        printf 'set timeout=0\nmultiboot2 /boot/bulkhead.elf %s\n' "${4:-}"
        [ -z "${2:-}" ] || {
            cp "$2" "$1/tree/boot/bundle"
            echo "module2 /boot/bundle bundle"
        }
        echo boot
    } >"$1/tree/boot/grub/grub.cfg"
    grub-mkrescue -o "$1/host.iso" "$1/tree" >"$1/mkrescue.log" 2>&1 || {
        cat "$1/mkrescue.log"
        exit 1
    }
}

# An emulator that ended in another way than by power-off: says so, with the end of the log.
ended() { # DIR CODE
    echo "the emulator ended with code $2 (124: it hung for $HANG s)"
    tail -n 5 "$1/qemu.log" "$1/bochs.out" 2>/dev/null || true
    tail -n 40 "$1/com1.log"
    exit 1
}

# QEMU's CPU tells that it has features which QEMU does not have (and not, as its model does, that it
# tells the length of instructions).
qemu_claims() { # FEATURES
    QEMU_CPU="$QEMU_CPU,x-force-features=on,-nrip-save,$1"
    export QEMU_CPU
}

# QEMU's code is 0 after a power-off, but after a reset too: the log tells them apart.
boot_qemu() {
    dir=$1
    shift
    timeout --foreground -k 10 "$HANG" qemu-system-x86_64 -accel "$ACCEL" -M q35 -m "$HOST_MIB" -nodefaults \
        -no-reboot -cpu "$QEMU_CPU" -display none -vga std -cdrom "$dir/host.iso" \
        -serial "file:$dir/com1.log" "$@" >"$dir/qemu.log" 2>&1 </dev/null ||
        ended "$dir" "$?"
}

# Bochs ends with 1 after a power-off. The image is on a disk, as on a USB stick, which its BIOS reads
# faster than a CD, as QEMU has it.
boot_bochs() {
    rm -f "$1/host.iso.lock" # of one that was killed
    cat >"$1/bochsrc" <<END
config_interface: textconfig
display_library: rfb, options="timeout=0"
plugin_ctrl: sb16=false, es1370=false, speaker=false, usb_uhci=false
cpu: model=$BOCHS_CPU, count=$2, ips=$BOCHS_IPS, reset_on_triple_fault=0
memory: guest=$HOST_MIB, host=$HOST_MIB
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, path=$1/host.iso, mode=flat
boot: disk
com1: enabled=1, mode=file, dev=$1/com1.log
com2: enabled=1, $COM2_BOCHS
log: $1/bochs.log
panic: action=fatal
error: action=ignore
clock: sync=none, time0=1767225600
END
    [ -e "$1/rc" ] || echo c >"$1/rc"
    code=0
    LD_PRELOAD="$BUILD/system/nodelay.so" timeout --foreground -k 10 "$HANG" \
        stdbuf -oL bochs -q -f "$1/bochsrc" -rc "$1/rc" >"$1/bochs.out" 2>&1 </dev/null || code=$?
    [ "$code" = 1 ] || ended "$1" "$code"
}

type_bochs() {
    port=$(($$ % 20000 + 30000))
    mkfifo "$1/com2.in"
    socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" STDIO <>"$1/com2.in" >"$1/com2.log" &
    bridge=$!
    COM2_BOCHS="mode=socket-client, dev=127.0.0.1:$port"
}

type_qemu() {
    mkfifo "$1/com2.in" "$1/com2.out"
    cat "$1/com2.out" >"$1/com2.log" &
    COM2_QEMU="-chardev pipe,id=c,path=$1/com2 -serial chardev:c"
}

wait_for() {
    seconds=0
    until grep -aq -- "$2" "$1" 2>/dev/null; do
        seconds=$((seconds + 1))
        [ "$seconds" -lt "$HANG" ] || {
            echo "never came: $2"
            tail -n 40 "$1"
            exit 1
        }
        sleep 1
    done
}

expect() {
    dir=$1
    shift
    for pattern in "$@"; do
        grep -aq -- "$pattern" "$dir/com1.log" || {
            echo "not in the host's log: $pattern"
            grep -a "\] line [0-9]*: .* is .*, not " "$dir/com1.log" || true # of probe guests
            tail -n 40 "$dir/com1.log"
            exit 1
        }
    done
}

expect_not() { # DIR PATTERN
    if grep -a -m 1 -A 20 -- "$2" "$1/com1.log"; then
        echo "this stands in the host's log: $2"
        exit 1
    fi
}

poke() {
    file=$1
    at=$2
    shift 2
    for byte in "$@"; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf %03o "0x$byte")"
    done | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
}

# Measuring takes 50 ms of the clock, and the banner comes after it.
expect_stamps() {
    awk -F '[][]' '/\] Bulkhead / { exit !($2 >= 0.05) }' "$1/com1.log" || {
        echo "time does not begin at the hand-over:"
        head -n 3 "$1/com1.log"
        exit 1
    }
}
