#!/usr/bin/env bash
# Builds the shipped images for every platform that this machine can run, as an ordinary user, and shows them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=tools/lib.sh
. tools/lib.sh

specs=(specs/debian.toml specs/python.toml)
wanted=(linux/amd64 linux/arm64)

main() {
    local name workspace platform options=() built
    name=$(tools/builder-user.sh ensure)
    workspace=$(tools/builder-user.sh copy)
    is_root && say "building as the ordinary user $name in $workspace"
    for platform in "${wanted[@]}"; do
        if platform_runs "$platform"; then
            options+=(--platform "$platform")
        else
            say "leaving $platform out: to get it, run tools/setup.sh as root on a host that lets it register qemu-user"
        fi
    done
    built=$(mktemp)
    # shellcheck disable=SC2064  # the name is known now and local
    trap "rm -f '$built'" EXIT
    run_bic "$name" "$workspace" doctor >"$root/.tools/doctor.txt" ||
        say "bic doctor found something; see .tools/doctor.txt"
    run_bic "$name" "$workspace" compile "${specs[@]}"
    run_bic "$name" "$workspace" build "${specs[@]}" "${options[@]}" --json >"$built"
    bring_back "$name" "$workspace"
    .venv/bin/python tools/show_build.py --from "$workspace" <"$built"
}

run_bic() {
    local name=$1 workspace=$2
    shift 2
    if is_root; then
        as_account "$name" "$workspace" env PATH="$PATH" .venv/bin/bic "$@" </dev/null
    else
        .venv/bin/bic "$@" </dev/null
    fi
}

# The account writes its own copy only; what it built is brought to where a build in place would have left it.
bring_back() {
    local name=$1 workspace=$2 spec
    [[ $workspace != "$root" ]] || return 0
    mkdir -p out/build
    for spec in "${specs[@]}"; do
        spec=$(basename "$spec" .toml)
        rm -rf "out/build/$spec.new"
        mkdir "out/build/$spec.new"
        as_account "$name" "$workspace/out/build/$spec" tar -cf - . | tar -C "out/build/$spec.new" --no-same-owner -xf -
        rm -rf "out/build/$spec"
        mv "out/build/$spec.new" "out/build/$spec"
    done
}

main "$@"
