"""Package steps as argument lists for the image's own package manager.

Lists, archives and wheels lie in a directory below /run/bic that is mounted for the step alone. Names of
packages are arguments of the script, never part of its text.
"""

from __future__ import annotations

import shlex
from typing import assert_never

from bic.ir.op import Install, Pairs

MOUNT = "/run/bic"
REQUIREMENTS = f"{MOUNT}/requirements.txt"

APT_MOUNT = f"{MOUNT}/apt"
_APT = f"""\
mkdir -p {APT_MOUNT}/lists/partial {APT_MOUNT}/archives/partial
upgrade=$1
recommends=$2
shift 2
apt() {{
  apt-get -q -y \\
    -o APT::Install-Recommends="$recommends" \\
    -o APT::Get::List-Cleanup=false \\
    -o APT::Keep-Downloaded-Packages=true \\
    -o APT::Sandbox::User=root \\
    -o Binary::apt-get::APT::Keep-Downloaded-Packages=true \\
    -o DPkg::Options::=--force-confdef \\
    -o DPkg::Options::=--force-confold \\
    -o DPkg::Options::=--force-unsafe-io \\
    -o DPkg::Options::=--log=/dev/null \\
    -o DPkg::Use-Pty=false \\
    -o Dir::Cache::archives={APT_MOUNT}/archives \\
    -o Dir::Cache::pkgcache= \\
    -o Dir::Cache::srcpkgcache= \\
    -o Acquire::Languages=none \\
    -o Dir::Log::History= \\
    -o Dir::Log::Planner= \\
    -o Dir::Log::Terminal= \\
    -o Dir::State::lists={APT_MOUNT}/lists \\
    "$@"
}}
apt update
case $upgrade in
  safe) apt upgrade ;;
  full) apt dist-upgrade ;;
esac
[ "$#" = 0 ] || apt install -- "$@"
"""

_APK = f"""\
mkdir -p {MOUNT}/apk
upgrade=$1
shift
[ "$upgrade" = none ] || apk upgrade --cache-dir {MOUNT}/apk --update-cache
[ "$#" = 0 ] || apk add --cache-dir {MOUNT}/apk --update-cache -- "$@"
"""

_DNF = f"""\
upgrade=$1
shift
dnf=
for each in dnf5 dnf microdnf yum; do
  if command -v "$each" >/dev/null; then
    dnf=$each
    break
  fi
done
[ -n "$dnf" ] || {{
  echo "bic: the image has none of dnf5, dnf, microdnf, yum" >&2
  exit 127
}}
case $dnf in
  microdnf) weak=--setopt=install_weak_deps=0 ;;
  yum) weak= ;;
  *) weak=--setopt=install_weak_deps=False ;;
esac
run() {{
  "$dnf" -y --setopt=cachedir={MOUNT}/dnf --setopt=keepcache=1 $weak "$@"
}}
case $upgrade in
  safe) run upgrade --security ;;
  full) run upgrade ;;
esac
[ "$#" = 0 ] || run install "$@"
"""


def argv(install: Install) -> tuple[str, ...]:
    """The argument list of a package step."""
    match install.manager:
        case "apt":
            recommends = "true" if install.recommends else "false"
            return ("/bin/sh", "-euc", _APT, "apt", install.upgrade, recommends, *install.packages)
        case "apk":
            return ("/bin/sh", "-euc", _APK, "apk", install.upgrade, *install.packages)
        case "dnf":
            return ("/bin/sh", "-euc", _DNF, "dnf", install.upgrade, *install.packages)
        case "pip":
            return _pip(install)
        case _:
            assert_never(install.manager)


def _pip(install: Install) -> tuple[str, ...]:
    options = ["--no-input", "--disable-pip-version-check", "--no-compile", "--cache-dir", f"{MOUNT}/pip"]
    if install.upgrade != "none":
        options.append("--upgrade")
    if install.break_system_packages:
        options.append("--break-system-packages")
    wanted = [*(["-r", REQUIREMENTS] if install.requirements is not None else []), *install.packages]
    return (install.python, "-m", "pip", "install", *options, *wanted)


def label(install: Install) -> str:
    """What a package step does, as people would type it."""
    words = [install.manager, "install" if install.packages or install.requirements else "upgrade"]
    return shlex.join([*words, *install.packages])


def environment(install: Install) -> Pairs:
    """Variables of the step that the manager needs besides the user's."""
    match install.manager:
        case "apt":
            return (("DEBIAN_FRONTEND", "noninteractive"),)
        case "pip":
            return (("PIP_ROOT_USER_ACTION", "ignore"), ("PYTHONDONTWRITEBYTECODE", "1"))
        case _:
            return ()
