"""That packages are signed, where their repository wants it: later on the hashes of a lock are trusted."""

from __future__ import annotations

from pathlib import Path

from bic.errors import Fault, HostLacking, WorkFailed
from bic.lock.dnf.host import HINT, home
from bic.lock.dnf.root import DATABASE
from bic.process import Cancel, Command, Completed, run


def check(
    paths: tuple[Path, ...], keys: tuple[str, ...], folder: Path, root: Path, cancel: Cancel | None
) -> None:
    """Raise `WorkFailed` unless each file is signed by one of the keys, or by one that the base trusts."""
    if not paths:
        return
    for number, key in enumerate(keys):
        path = folder / f"key-{number}"
        path.write_text(key, encoding="utf-8")
        if _rpmkeys(folder, root, ("--import", str(path)), cancel).returncode != 0:
            raise WorkFailed("a repository's public key cannot be read")
    wanted = ("--define", "_pkgverify_level all", "--checksig", *map(str, paths))
    completed = _rpmkeys(folder, root, wanted, cancel)
    if completed.returncode != 0:
        raise WorkFailed(Fault(MESSAGE, hint=ADVICE, notes=_wrong(completed)))


MESSAGE = "packages are not signed with a key of their repository"
ADVICE = "check `gpgkey` in the base's repository files: `gpgcheck = 0` there gives up the signatures"


def _rpmkeys(folder: Path, root: Path, words: tuple[str, ...], cancel: Cancel | None) -> Completed:
    argv = ("rpmkeys", "--dbpath", f"{root}{DATABASE}", *words)
    try:
        return run(Command(argv, env=home(folder)), check=False, cancel=cancel)
    except HostLacking as error:
        raise HostLacking("the program is not installed: `rpmkeys`", hint=HINT) from error


def _wrong(completed: Completed) -> tuple[str, ...]:
    """rpmkeys' lines about files that it refuses: each ends in `OK` for the others."""
    lines = completed.stdout.decode(errors="replace").splitlines()
    return tuple(Path(line).name for line in lines if not line.endswith(" OK") or "NOT OK" in line)
