# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Who gets how much CPU, in the host's virtual time: guests that work between two moments (ms since
# the host booted) tell what they got done and how long they ran.
FROM=300
TO=${TO:-900}
WINDOW=$(((TO - FROM) * 1000)) # us

hog() { # NAME [XML [VCPUS]]
    probe hog 1 "${2:-}" "$FROM $TO" "$1"
}

value() { # DIR NAME WORD: the number behind WORD
    sed -n "s/.*\[$2\] .*$3 \([0-9]*\).*/\1/p" "$1/com1.log" | head -n 1
}

within() { # WHAT VALUE LOW HIGH
    [ -n "$2" ] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || {
        echo "$1: ${2:-nothing}, not in $3..$4"
        exit 1
    }
    echo "$1: $2 ($3..$4)"
}

# One CPU: work by weight 1:2, within 5 %; one that sleeps is woken within a time slice.
share_weights() { # BOOT DIR ARG...
    boot=$1
    dir=$2
    shift 2
    {
        hog one "$(shares 256)"
        hog two "$(shares 512)"
        probe sleeper 1 "" "$TO"
    } | host_image "$dir"
    "$boot" "$dir" "$@"
    within "weights 1:2, work in % of the double" \
        $(($(value "$dir" two units) * 50 / $(value "$dir" one units))) 95 105
    within "woken late, us" "$(value "$dir" sleeper late)" 0 10000
}

# One CPU: a cap of 25 % holds, alone and in company.
share_cap() { # BOOT DIR ARG...
    boot=$1
    dir=$2
    shift 2
    hog capped "$(shares 256 25)" | host_image "$dir"
    "$boot" "$dir" "$@"
    within "cap of 25 %, alone, in 0.1 %" $(($(value "$dir" capped running) * 1000 / WINDOW)) 230 270
    {
        hog capped "$(shares 256 25)"
        hog free
    } | host_image "$dir"
    "$boot" "$dir" "$@"
    within "cap of 25 %, in company, in 0.1 %" \
        $(($(value "$dir" capped running) * 1000 / WINDOW)) 230 270
    within "the rest, in 0.1 %" $(($(value "$dir" free running) * 1000 / WINDOW)) 700 770
}

# One hog more than there are CPUs: no CPU idles, and they get the same. (QEMU lets one CPU run at a
# time: one that spins for a lock does so for long.)
share_cpus() { # BOOT DIR CPUS ARG...
    boot=$1
    dir=$2
    cpus=$3
    shift 3
    n=0
    while [ "$n" -le "$cpus" ]; do
        hog "hog$n"
        n=$((n + 1))
    done | host_image "$dir"
    "$boot" "$dir" "$@"
    sum=0
    for name in $(seq -f "hog%g" 0 "$cpus"); do
        ran=$(value "$dir" "$name" running)
        within "$name of $((cpus + 1)) on $cpus CPUs, in 0.1 % of its share" \
            $((${ran:-0} * 1000 / (WINDOW * cpus / (cpus + 1)))) 900 1100
        sum=$((sum + ran))
    done
    within "$cpus CPUs busy, in 0.1 %" $((sum * 1000 / (WINDOW * cpus))) 950 1050
}
