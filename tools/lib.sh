# Shared by the scripts in this folder: messages, root rights, other accounts. Sourced, never run.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [[ $(id -u) -eq 0 ]]; }

# Whether commands can be run as root; without a terminal sudo must not ask.
can_be_root() {
    is_root && return 0
    have sudo || return 1
    if [[ -t 0 ]]; then sudo -v; else sudo -n true; fi 2>/dev/null
}

as_root() {
    if is_root; then "$@"; else sudo "$@"; fi
}

# as_account NAME DIRECTORY COMMAND...: runs it there as that account, with its own home and nobody else's session.
as_account() {
    local name=$1 directory=$2 uid gid home
    shift 2
    uid=$(id -u "$name")
    gid=$(id -g "$name")
    home=$(home_of "$name")
    setpriv --reuid "$uid" --regid "$gid" --init-groups -- \
        env --chdir="$directory" -u XDG_RUNTIME_DIR -u XDG_CACHE_HOME -u XDG_CONFIG_HOME -u XDG_DATA_HOME \
        -u XDG_STATE_HOME -u REGISTRY_AUTH_FILE -u CONTAINERS_STORAGE_CONF -u TMPDIR \
        HOME="$home" USER="$name" LOGNAME="$name" "$@"
}

home_of() { getent passwd "$1" | cut -d: -f6; }

# The name that the kernel gives to the processor of an OCI platform such as linux/arm64.
machine_of() {
    case $1 in
        linux/amd64*) echo x86_64 ;;
        linux/arm64*) echo aarch64 ;;
        *) return 1 ;;
    esac
}

# Programs of the platform run here: natively, or by an emulator that containers can reach (flag F).
platform_runs() {
    local machine entry
    machine=$(machine_of "$1") || return 1
    [[ $machine == "$(uname -m)" ]] && return 0
    entry=/proc/sys/fs/binfmt_misc/qemu-$machine
    [[ -r $entry ]] && grep -q '^enabled' "$entry" && grep -q '^flags:.*F' "$entry"
}
