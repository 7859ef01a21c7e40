# shellcheck shell=bash
# shellcheck disable=SC2034 # the names are used by the scripts that source this
# Where everything of this checkout lives. Sourced by the other scripts of this folder, which start
# with `set -euo pipefail`. Nothing here starts, stops or writes anything.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# Tests that stop and crash the services have a pair of their own elsewhere: RB_OCR_LOCAL.
LOCAL=${RB_OCR_LOCAL:-$ROOT/.local}
ENV_FILE=$LOCAL/env

# Binaries are looked for here, whatever the caller's cargo is told.
export CARGO_TARGET_DIR=$ROOT/target

# A checkout is told from its neighbours by a hash of its path: node name, ports, data folders.
CHECKOUT=$(printf '%s' "${RB_OCR_LOCAL:-$ROOT}" | sha256sum | cut -c1-10)

# Without this a Ctrl-C that a child takes for itself (initdb does) would leave the script going on.
trap 'exit 130' INT TERM HUP

say() { printf '%s\n' "$*"; }

# One sentence to a person, and the end.
die() {
    printf 'rb-ocr: %s\n' "$*" >&2
    exit 1
}

# A Rust toolchain that is new enough for this workspace.
need_cargo() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml")
    command -v cargo >/dev/null ||
        die "cargo is not installed: get a Rust toolchain of 1.95 or newer first (https://rustup.rs)."
    found=$(cargo --version 2>/dev/null | awk '{print $2}')
    printf '%s\n%s\n' "$wanted" "$found" | sort -VC ||
        die "cargo $found is too old: get a Rust toolchain of 1.95 or newer (rustup update stable)."
}

# Whether something accepts connections on a loopback port.
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Whether a process (not a zombie) with this id runs and its command line holds the text.
runs_as() {
    local id=$1 text=$2
    [[ $id =~ ^[0-9]+$ && -r /proc/$id/cmdline ]] || return 1
    [[ "$({ tr '\0' ' ' <"/proc/$id/cmdline"; } 2>/dev/null)" == *"$text"* ]]
}

# find_process NAME FILE TEXT: the id of a running process by its name and a text in its `cmdline` or
# `environ`, also where its own files are gone (somebody has removed .local under it).
find_process() {
    local folder
    # shellcheck disable=SC2013 # such paths hold no spaces
    for folder in $(grep -lsaF -- "$3" /proc/[0-9]*/"$2" 2>/dev/null); do
        folder=${folder%/*}
        [[ $(cat "$folder/comm" 2>/dev/null) == "$1" ]] || continue
        say "${folder#/proc/}"
        break
    done
}

# Whether a process has ended.
gone() { [[ ! -d /proc/$1 ]] || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }

# wait_until SECONDS COMMAND…: polls until the command succeeds; false when the time is up.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# Percent-encodes a path for a file:// URL, byte by byte.
url_path() {
    local byte
    for byte in $(printf '%s' "$1" | od -An -v -tx1); do
        case $byte in
            2[def] | 3[0-9] | 4[1-9a-f] | 5[0-9a] | 5f | 6[1-9a-f] | 7[0-9ae]) printf '%b' "\\x$byte" ;;
            *) printf '%%%s' "${byte^^}" ;;
        esac
    done
}

# A secret of 32 hexadecimal digits.
random_hex() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# Makes .local, readable by its owner alone (it holds passwords and documents).
make_local() {
    local reason
    reason=$(LC_ALL=C mkdir -p "$LOCAL" 2>&1) ||
        die "cannot create $LOCAL (${reason##*: }): the user $(id -un) must be able to write in $ROOT."
    [[ -w $LOCAL && -O $LOCAL ]] ||
        die "$LOCAL belongs to $(stat -c %U "$LOCAL"), not to $(id -un): run this as that user, or remove it."
    chmod 0711 "$LOCAL"
}

# need_space FOLDER: at least 1 GiB must be free where data is written.
need_space() {
    local free
    free=$(df -Pk "$1" | awk 'NR == 2 {print $4}')
    ((free >= 1048576)) ||
        die "only $((free / 1024)) MiB are free on the disk of $1, 1024 MiB are needed: make room and try again."
}
