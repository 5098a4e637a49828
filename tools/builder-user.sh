#!/usr/bin/env bash
# The ordinary account that builds. Root gets `bic-builder`, made here when missing; others build as themselves.
#
#   builder-user.sh ensure   makes the account and its ranges of ids, prints its name
#   builder-user.sh copy     prints a folder that holds the workspace and a .venv/bin/bic that the account can run
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/lib.sh
. "$root/tools/lib.sh"

account() {
    if is_root; then echo "${BIC_BUILDER_USER:-bic-builder}"; else id -un; fi
}

main() {
    local name
    name=$(account)
    case ${1:-} in
        ensure) ensure "$name" && echo "$name" ;;
        copy) copy "$name" ;;
        *) die "usage: ${0##*/} ensure|copy" ;;
    esac
}

ensure() {
    local name=$1
    if is_root; then
        exec 8>/run/lock/bic-builder-user.lock
        flock 8
    fi
    id -u "$name" >/dev/null 2>&1 || make_account "$name"
    ensure_range "$name" /etc/subuid --add-subuids
    ensure_range "$name" /etc/subgid --add-subgids
}

make_account() {
    say "making the account $1"
    useradd --create-home --user-group --shell /bin/sh --comment 'bic builds' "$1"
}

ensure_range() {
    local name=$1 file=$2 option=$3 start
    has_range "$name" "$file" && return 0
    if ! can_be_root; then
        say "rootless builds will not work: as root, run 'usermod $option 100000-165535 $name'"
        return 0
    fi
    [[ -e $file ]] || as_root touch "$file"
    start=$(awk -F: 'BEGIN { next_id = 100000 } $2 + $3 > next_id { next_id = $2 + $3 } END { print next_id }' "$file")
    say "giving $name the ids $start-$((start + 65535)) in $file"
    as_root usermod "$option" "$start-$((start + 65535))" "$name"
}

has_range() {
    awk -F: -v name="$1" -v uid="$(id -u "$1")" \
        '($1 == name || $1 == uid) { sum += $3 } END { exit sum < 65536 }' "$2" 2>/dev/null
}

# A checkout may lie below a home that the account cannot enter, hence a copy under its own home.
copy() {
    local name=$1 target
    if ! is_root; then
        echo "$root"
        return 0
    fi
    ensure "$name"
    target=$(home_of "$name")/bic/$(basename "$root")-$(printf '%s' "$root" | sha256sum | cut -c1-8)
    as_account "$name" / mkdir -p "$target"
    exec 7>"/run/lock/bic-copy-$(basename "$target").lock"
    flock 7
    copy_environment "$name" "$target"
    copy_sources "$name" "$target"
    echo "$target"
}

copy_sources() {
    local name=$1 target=$2 entry entries=() state
    for entry in bic.toml .bicignore pyproject.toml README.md LICENSE compiler specs checks; do
        [[ -e $root/$entry ]] && entries+=("$entry")
    done
    state=$(archive "${entries[@]}" | sha256sum)
    # A build that is under way must not lose its modules to a copy that would change nothing.
    [[ $(cat "$target/copy.stamp" 2>/dev/null) == "$state" ]] && return 0
    # shellcheck disable=SC2016  # expanded by the account's shell
    archive "${entries[@]}" | as_account "$name" "$target" sh -euc '
        rm -rf .new .old && mkdir .new .old && tar -C .new -xf -
        for entry in $(ls -A .new); do
            if [ -e "$entry" ]; then mv "$entry" .old/; fi
            mv ".new/$entry" .
        done
        rm -rf .new .old
        printf "%s\n" "$1" > copy.stamp' sh "$state"
}

archive() { tar -C "$root" --exclude=__pycache__ --sort=name --owner=0 --group=0 -cf - "$@"; }

copy_environment() {
    local name=$1 target=$2 python packages state
    state=$(cat "$root/requirements/dev.txt" "${BASH_SOURCE[0]}" | sha256sum)
    [[ $(cat "$target/.venv/copy.stamp" 2>/dev/null) == "$state" ]] && return 0
    python=$(common_python "$name") || die "no $("$root/.venv/bin/python" --version) that $name can run: apt-get install python3"
    as_account "$name" "$target" "$python" -m venv --clear --without-pip .venv
    packages=$("$root/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    tar -C "$packages" --exclude=./pip --exclude='./*.pth' -cf - . |
        as_account "$name" "$target" sh -euc 'tar -C .venv/lib/python3*/site-packages -xf -'
    [[ ! -x $root/.venv/bin/shellcheck ]] || install -m 0755 "$root/.venv/bin/shellcheck" "$target/.venv/bin/"
    # shellcheck disable=SC2016  # expanded by the account's shell
    as_account "$name" "$target" sh -euc '
        echo "$1/compiler" > "$(echo .venv/lib/python3*/site-packages)/bic-copy.pth"
        printf "%s\n" "#!$1/.venv/bin/python" "import sys" "from bic.cli.main import main" "sys.exit(main())" > .venv/bin/bic
        chmod 0755 .venv/bin/bic
        printf "%s\n" "$2" > .venv/copy.stamp' sh "$target" "$state"
}

# The account's interpreter must be of the same minor version: compiled wheels are bound to it.
common_python() {
    local name=$1 version candidate
    version=$("$root/.venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    for candidate in "$(readlink -f "$root/.venv/bin/python")" "/usr/bin/python$version" "/usr/local/bin/python$version"; do
        if as_account "$name" / "$candidate" -c 'import venv' >/dev/null 2>&1; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

main "$@"
