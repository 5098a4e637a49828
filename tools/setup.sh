#!/usr/bin/env bash
# Installs whatever bic's development, its tests and its demo need and this machine lacks. Quick when nothing is missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=tools/lib.sh
. tools/lib.sh

crane_version=v0.22.1
tools=$root/.tools
packages=(
    apache2-utils     # htpasswd: the tests' registry with a password
    binfmt-support    # registers the emulator with the kernel
    buildah
    ca-certificates
    createrepo-c      # the tests' RPM repositories
    dnf               # locks of dnf steps
    fuse-overlayfs    # storage where the kernel refuses overlay to ordinary users
    gnupg             # the tests' signed packages
    mmdebstrap        # bases made from packages
    openssl           # the tests' registry with TLS
    qemu-user-static  # programs of foreign platforms
    rpm               # locks of dnf steps; the tests' packages
    skopeo
    uidmap            # newuidmap: ordinary users' ranges of ids
)

main() {
    mkdir -p "$tools/bin"
    exec 9>"$tools/lock"
    flock 9
    install_packages
    # Only now: the packages would otherwise register emulators for some thirty processors, host-wide.
    mount_binfmt
    enable_emulation
    install_registry
    install_crane
    install_python
    tools/builder-user.sh ensure >/dev/null
}

# Debian packages

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

install_packages() {
    local missing
    if ! have apt-get || ! have dpkg-query; then
        say "no apt-get here: install the equivalents of ${packages[*]} yourself"
        return 0
    fi
    find_python >/dev/null || packages+=(python3-venv)
    mapfile -t missing < <(missing_packages)
    [[ ${#missing[@]} -gt 0 ]] || return 0
    can_be_root || die "cannot install ${missing[*]}: be root or have sudo, then run this again"
    say "installing ${missing[*]}"
    update_package_lists
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" >"$tools/apt.log" 2>&1 || {
        cat "$tools/apt.log" >&2
        die "apt-get could not install them: see above"
    }
}

update_package_lists() {
    [[ -z ${lists_updated:-} ]] || return 0
    # A foreign repository that is down must not stop packages of Debian's own from being installed.
    as_root apt-get update -qq >&2 || say "apt-get update met errors; going on with what it has"
    lists_updated=1
}

# Debian's package would start a daemon on all interfaces, so its program alone is unpacked.
install_registry() {
    if have docker-registry || [[ -x $tools/bin/docker-registry ]] || ! have apt-get; then return 0; fi
    local scratch
    say "fetching docker-registry for the tests"
    scratch=$(mktemp -d)
    if ! download docker-registry "$scratch" 2>/dev/null; then
        can_be_root && update_package_lists
        download docker-registry "$scratch" || die "cannot fetch docker-registry: see apt-get's message above"
    fi
    dpkg-deb -x "$scratch"/docker-registry_*.deb "$scratch/unpacked"
    install -m 0755 "$scratch/unpacked/usr/bin/docker-registry" "$tools/bin/docker-registry"
    rm -rf "$scratch"
}

download() { (cd "$2" && apt-get download -qq -o APT::Sandbox::User=root "$1" >&2); }

# Foreign platforms

mount_binfmt() {
    [[ -e /proc/sys/fs/binfmt_misc/status ]] && return 0
    can_be_root && as_root mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null || true
}

enable_emulation() {
    local platform machine
    for platform in linux/amd64 linux/arm64; do
        platform_runs "$platform" && continue
        machine=$(machine_of "$platform")
        if have update-binfmts && [[ -e /proc/sys/fs/binfmt_misc/status ]] && can_be_root; then
            as_root update-binfmts --enable "qemu-$machine" >&2 || true
        fi
        platform_runs "$platform" || say "$platform will be left out: $(emulation_advice "$machine")"
    done
}

emulation_advice() {
    if [[ ! -e /proc/sys/fs/binfmt_misc/status ]]; then
        echo "as root on the host, run 'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc' and this again"
    else
        echo "as root on the host, run 'update-binfmts --enable qemu-$1' (qemu-user-static, binfmt-support)"
    fi
}

# crane: bic works without it, by skopeo

install_crane() {
    [[ -x $tools/bin/crane && $(cat "$tools/crane.version" 2>/dev/null) == "$crane_version" ]] && return 0
    have go || return 0
    say "installing crane $crane_version"
    if GOBIN=$tools/bin GOFLAGS='' go install "github.com/google/go-containerregistry/cmd/crane@$crane_version" >&2; then
        echo "$crane_version" >"$tools/crane.version"
    else
        say "crane could not be built: bic will ask registries through skopeo"
    fi
}

# Python

usable_python() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# An interpreter below root's private home would be of no use to the account that builds.
reachable_python() {
    is_root || return 0
    setpriv --reuid 65534 --regid 65534 --clear-groups -- "$1" -c '' >/dev/null 2>&1
}

find_python() {
    local candidate python
    for candidate in python3.11 /usr/bin/python3.11 python3 /usr/bin/python3; do
        python=$("$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null) || continue
        if usable_python "$python" && reachable_python "$python"; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

install_python() {
    local stamp=.venv/setup.stamp state python
    state=$({ echo "$root"; cat pyproject.toml requirements/dev.txt tools/setup.sh; } | sha256sum)
    if [[ $(cat "$stamp" 2>/dev/null) == "$state" ]] && .venv/bin/python -c '' 2>/dev/null; then return 0; fi
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        python=$(find_python) || die "no Python 3.11 or later with venv: install python3 and python3-venv"
        say "making .venv with $python"
        "$python" -m venv --clear .venv
    fi
    say "installing the Python packages of requirements/dev.txt"
    pip_install --require-hashes --only-binary :all: -r requirements/dev.txt
    pip_install --no-deps --no-build-isolation -e .
    printf '%s\n' "$state" >"$stamp"
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action ignore "$@" >&2
}

main "$@"
