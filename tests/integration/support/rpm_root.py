"""A root file system of its own, without network, in which the real rpm and dnf install packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from attrs import frozen

SCRIPT = """\
cd "$1"
text=$2 hidden=$3 conf=$4
shift 4
mount -t tmpfs none .
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
mount --rbind /dev root/dev
mount -t proc none root/proc
mkdir -p root/run/bic/dnf root/run/installed root/run/home root/etc/dnf
mount --bind "$OLDPWD/new" root/run/bic/dnf
mount -o remount,bind,ro root/run/bic/dnf
mount --bind "$OLDPWD/installed" root/run/installed
printf '%s\\n' "$conf" >root/etc/dnf/dnf.conf
export HOME=/run/home
chroot root sh -c 'rpm --initdb; rpm -U /run/installed/*.rpm'
cp root/usr/bin/rpm rpm
for each in $hidden; do
  rm "root/usr/bin/$each"
done
status=0
chroot root sh -euc "$text" dnf "$@" >&2 || status=$?
cp rpm root/usr/bin/rpm
chroot root rpm -qa --qf '%{NAME}-%{EVR}.%{ARCH}\\n' | sort
chroot root find /usr/share -maxdepth 2 -name manual >&2
exit "$status"
"""


@frozen
class Installed:
    """What installing left: its exit code, the packages of the database, files that are there, its words."""

    code: int
    packages: tuple[str, ...]
    words: str


def install(
    folder: Path, base: list[Path], new: list[Path], text: str, hidden: str = "", conf: str = "[main]"
) -> Installed:
    """Run the text in a root that has the packages `base`, with `new` below /run/bic/dnf as arguments.

    The root is this machine's, seen through an overlay that is gone afterwards; `hidden` programs are not in
    it.
    """
    for name, paths in (("installed", base), ("new", new)):
        for number, path in enumerate(paths):
            target = folder / name / (f"{number:016x}" if name == "new" else "")
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    (folder / "root").mkdir()
    arguments = [f"/run/bic/dnf/{number:016x}/{path.name}" for number, path in enumerate(new)]
    argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--", "sh", "-euc", SCRIPT, "sh"]
    argv += [str(folder / "root"), text, hidden, conf, *arguments]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return Installed(done.returncode, tuple(done.stdout.splitlines()), done.stderr)
