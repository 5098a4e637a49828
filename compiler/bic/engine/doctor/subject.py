"""A machine under examination: the host, what is wanted of it, and what was found out once for all probes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from attrs import field, frozen

from bic.engine import host as choice
from bic.engine.doctor import trial
from bic.engine.doctor.machine import Host
from bic.errors import HostLacking
from bic.process import Completed


@frozen
class Proof:
    """How a real build went: `built` and `step` are empty for success, else the reason; None for not tried.

    `interfaces` and `hostname` are what a step without network saw; None where no such step ran, for the
    reason in `alone`.
    """

    built: str = ""
    step: str | None = None
    alone: str | None = None
    interfaces: tuple[str, ...] | None = None
    hostname: str | None = None


@frozen(slots=False, eq=False)
class Subject:
    """What probes are called with. `platforms` are those that a build is wanted for (`linux/arm64`)."""

    host: Host
    platforms: tuple[str, ...] = ()
    net: bool = False
    store: str = field(default="")

    def __attrs_post_init__(self) -> None:
        if not self.store:
            object.__setattr__(self, "store", self.host.store)

    @cached_property
    def overlay(self) -> Completed:
        """What became of a native overlay mount on the store's volume."""
        return choice.try_overlay(self.host, self.store)

    @cached_property
    def driver(self) -> choice.Driver:
        if self.overlay.returncode == 0:
            return "overlay"
        return choice.choose_driver(self.host, self.store)

    @cached_property
    def unshared(self) -> Completed:
        """The id map in the namespaces of a build.

        Success alone says little: where newuidmap fails, buildah goes on with a single id (measured).
        """
        return self.host.inside("cat", "/proc/self/uid_map")

    @cached_property
    def proof(self) -> Proof:
        """The outcome of a real build in a store of its own."""
        with choice.scratch_folder(self.host, self.store) as folder:
            rootfs = folder / "rootfs"
            rootfs.mkdir()
            (rootfs / "file").write_text("static\n")
            argv = trial.reader(self.host, rootfs)
            try:
                with trial.trial(self.host, folder, self.driver) as attempt:
                    return _prove(self, attempt, rootfs, argv)
            except HostLacking as error:
                return Proof(built=str(error))


def _prove(subject: Subject, attempt: trial.Trial, rootfs: Path, argv: tuple[str, ...] | None) -> Proof:
    container = trial.make_container(attempt, rootfs)
    if argv is None:
        return Proof(built=_commit(attempt, container))
    done = trial.step(attempt, container, argv)
    if done.returncode != 0:
        return Proof(built=_commit(attempt, container), step=trial.last_line(done.stderr_tail))
    quiet = trial.step(attempt, container, argv, before=alone(subject))
    built = _commit(attempt, container)
    if quiet.returncode != 0:
        return Proof(built, step="", alone=trial.last_line(quiet.stderr_tail))
    interfaces, hostname = _seen(quiet.stdout.decode(errors="replace"))
    return Proof(built, step="", interfaces=interfaces, hostname=hostname)


def alone(subject: Subject) -> tuple[str, ...]:
    """What to put before buildah for a step that must see no network (iso-net).

    chroot isolation shares the host's network and refuses `--network none`, so buildah itself is started in
    an empty network namespace.
    """
    inside = ("buildah", "unshare") if subject.host.rootless else ()
    return (*inside, "unshare", "--net")


def _commit(attempt: trial.Trial, container: str) -> str:
    """Commit and remove; the reason of a failure, or nothing."""
    image = "localhost/bic-doctor"
    flags = ("--quiet", "--format", "oci", "--identity-label=false", *_policy(attempt.host))
    for argv in (("commit", *flags, container, image), ("rm", container), ("rmi", image)):
        done = attempt.buildah(*argv)
        if done.returncode != 0:
            return f"`buildah {argv[0]}`: {trial.last_line(done.stderr_tail)}"
    return ""


def _policy(host: Host) -> tuple[str, ...]:
    """The user's own signature policy, which the trial's temporary home would hide."""
    own = f"{host.home}/.config/containers/policy.json"
    return ("--signature-policy", str(host.path(own))) if host.path(own).is_file() else ()


def _seen(text: str) -> tuple[tuple[str, ...], str]:
    """Interfaces and host name from what `trial.READS` hold: two header lines, interfaces, the name."""
    *table, hostname = text.rstrip("\n").split("\n")
    return tuple(sorted(line.split(":")[0].strip() for line in table[2:])), hostname
