# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Linux guests of a running host, operated as an administrator does it: bl in a terminal, the guest's
# shell behind it, and Debian's xenstore programs inside and outside. Before: DIR, bl-lib.sh.
PROGRAMS="/usr/bin/xenstore-read /usr/bin/xenstore-write /usr/bin/xenstore-list /usr/bin/xenstore-ls
    /usr/bin/xenstore-rm /usr/bin/xenstore-exists /usr/bin/xenstore-watch"
INITRD=store-initrd.gz
STORE=yes
ON_IDLE=stay
keys= # descriptor 3 is a guest's keyboard

operate_host() { # a Linux guest "one" with a shell; and XML of others
    guest one cloud 1 160 "bh.end=shell quiet" | host_image "$dir"
    guest two cloud 2 160 "bh.end=shell quiet" "<on_reboot>restart</on_reboot>" >"$dir/two.xml"
    guest small cloud 2 96 "quiet" >"$dir/small.xml"
    head -c 20000000 /dev/urandom >"$dir/large"
    guest three cloud 1 160 "quiet" | sed "s|<initrd>.*</initrd>|<initrd>large</initrd>|" >"$dir/three.xml"
}

# A command of bl in a terminal.
in_terminal() { # ARG...
    rm -f "$dir/keys"
    mkfifo "$dir/keys"
    : >"$dir/screen"
    script -qfc "'$BUILD/bl' -H 'unix:$dir/line' $*" /dev/null <"$dir/keys" >"$dir/screen" &
    session=$!
    exec 3>"$dir/keys"
    keys=yes
    seen=0
}

attach() { # GUEST
    in_terminal console "$1"
}

detach() { # also from a console that has ended with ctl
    [ -n "$keys" ] || return 0
    (printf '\035' >&3) 2>/dev/null || true
    exec 3>&-
    keys=
    wait "$session" || true
}

# A line for the shell. It is echoed, so what types() and shows() look for must not stand in it.
types() { # LINE
    seen=$(wc -c <"$dir/screen")
    printf '%s\r' "$1" >&3
}

shows() { # PATTERN
    until_is "tail -c +$((seen + 1)) '$dir/screen' | grep -aq -- '$1'"
}

node() { # PATH: of the guest "one"
    echo "/local/domain/$(bl domid one)/$1"
}

in_guest() {
    attach one
    # shellcheck disable=SC2016 # for the guest's shell
    types 'echo hello-$((6 * 7))'
    shows 'hello-42'
    types 'xenstore-read name'
    shows '^one'
    # shellcheck disable=SC2016
    types 'xenstore-write data/a "value 1" data/b 2; echo "<$(xenstore-read data/a)>"'
    shows '<value 1>'
    want 'value 1' store read "$(node data/a)"
    # shellcheck disable=SC2016
    types 'xenstore-list data | sort | tr "\n" + ; xenstore-rm data/b; xenstore-exists data/b || echo gone-$((1 + 1))'
    shows '^a+b+gone-2'
    if store exists "$(node data/b)"; then
        echo "data/b is still there"
        exit 1
    fi
    # shellcheck disable=SC2016
    types 'xenstore-write /local/domain/1/name evil || echo refused-$((1 + 1))'
    shows 'refused-2'
    types 'xenstore-watch -n 2 data/w && echo fired-$((1 + 1))'
    shows '^data/w'
    store write "$(node data/w)" x
    shows 'fired-2'
}

# The guest writes and reads until node "stop" is there; one answer that is wrong ends it early.
begin_loop() {
    # shellcheck disable=SC2016
    types 'xenstore-rm data/stop; i=0; while xenstore-write data/i $i && [ "$(xenstore-read data/i)" = $i ] && ! xenstore-exists data/stop; do i=$((i + 1)); done; xenstore-exists data/stop && echo "right-$((i > 0)) for $i"'
    until_is 'store read "$(node data/i)" >/dev/null 2>&1'
}

end_loop() {
    at=$(store read "$(node data/i)")
    until_is '[ "$(store read "$(node data/i)")" != "$at" ]'
    store write "$(node data/stop)" 1
    shows 'right-1 for'
}

# xs dies TIMES, and ctl TIMES: the guest's programs wait a little, a watch of its stays.
deaths() { # XS CTL
    types '(xenstore-watch -n 2 data/far && echo far-$((1 + 1))) &'
    shows 'data/far.\?$'
    begin_loop
    for _ in $(seq "$1"); do bl restart xs; done
    end_loop
    store write "$(node data/far)" x
    shows 'far-2'
    begin_loop
    for _ in $(seq "$2"); do
        bl restart ctl
        bl domid one >/dev/null # which finds the new one
    done
    detach
    attach one
    end_loop
    detach
}

# vCPUs of the guest "two" that are up.
vcpus_of_two() {
    bl vcpu-list two | grep '^two ' | grep -vc -- --p
}

# A guest with a console from its first line on. It loses a vCPU and memory, listens, reboots, powers
# off.
life_of_two() {
    in_terminal create -c "$dir/two.xml"
    shows 'test: shell'
    fails 1 bl create "$dir/two.xml"
    first=$(bl domid two)
    want 2 vcpus_of_two
    bl vcpu-set two 1
    until_is '[ "$(vcpus_of_two)" = 1 ]'
    bl vcpu-set two 2 # Linux lets its udev do the rest
    types 'until echo 1 >/sys/devices/system/cpu/cpu1/online; do sleep 1; done'
    until_is '[ "$(vcpus_of_two)" = 2 ]'
    detach
    in_terminal top
    shows 'two .* 2'
    printf q >&3
    detach
    bl mem-set two 128m
    until_is 'bl list two | grep -q "^two  *[0-9]*  *128 "'
    bl sysrq two h
    wait_for "$dir/com1.log" '\[two\] .*sysrq: HELP'
    bl rename two second
    want "$first" bl domid second
    bl reboot second
    wait_for "$dir/com1.log" '\[second\] test: shell'
    [ "$(bl domid second)" != "$first" ] || {
        echo "bl reboot: it has its number of before"
        exit 1
    }
    bl shutdown second
    bl wait -t "$HANG" second gone >/dev/null
}

# What ends in the midst of an upload, on either side, leaves nothing.
cut_off() { # INT|KILL|ctl...
    before=$(free_memory)
    for how in "$@"; do
        "$BUILD/bl" -H "unix:$dir/line" create "$dir/three.xml" 2>"$dir/err" &
        creator=$!
        until_is 'bl wait -t "$HANG" three loading >/dev/null 2>&1'
        if [ "$how" = ctl ]; then
            bl restart ctl
        else
            kill -"$how" "$creator"
        fi
        code=0
        wait "$creator" || code=$?
        [ "$code" != 0 ] || {
            echo "$how: an upload that was cut off succeeded"
            exit 1
        }
        bl wait -t "$HANG" three gone >/dev/null
        [ "$how" = ctl ] || want "$before" free_memory
    done
    [ "$(free_memory)" -ge "$before" ] # a new ctl has fewer tables
}

# A guest with a kernel that the host does not have: all of it comes over the line, in minutes.
whole_upload() {
    guest four generic 1 256 "quiet" >"$dir/four.xml"
    uploaded=$(bl -o json create "$dir/four.xml" | jq .uploaded)
    [ "$uploaded" -gt 20000000 ] || {
        echo "bl create: $uploaded bytes sent"
        exit 1
    }
    wait_for "$dir/com1.log" '\[four\] test: done'
    bl wait -t "$HANG" four gone >/dev/null
    echo "$uploaded bytes uploaded"
}

# Bytes that are free, on the host and in ctl.
inventory() {
    bl -o json info | jq -c '[.free_memory, .control_free_memory]'
}

# A Linux guest made and destroyed TIMES, which leaves nothing: what the first leaves is made once.
cycles() { # TIMES
    domains=$(store list /local/domain)
    for i in $(seq 0 "$1"); do
        [ "$(bl -o json create "$dir/small.xml" | jq .uploaded)" = 0 ] || {
            echo "bl create: sent what the host has"
            exit 1
        }
        until_is '[ "$(bl -o json list small | jq ".[0].cpu_time_ns > 1e8")" = true ]'
        bl destroy small
        bl wait -t "$HANG" small gone >/dev/null
        # its entries go a moment after it
        until_is '[ "$(store list /local/domain)" = "$domains" ]'
        [ "$i" != 0 ] || {
            before=$(inventory)
            nodes=$(store ls | wc -l)
        }
        until_is '[ "$(inventory)" = "$before" ]'
    done
    want "$nodes" eval 'store ls | wc -l'
    echo "$1 cycles: $before, $nodes nodes"
}
