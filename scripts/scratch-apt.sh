# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced: Debian packages downloaded without installing them and without touching the system's apt.
#
#   scratch_init OUT LINE...   OUT/apt gets its own package lists; LINE: "MIRROR SUITE"
#   scratch_apt TOOL ARG...    apt-get or apt-cache with those

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

scratch_apt() {
    tool=$1
    shift
    "$tool" -q -o Dir::Etc::sourcelist="$out/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$out/apt/state" -o Dir::State::status="$out/apt/status" \
        -o Dir::Cache="$out/apt/cache" -o APT::Sandbox::User= -o APT::Architecture=amd64 \
        -o APT::Architectures=amd64 -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Acquire::Check-Valid-Until=false "$@"
}

# The lists are read once.
scratch_init() {
    out=$1
    shift
    [ ! -e "$out/apt/updated" ] || return 0
    mkdir -p "$out/apt/state/lists/partial" "$out/apt/cache/archives/partial"
    : >"$out/apt/status"
    {
        printf "deb [signed-by=$keyring] %s main\n" "$@"
        printf "deb-src [signed-by=$keyring] %s main\n" "$@"
    } >"$out/apt/sources.list"
    scratch_apt apt-get --error-on=any update >&2 || {
        echo "cannot read the package lists of: $*" >&2
        return 1
    }
    : >"$out/apt/updated"
}
