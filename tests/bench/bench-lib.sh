# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For tests/bench/run, sourced: each function runs one machine and leaves figures in $work, a file
# for each run with lines "NAME VALUE". $work is set by whoever sources this.
# shellcheck disable=SC2154
. tests/system/boot-lib.sh
. tests/system/flood-lib.sh

XEN_OPTIONS="dom0=pvh dom0-iommu=none dom0_mem=128M dom0_max_vcpus=1 com1=115200,8n1 console=com1"
ICOUNT="-smp 1 $QEMU_COUNTS -seed 1"
CMDLINE=quiet
LINUX_MIB=256

commas() {
    echo "$1" | sed ':a;s/\B[0-9]\{3\}\>/,&/;ta'
}

against_goal() { # VALUE GOAL
    if [ "$1" -le "$2" ]; then
        echo "$(commas "$2"): met"
    else
        echo "$(commas "$2"): missed by $(commas $(($1 - $2)))"
    fi
}

# Debian's Xen or what belongs to it: $BUILD/NAME from scripts/NAME.
fetch() { # NAME
    "scripts/$1" "$BUILD/$1" >"$work/$1.log" 2>&1 || {
        cat "$work/$1.log" >&2
        exit 1
    }
}

# What is in DIR, as a cpio archive that is the same each time.
archive() { # DIR
    find "$1" -exec touch -h -d @0 {} +
    (cd "$1" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc)
}

# QEMU starts KERNEL itself, on one CPU that counts instructions.
qemu_kernel() { # DIR MIB KERNEL ARG...
    dir=$1 mib=$2 image=$3
    shift 3
    # shellcheck disable=SC2086 # several options
    timeout -k 10 "$HANG" qemu-system-x86_64 -accel tcg -M q35 -m "$mib" -nodefaults -no-reboot \
        -cpu "$QEMU_CPU" -display none $ICOUNT -serial "file:$dir/com1.log" -kernel "$image" "$@" \
        >"$dir/qemu.log" 2>&1 </dev/null
}

# An image with Xen and these files; GRUB's commands on stdin.
xen_image() { # DIR FILE...
    dir=$1
    shift
    mkdir -p "$dir/tree/boot/grub"
    cp "$BUILD/xen/xen.elf" "$@" "$dir/tree/boot/"
    {
        echo "set timeout=0"
        cat
        echo boot
    } >"$dir/tree/boot/grub/grub.cfg"
    grub-mkrescue -o "$dir/host.iso" "$dir/tree" >"$dir/mkrescue.log" 2>&1
}

# boot_on qemu|bochs DIR ARG...: one CPU, deterministic where that is possible.
boot_on() {
    vendor=$1
    dir=$2
    shift 2
    # shellcheck disable=SC2086 # several options
    case $vendor in
    qemu) boot_qemu "$dir" $ICOUNT "$@" ;;
    bochs) boot_bochs "$dir" 1 ;;
    esac
}

# The figures of the bench guest in the log of DIR, which must end well.
take_figures() { # DIR TO
    tr -d '\r' <"$1/com1.log" | sed -n 's/^\(\[.*\] \|(d.) \)\{0,1\}bench \([a-z0-9-]*\) *\([0-9a-f]*\)$/\2 \3/p' >"$2"
    grep -aq 'PASS' "$1/com1.log" || {
        echo "the bench guest did not end well:" >&2
        tail -n 30 "$1/com1.log" >&2
        exit 1
    }
}

# The domains get numbers in the order they stand in: the control domain 1, bench 2, partner 3.
bench_host() { # DIR peer|loop
    mkdir -p "$1"
    {
        probe bench 1 "<on_reboot>destroy</on_reboot>" "$2=3"
        probe bench 1 "<on_reboot>destroy</on_reboot>" partner=2 partner
    } | host_image "$1"
}

bench_bulkhead() { # VENDOR
    dir=$work/bulkhead-$1
    bench_host "$dir" peer
    boot_on "$1" "$dir"
    take_figures "$dir" "$work/bulkhead-$1.figures"
}

bench_xen() { # VENDOR
    dir=$work/xen-$1
    fetch xen
    printf '%s\n' "multiboot /boot/xen.elf $XEN_OPTIONS" "module /boot/bench.elf" |
        xen_image "$dir" "$BUILD/probe/bench/bench.elf"
    boot_on "$1" "$dir"
    take_figures "$dir" "$work/xen-$1.figures"
}

# Linux as Xen's dom0 with a toolstack, and what it starts.
make_dom0() {
    dom0=$work/dom0
    mkdir -p "$dom0/tree"
    kernel dom0
    fetch xen
    fetch xentools
    tools=$(printf "$BUILD/xentools/%s " xenstored xenconsoled xen-init-dom0 xl)
    # shellcheck disable=SC2086 # paths
    scripts/initramfs "$dom0/programs" tests/bench/dom0init $tools
    cp "$BUILD"/kernels/dom0/*.ko "$BUILD/probe/bench/bench.elf" "$BUILD/probe/sleeper/sleeper.elf" \
        "$BUILD/kernels/cloud/vmlinuz" "$work/initrd.gz" "$dom0/tree"
    archive "$dom0/tree" | gzip -1n | cat "$dom0/programs" - >"$dom0/initrd"
    "$BUILD/bench/vmlinux" "$BUILD/kernels/dom0/vmlinuz" "$dom0/vmlinux"
}

# What it does: two bench guests, whose debug console is Xen's then, or making guests. In Bochs,
# which has no IOMMU, dom0 is PV.
xen_dom0() { # VENDOR pair|create
    dir=$work/xen-$2-$1
    options="dom0_mem=640M dom0_max_vcpus=1 com1=115200,8n1 console=com1"
    [ "$2" = create ] || options="$options guest_loglvl=all"
    mkdir -p "$dir"
    case $1 in
    qemu)
        qemu_kernel "$dir" 2048 "$BUILD/xen/xen.elf" -device intel-iommu,intremap=on,aw-bits=48 \
            -append "dom0=pvh $options" -initrd "$dom0/vmlinux console=hvc0 quiet $2,$dom0/initrd"
        ;;
    bochs)
        printf '%s\n' "multiboot /boot/xen.elf $options" \
            "module /boot/vmlinux console=hvc0 quiet $2" "module --nounzip /boot/initrd" |
            xen_image "$dir" "$dom0/vmlinux" "$dom0/initrd"
        boot_bochs "$dir" 1
        ;;
    esac
    case $2 in
    pair) take_figures "$dir" "$work/xen-pair-$1.figures" ;;
    create) tr -d '\r' <"$dir/com1.log" | sed -n 's/^bench //p' >"$work/xen-create.figures" ;;
    esac
}

# Where what a reader does beside each flood goes: on VT-x the flooders have a CPU of their own.
flood_beside() { # VENDOR
    dir=$work/flood-$1
    mkdir -p "$dir"
    (
        FLOOD_FIGURES=1
        [ "$1" = qemu ] || CPUSET=0 FLOOD_CPUS=1
        # shellcheck disable=SC2086 # several words
        flood_host "$dir" 50 $FLOODS
        case $1 in
        qemu) boot_on qemu "$dir" ;;
        bochs) boot_bochs "$dir" 2 ;;
        esac
    )
    take_figures "$dir" "$work/flood-$1.figures"
}

# An initramfs with one program that says what the TSC is.
make_initrd() {
    mkdir -p "$work/tree"
    cp "$BUILD/bench/init" "$work/tree/init"
    archive "$work/tree" | gzip -9n >"$work/initrd.gz"
}

# Linux as a guest: from the host's hand-over. The stamps of the log are ns, and so instructions.
linux_bulkhead() {
    dir=$work/linux-bulkhead
    mkdir -p "$dir"
    domain linux 1 "$LINUX_MIB" "$(realpath "$BUILD/kernels/cloud/vmlinuz")" \
        "<initrd>$(realpath "$work/initrd.gz")</initrd>" "console=hvc0 $CMDLINE" "" |
        host_image "$dir"
    boot_on qemu "$dir"
    sed -n -e 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] \[linux\] domain . started.*/started \1\2000/p' \
        -e 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] \[linux\] bench init.*/init \1\2000/p' \
        -e 's/.* domain(s), \([0-9]*\) KiB.*/kib \1/p' "$dir/com1.log" |
        sed 's/ 0*/ /' >"$work/linux-bulkhead.figures"
}

bare_qemu() { # DIR KERNEL
    mkdir -p "$1"
    qemu_kernel "$1" "$LINUX_MIB" "$2" -initrd "$work/initrd.gz" -append "console=ttyS0 $CMDLINE"
}

# The same kernel when QEMU starts it: from its first instruction, which is one of another program's.
linux_bare() {
    "$BUILD/bench/vmlinux" "$BUILD/kernels/cloud/vmlinuz" "$work/vmlinux"
    bare_qemu "$work/bare-entry" "$BUILD/bench/pvhentry.elf"
    bare_qemu "$work/bare-linux" "$work/vmlinux"
    entry=$(sed -n 's/^bench entry \([0-9a-f]*\).*/\1/p' "$work/bare-entry/com1.log")
    tsc=$(tr -d '\r' <"$work/bare-linux/com1.log" | sed -n 's/^bench init *\([0-9]*\)$/\1/p')
    echo "init $((tsc - 0x$entry))" >"$work/linux-bare.figures"
}

# What is taken when the control domain runs and the guest is gone: the last count of free frames.
memory_taken() { # MIB
    dir=$work/memory-$1
    mkdir -p "$dir"
    HOST_MIB=$1
    probe version | host_image "$dir"
    boot_qemu "$dir" -smp 1
    HOST_MIB=1024
    total=$(sed -n 's/.* memory: \([0-9]*\) frames.*/\1/p' "$dir/com1.log")
    free=$(sed -n 's/.* mem: \([0-9]*\) frames free.*/\1/p' "$dir/com1.log" | tail -n 1)
    echo "total $total" >"$work/memory-$1.figures"
    echo "taken $((total - free))" >>"$work/memory-$1.figures"
}

code_lines() { # PATTERN: lines of code, as scripts/lint-size counts them
    git ls-files hyp mm | grep "$1" | xargs cat |
        awk '/^[ \t]*$/ || /^[ \t]*(\/\*|\*|\/\/)/ { next } { n++ } END { print n }'
}

sizes() {
    echo "<host><name>h</name><memory unit='MiB'>128</memory><control/></host>" >"$work/control.xml"
    "$BUILD/bl" image --control "$BUILD/ctl.elf" --store "$BUILD/xs.elf" --bundle "$work/control.bundle" \
        "$work/control.xml"
    {
        echo "code $(code_lines '\.[cS]$')"
        echo "headers $(code_lines '\.h$')"
        echo "image $(stat -c %s "$BUILD/bulkhead.elf")"
        echo "bundle $(stat -c %s "$work/control.bundle")"
    } >"$work/sizes.figures"
}

# Instructions that the host has executed: what its clock says without the time that it was idle.
executed() {
    bl -o json info | sed -n 's/.*"\(uptime\|idle\)_ns": *\([0-9]*\).*/\1 \2/p' |
        awk '{ v[$1] = $2 } END { print v["uptime"] - v["idle"] }'
}

end_guest() { # NAME
    bl destroy "$1"
    bl wait "$1" gone >/dev/null
}

# How many it takes to make a guest, the median of five, each without what asking costs.
cost_of_create() { # OPTION...: of $name
    for _ in 1 2 3 4 5; do
        before=$(executed)
        between=$(executed)
        bl create -q "$@" "$dir/$name.xml"
        echo $(($(executed) - between - (between - before)))
        end_guest "$name"
    done | sort -n | sed -n 3p
}

# Guests made by bl on a running host, which has a store: a Linux guest, all of which the host has,
# and a probe, which it has not. Its line is not part of the machine: so idle time passes as it does.
# That guest does not run: a turn of QEMU's may end anywhere then, and interrupt a guest with IF 0.
bl_create() (
    dir=$work/create
    mkdir -p "$dir"
    dir=$(realpath "$dir")
    . tests/system/bl-lib.sh
    domain kept 1 "$LINUX_MIB" "$(realpath "$BUILD/kernels/cloud/vmlinuz")" \
        "<initrd>$(realpath "$work/initrd.gz")</initrd>" "console=hvc0 $CMDLINE" "" >"$dir/kept.xml"
    sed 's/kept/linux/' "$dir/kept.xml" >"$dir/linux.xml"
    probe sleeper 1 "" 1000000 >"$dir/sleeper.xml"
    STORE=yes ON_IDLE=stay CONTROL=$BUILD/bench/patient.elf
    host_image "$dir" <"$dir/kept.xml"
    trap boot_end EXIT
    # shellcheck disable=SC2086 # several options
    boot_begin qemu "$dir" -smp 1 ${QEMU_COUNTS%%,*} -rtc base=2026-01-01,clock=vm \
        -chardev "socket,id=line,path=$dir/line,server=on,wait=off" -serial chardev:line
    wait_for "$dir/com1.log" "\[kept\] domain . started"
    end_guest kept
    name=linux
    linux=$(cost_of_create -p)
    name=sleeper
    small=$(cost_of_create)
    [ -n "$linux" ]
    [ -n "$small" ]
    {
        echo "linux $linux"
        echo "sleeper $small"
        bl -o json create -n "$dir/sleeper.xml" | sed -n 's/.*"upload": *\([0-9]*\).*/bytes \1/p'
    } >"$work/create.figures"
)
