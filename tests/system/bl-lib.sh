# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# bl on a real host, over its second serial port; and Debian's xenstore programs, from outside.
dir=${dir:?} # where the host is: made before

bl() {
    timeout "$HANG" "$BUILD/bl" -H "unix:$dir/line" "$@"
}

# Before boot_begin: the second serial port of Bochs, which is a TCP client, is $dir/line.
line_bochs() {
    port=$(($$ % 20000 + 30000))
    socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" "UNIX-LISTEN:$dir/line,fork" &
    bridge=$!
    COM2_BOCHS="mode=socket-client, dev=127.0.0.1:$port"
}

# Until a command of the shell succeeds.
until_is() { # COMMAND
    tries=0
    until eval "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt $((5 * HANG)) ] || {
            echo "never so: $1"
            tail -n 20 "$dir/com1.log"
            exit 1
        }
        sleep 0.2
    done
}

# want EXPECTED COMMAND...: its output is this.
want() {
    expected=$1
    shift
    got=$("$@") || {
        echo "$*: exit code $?"
        exit 1
    }
    [ "$got" = "$expected" ] || {
        printf '%s:\n%s\ninstead of\n%s\n' "$*" "$got" "$expected"
        exit 1
    }
}

# fails CODE COMMAND...: with this exit code and one line.
fails() {
    want=$1
    shift
    code=0
    "$@" >"$dir/out" 2>&1 || code=$?
    if [ "$code" != "$want" ] || [ "$(wc -l <"$dir/out")" != 1 ]; then
        echo "$*: exit code $code"
        cat "$dir/out"
        exit 1
    fi
}

store() {
    program=$1
    shift
    BULKHEAD_HOST=unix:$dir/line LD_LIBRARY_PATH=$BUILD timeout "$HANG" "xenstore-$program" "$@"
}

free_memory() {
    bl -o json info | sed -n 's/.*"free_memory": *\([0-9]*\).*/\1/p'
}

state_of() { # DOMAIN
    bl list "$1" | awk 'NR > 1 { gsub("-", "", $5); print $5 }'
}

# A probe made, looked at, changed and destroyed; nothing of it is left. The host has a guest "kept".
bl_life() {
    bl wait -t "$HANG" kept running
    for name in first one two three; do # what the first leaves is made once: tables of events, of grants
        [ "$name" != one ] || before=$(free_memory)
        probe sleeper 1 "" 1000000000 "$name" >"$dir/$name.xml"
        bl create -p "$dir/$name.xml"
        want p state_of "$name"
        want "$(bl domid "$name")" store read "/local/domain/$(bl domid "$name")/domid"
        want "$name" store read "/local/domain/$(bl domid "$name")/name"
        fails 1 bl create "$dir/$name.xml"
        bl unpause "$name"
        bl wait -t "$HANG" "$name" running
        bl rename "$name" other
        want other bl domname "$(bl domid other)"
        bl sched-weight -d other -w 512 -c 50
        bl pause other
        want p state_of other
        bl unpause other
        bl destroy other
        bl wait -t "$HANG" other gone
    done
    want "$before" free_memory
    fails 1 bl destroy other
    fails 2 bl destroy
}

says() { # PATTERN COMMAND...
    pattern=$1
    shift
    "$@" >"$dir/out" || exit 1
    grep -q -- "$pattern" "$dir/out" || {
        echo "$*: no '$pattern':"
        cat "$dir/out"
        exit 1
    }
}

# What there is to see of guest "kept", and its end by a trigger, of which a monitor tells.
bl_looks() {
    says '^free_memory  *: [1-9]' bl info
    says '^kept  *[0-9]* 0' bl uptime
    says 'domain . started' bl dmesg
    bl vcpu-pin kept all 0
    says '^kept  *[0-9]*  *0 .* all / all' bl vcpu-list kept
    bl mem-max kept 16m
    says '"memory_max": 16777216' bl -o json list kept
    bl config kept >"$dir/kept.xml"
    sed -i "s|<kernel>.*</kernel>|<kernel>$(realpath "$BUILD/probe/sleeper/sleeper.elf")</kernel>|" "$dir/kept.xml"
    says '^memory_max  *: 16$' bl create --dry-run "$dir/kept.xml"
    bl dump-core kept "$dir/core"
    gdb -batch -nx -c "$dir/core" -ex 'info registers rip' -ex 'x/4xb 0x100000' >"$dir/gdb" 2>&1
    says '^rip  *0x10' cat "$dir/gdb"
    bl wait -t "$HANG" kept running
    bl monitor >"$dir/monitor" &
    monitor=$!
    bl pause kept # the monitor may not listen yet
    until_is 'bl unpause kept && bl pause kept && grep -q paused "$dir/monitor"'
    bl unpause kept
    bl trigger kept nmi
    bl wait -t "$HANG" kept gone
    until_is 'grep -q "kept .* gone  *crash" "$dir/monitor"'
    kill "$monitor"
    wait "$monitor" || true
}
