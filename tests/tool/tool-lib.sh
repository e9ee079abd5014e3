# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the tests of the tool: a fake host, and one line for each thing that is not as it should.
#
#   good WORD...          bl WORD... ends with 0 and writes nothing to stderr; its output is $out
#   bad CODE TEXT WORD... bl WORD... ends with CODE, and TEXT is in what it writes to stderr
#   is WANT               $out is WANT
#   has TEXT              TEXT is in $out
#   json FILTER WANT      what jq FILTER makes of $out is WANT

dir=$(mktemp -d)
bl=$PWD/${BUILD:-build}/bl
failures=0
fake=
# shellcheck disable=SC2317 # by trap
clean() {
    [ -z "$fake" ] || kill "$fake" 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT
export XDG_RUNTIME_DIR="$dir"

fake_host() {
    "${BUILD:-build}/unit/fakectl" "$dir/line" &
    fake=$!
    while [ ! -S "$dir/line" ]; do sleep 0.05; done
    export BULKHEAD_HOST="unix:$dir/line"
}

wrong() {
    echo "wrong: $*"
    failures=$((failures + 1))
}

good() {
    said="bl $*"
    code=0
    out=$("$bl" "$@" 2>"$dir/stderr") || code=$?
    [ "$code" = 0 ] || wrong "$said: code $code: $(cat "$dir/stderr")"
    [ ! -s "$dir/stderr" ] || wrong "$said: says $(cat "$dir/stderr")"
}

bad() {
    want=$1 text=$2
    shift 2
    said="bl $*"
    code=0
    out=$("$bl" "$@" 2>"$dir/stderr") || code=$?
    [ "$code" = "$want" ] || wrong "$said: code $code, not $want"
    [ "$(wc -l <"$dir/stderr")" = 1 ] || wrong "$said: not one line: $(cat "$dir/stderr")"
    grep -qF -- "$text" "$dir/stderr" || wrong "$said: says '$(cat "$dir/stderr")', not '$text'"
}

is() {
    [ "$out" = "$1" ] || wrong "$said: '$out' is not '$1'"
}

has() {
    printf '%s\n' "$out" | grep -qF -- "$1" || wrong "$said: no '$1' in: $out"
}

json() {
    got=$(printf '%s\n' "$out" | jq -c "$1" 2>&1) || true
    [ "$got" = "$2" ] || wrong "$said: $1 is '$got', not '$2'"
}

verdict() {
    [ "$failures" = 0 ] || exit 1
}
