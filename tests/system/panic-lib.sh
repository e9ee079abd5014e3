# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A fault is put into a copy of the hypervisor, where a hypercall of a probe guest meets it.
#
#   patch FILE FUNCTION HEX...   the hypervisor with these bytes where the function starts
#   panic_domains                a guest that runs into it, and one that writes all the time
#   panic_expect DIR WHAT CPUS   the whole report, and nothing after it

patch() {
    elf=$1
    cp "$BUILD/bulkhead.elf" "$elf"
    address=$(nm "$BUILD/bulkhead.elf.syms" | sed -n "s/^ffffffff\(.*\) [Tt] $2\$/0x\1/p")
    read -r offset start <<END
$(readelf -lW "$elf" | sed -n 's/^ *LOAD *\(0x[0-9a-f]*\) 0xffffffff\([0-9a-f]*\) .* R E .*/\1 0x\2/p')
END
    shift 2
    poke "$elf" $((address - start + offset)) "$@"
}

panic_domains() {
    probe tick 1 "" 5 faulty
    probe tick 1 "" "" other
}

# In this order, the functions of the stack trace.
panic_trace() { # DIR PATTERN
    names=$(sed -n '/stack trace:/,$s/.*  [0-9a-f]* \([a-z_]*\)+0x.*/\1/p' "$1/com1.log" | tr '\n' ' ')
    echo "$names" | grep -q "^$2" || {
        echo "the stack trace is: $names"
        exit 1
    }
}

panic_report() { # DIR WHAT
    expect "$1" "PANIC on CPU [0-2]: $2" "rip ffffffff8....... rsp ffffe100000..... rflags" \
        "rax .* rbx .* rcx .* rdx" "r13 .* r14 .* r15" "cr0 .* cr2 .* cr3 .* cr4" \
        "current: domain 2 (faulty), vCPU 0\$" "\[other\] tick 1\$"
}

last_line() { # DIR PATTERN
    tail -n 1 "$1/com1.log" | grep -aq -- "$2" || {
        echo "the last line is not: $2"
        tail -n 40 "$1/com1.log"
        exit 1
    }
}

# UD2: the whole report; then no CPU does anything any more, the other guest's neither.
panic_halts() { # VENDOR DIR ARG...
    vendor=$1
    dir=$2
    shift 2
    patch "$dir/ud2" call_xen_version 0f 0b
    panic_domains | host_image "$dir" "$dir/ud2"
    boot_begin "$vendor" "$dir" "$@"
    wait_for "$dir/com1.log" "\] halted\$"
    sleep 2
    boot_end
    panic_report "$dir" "bad opcode (trap 6), error code 0\$"
    panic_trace "$dir" "call_xen_version call_dispatch upcall_hypercall .*cpu_run_loop "
    last_line "$dir" "\] halted\$"
}

# One that QEMU makes up: an uncorrected error of bank 0 (SDM vol. 3 fig. 16-6). No guest runs on CPU 0:
# they have no CR4.MCE, and QEMU would reset the machine.
panic_machine_check() { # DIR ARG...
    dir=$1
    shift
    ON_IDLE=stay
    host_image "$dir" </dev/null
    : >"$dir/com1.log"
    boot_begin qemu "$dir" "$@" -monitor "unix:$dir/monitor,server=on,wait=off"
    wait_for "$dir/com1.log" "\[ctl\] domain 1 started"
    echo "mce 0 0 0xb200000000000000 5 0 0" | socat - "unix:$dir/monitor" >"$dir/monitor.log"
    wait_for "$dir/com1.log" "\] halted\$"
    boot_end
    ON_IDLE=poweroff
    expect "$dir" "PANIC on CPU 0: machine check (trap 18), error code 0\$" "current: no domain\$"
}

# A function that calls itself, and the option that ends a panic in a reset: DIR/host.iso.
panic_overflow() { # DIR
    patch "$1/overflow" call_xen_version e8 fb ff ff ff
    panic_domains | host_xml "$1"
    "$BUILD/bl" image --control "$BUILD/ctl.elf" --bundle "$1/bundle" "$1/host.xml"
    boot_image "$1" "$1/bundle" "$1/overflow" panic=reboot
}

panic_overflow_report() { # DIR
    panic_report "$1" "double fault (trap 8), error code 0\$"
    expect "$1" "stack overflow: cr2 is in the guard page below a stack\$"
    panic_trace "$1" "call_xen_version call_xen_version upcall_hypercall .*cpu_run_loop "
}
