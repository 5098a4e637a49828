"""A script: what to run for one image and platform, as data.

The words of a command are text, or hold variables whose values only the run knows: names of working
containers, the context directory, the cache directory, the host's CA bundle. `shell` prints a script
for people; the engine runs the very same data.
"""

from __future__ import annotations

from attrs import frozen

from bic.ir.definition import Origin
from bic.oci.platform import Platform


@frozen
class Var:
    """A value that the run supplies; printed as a shell variable of the same name."""

    name: str


Word = str | tuple["str | Var", ...]
"""One argument: text, or pieces that are joined."""


@frozen
class Given:
    """Arguments that are there only when the variable is set and not empty."""

    var: Var
    words: tuple[Word, ...]


Argument = Word | Given


@frozen
class Call:
    """Starts a program. Its stdout becomes the value of `save`, if that is set.

    `executes` marks the calls that run a program of the image; `exclusive` names a cache that no other
    call may use at the same time; `label` says in short what is executed, where argv is too long for people;
    `pulls` names the image that the call fetches from a registry.
    """

    argv: tuple[Argument, ...]
    origin: Origin = Origin()
    save: Var | None = None
    executes: bool = False
    exclusive: str = ""
    label: str = ""
    pulls: str = ""


@frozen
class Function:
    """A call of a function of tree.sh or prepare.sh."""

    words: tuple[Word, ...]
    origin: Origin = Origin()


@frozen
class Changes:
    """Functions of tree.sh, in order, on the mounted root file system of a container."""

    container: Var
    functions: tuple[Function, ...]


@frozen
class Prepare:
    """A function of prepare.sh: makes one entry of the context that is not there from the start."""

    function: Function


@frozen
class Scratchpad:
    """A directory of the context or the cache that must exist."""

    path: Word


Command = Call | Changes | Prepare | Scratchpad


@frozen
class Script:
    """`prepare` fills the context, `body` builds and commits, `cleanup` runs whatever happened.

    `containers` are the working containers in order of creation, `images` the temporary images that
    `body` commits besides the result, `secrets` the ids that its steps read. `layers` is how many layers
    the result has on top of the image that it begins with.
    """

    name: str
    platform: Platform
    prepare: tuple[Command, ...]
    body: tuple[Command, ...]
    cleanup: tuple[Command, ...]
    containers: tuple[Var, ...]
    secrets: tuple[str, ...] = ()
    layers: int = 1


CONTEXT = Var("context")
CACHE = Var("cache")
SECRETS = Var("secrets")
CA = Var("ca")
EPOCH = Var("epoch")
WORK = Var("work")
TARGET = Var("target")
UNIQUE = Var("unique")


def join(*pieces: str | Var) -> Word:
    return tuple(pieces)


def root_of(container: Var) -> Var:
    """The variable that holds where a container's root file system is mounted."""
    return Var(f"{container.name}_root")
