"""The spec language as types: one class a table, one class a step kind.

The classes are the language's only definition. `structure` reads TOML into them, `schema` derives
the JSON Schema and `reference` the page docs/spec.md, both from the field types, the defaults and
the `field: meaning` lines of the docstrings.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NewType

from attrs import Factory, field, frozen

from bic.errors import Span
from bic.oci.platform import Platform
from bic.oci.reference import Reference
from bic.spec.plain import OUTSIDE
from bic.spec.values import (
    CopySource,
    DebianPackage,
    EnvName,
    ImageGlob,
    ImagePath,
    Mode,
    ModeChange,
    Name,
    Owner,
    Package,
    PlatformGlob,
    Port,
    Repository,
    SecretId,
    Sha256,
    Text,
    Url,
    Word,
    WorkspacePath,
    Zone,
)

EnvTable = NewType("EnvTable", tuple[tuple[EnvName, Text], ...])
"""Environment variables in the order written."""

TextTable = NewType("TextTable", tuple[tuple[Text, Text], ...])
"""Labels or annotations in the order written."""

BindTable = NewType("BindTable", tuple[tuple[ImagePath, WorkspacePath], ...])
"""Paths in the image and the workspace paths that they show."""

NonEmptyText = NewType("NonEmptyText", str)
UserId = NewType("UserId", int)
"""A user or group number: 0 to 2**32 - 2."""

Account = NewType("Account", str)
"""`user` or `user:group`, names or numbers."""

ROOT = Owner("0", "0")


@frozen
class Image:
    """What the image is called and for which platforms it is built.

    name: repository path, without a registry and without a tag
    platforms: OCI platforms, such as `linux/amd64` and `linux/arm64`
    description: one line for people; becomes the label and annotation `org.opencontainers.image.description`
    labels: labels of the image config
    annotations: annotations of the image's manifests and index
    """

    name: Repository
    platforms: tuple[Platform, ...]
    description: Text = Text("")
    labels: TextTable = TextTable(())
    annotations: TextTable = TextTable(())


@frozen
class DebianBase:
    """A base bootstrapped from Debian's packages, without any registry.

    suite: release code name, such as `bookworm`
    variant: which packages are in it
    components: archive components
    mirror: archive to fetch from; without it, the one that mmdebstrap takes for the suite
    """

    suite: Word
    variant: Literal["essential", "apt", "required", "minbase", "important", "standard"] = "minbase"
    components: tuple[Word, ...] = (Word("main"),)
    mirror: Url | None = None


@frozen
class Base:
    """What the image is built on: exactly one of the keys.

    image: fully qualified reference; the lock pins it to an index digest
    spec: another spec of this workspace, by name: its just-built image
    debian: a base bootstrapped from Debian's packages
    scratch: `true` for an empty root file system
    shell: `false` for an `image` without /bin/sh; only the exported Dockerfile needs to know
    """

    image: Reference | None = None
    spec: Text | None = None
    debian: DebianBase | None = None
    scratch: bool | None = None
    shell: bool = True


@frozen
class Config:
    """The rest of the OCI image config; what is left out is inherited from the base.

    user: user of the image's processes, `user` or `user:group`, names or numbers
    workdir: working directory; made, owned by root, when it is not there
    entrypoint: argument list; an entrypoint without `cmd` drops the base's cmd, as in a Dockerfile
    cmd: argument list
    ports: exposed ports, such as `8080` or `53/udp`
    volumes: paths that hold data from outside
    stop_signal: signal name or number, such as `SIGTERM`
    """

    user: Account | None = None
    workdir: ImagePath | None = None
    entrypoint: tuple[Text, ...] | None = None
    cmd: tuple[Text, ...] | None = None
    ports: tuple[Port, ...] | None = None
    volumes: tuple[ImagePath, ...] | None = None
    stop_signal: Word | None = None


@frozen
class Options:
    """What every step that executes may say besides.

    user: who runs it, `user` or `user:group`; root unless said otherwise
    workdir: where it runs; `/` unless said otherwise
    env: variables of this step only
    network: `none` leaves the step without any interface but `lo`
    cache: directories of the image kept between builds, never part of the image
    secrets: ids given with `bic build --secret`, files under /run/secrets while the step runs
    bind: paths in the image that show files of the workspace, read-only, while the step runs
    """

    user: Account = Account("0:0")
    workdir: ImagePath = ImagePath("/")
    env: EnvTable = EnvTable(())
    network: Literal["default", "none"] = "default"
    cache: tuple[ImagePath, ...] = ()
    secrets: tuple[SecretId, ...] = ()
    bind: BindTable = BindTable(())


@frozen
class Run:
    """Executes one program, without a shell.

    run: the argument list
    """

    SUBJECT: ClassVar = "run"
    run: tuple[str, ...]


@frozen
class Shell:
    """Executes a script.

    shell: the text of the script
    interpreter: the argument list that the text is appended to
    """

    SUBJECT: ClassVar = "shell"
    shell: NonEmptyText
    interpreter: tuple[str, ...] = ("/bin/sh", "-euc")


@frozen
class Apt:
    """Installs Debian packages. Lists and archives are shared between builds and never in the image.

    packages: names, or `name=version`
    upgrade: upgrade what the base holds first: `safe` as `apt-get upgrade`, `full` as `dist-upgrade`
    recommends: install what the packages recommend, too
    """

    SUBJECT: ClassVar = "apt"
    packages: tuple[DebianPackage, ...] = ()
    upgrade: Literal["none", "safe", "full"] = "none"
    recommends: bool = False


@frozen
class Apk:
    """Installs Alpine packages; the same contract as `apt`.

    packages: names, or `name=version`
    upgrade: upgrade what the base holds first
    """

    SUBJECT: ClassVar = "apk"
    packages: tuple[Package, ...] = ()
    upgrade: Literal["none", "full"] = "none"


@frozen
class Dnf:
    """Installs RPM packages with dnf, microdnf or yum, whichever the image has; the same contract as `apt`.

    packages: names, or `name-version`
    upgrade: upgrade what the base holds first: `safe` takes security updates only
    """

    SUBJECT: ClassVar = "dnf"
    packages: tuple[Package, ...] = ()
    upgrade: Literal["none", "safe", "full"] = "none"


@frozen
class Pip:
    """Installs Python packages. The wheel cache is shared between builds; no bytecode is written.

    packages: requirement specifiers, such as `poetry==1.6.1`
    requirements: a requirements file of the workspace
    upgrade: upgrade packages that are there already
    python: the interpreter whose pip is used
    break_system_packages: install beside the distribution's packages (PEP 668)
    """

    SUBJECT: ClassVar = "pip"
    packages: tuple[Package, ...] = ()
    requirements: WorkspacePath | None = None
    upgrade: bool = False
    python: Text = Text("python3")
    break_system_packages: bool = False


@frozen
class Group:
    """Creates a group by editing /etc/group; needs nothing in the image.

    name: group name
    gid: group number
    system: a group of the system; says so, the number is always the one given
    """

    SUBJECT: ClassVar = "group"
    name: Name
    gid: UserId
    system: bool = False


@frozen
class User:
    """Creates a user by editing passwd, group and shadow; works without useradd and for foreign platforms.

    name: user name
    uid: user number
    group: primary group, created when it is not there
    gid: number of the primary group; the user's number unless said otherwise
    groups: further groups, which must be there
    system: a user of the system: no home directory unless said otherwise
    home: home directory, as it stands in /etc/passwd
    create_home: create the home directory, mode 0700, owned by the user
    shell: login shell
    comment: full name or purpose
    """

    SUBJECT: ClassVar = "user"
    name: Name
    uid: UserId
    group: Name = field(default=Factory(lambda self: self.name, takes_self=True))
    gid: UserId = field(default=Factory(lambda self: self.uid, takes_self=True))
    groups: tuple[Name, ...] = ()
    system: bool = False
    home: ImagePath = field(
        default=Factory(lambda self: default_home(self.name, self.system), takes_self=True)
    )
    create_home: bool = False
    shell: ImagePath = ImagePath("/usr/sbin/nologin")
    comment: Text = Text("")


def default_home(name: str, system: bool) -> ImagePath:
    return ImagePath("/nonexistent" if system else f"/home/{name}")


@frozen
class Directory:
    """Makes a directory; missing parents are made too, owned by root, 0755.

    path: where
    mode: permissions
    owner: `user:group`, names or numbers
    """

    SUBJECT: ClassVar = "directory"
    path: ImagePath
    mode: Mode = Mode("0755")
    owner: Owner = ROOT


@frozen
class File:
    """Writes one file, replacing what was there.

    path: where
    content: the text; `${vars.…}` is filled in
    source: a file of the workspace, instead of `content`
    mode: permissions
    owner: `user:group`, names or numbers
    """

    SUBJECT: ClassVar = "file"
    path: ImagePath
    content: str | None = None
    source: WorkspacePath | None = None
    mode: Mode = Mode("0644")
    owner: Owner = ROOT


@frozen
class Symlink:
    """Makes a symbolic link, replacing a file or link that was there.

    path: where the link stands
    target: what it says, taken as it is
    """

    SUBJECT: ClassVar = "symlink"
    path: ImagePath
    target: Text


@frozen
class Copy:
    """Copies files into the image. A directory's content goes into `path`.

    source: a path in the workspace, or in the stage or image named by `from`
    path: where to: a file becomes it, a directory's content goes into it
    from: `workspace`, `stage:NAME` or `image:REFERENCE`
    mode: permissions of the files copied; else 0644 or 0755 from the workspace, as they are from elsewhere
    owner: `user:group`, names or numbers; else root from the workspace, as they are from elsewhere
    exclude: patterns left out: without a slash a name at any depth, with one a path below `source`
    """

    SUBJECT: ClassVar = "copy"
    source: Text
    path: ImagePath
    origin: CopySource = field(default=CopySource("workspace"), metadata={"toml": "from"})
    mode: Mode | None = None
    owner: Owner | None = None
    exclude: tuple[Text, ...] = ()


@frozen
class Remove:
    """Removes files and directories; a path without a pattern that is not there is an error.

    paths: paths, whose parts may hold `*`, `?` and `[…]`
    """

    SUBJECT: ClassVar = "remove"
    paths: tuple[ImageGlob, ...]


@frozen
class Permissions:
    """Changes mode or owner of what is there.

    path: what to change; a symbolic link is followed
    mode: octal, or symbolic clauses such as `u+x,o-w`
    owner: `user:group`, names or numbers
    recursive: everything below it as well; links are then not followed
    """

    SUBJECT: ClassVar = "permissions"
    path: ImagePath
    mode: ModeChange | None = None
    owner: Owner | None = None
    recursive: bool = False


@frozen
class Fetch:
    """Downloads a file, checks it, and puts it into the image.

    url: http or https address
    path: where the file goes, or the directory that the archive is unpacked into
    sha256: what its content must hash to; from the lock when left out
    unpinned: `true` accepts an address whose content is not known beforehand
    mode: permissions
    owner: `user:group`, names or numbers
    extract: unpack a tar (gzip, xz, bzip2, zstd) or zip archive into `path`
    strip: leading path components to drop while unpacking
    """

    SUBJECT: ClassVar = "fetch"
    url: Url
    path: ImagePath
    sha256: Sha256 | None = None
    unpinned: bool = False
    mode: Mode | None = None
    owner: Owner = ROOT
    extract: bool = False
    strip: UserId = UserId(0)


@frozen
class Env:
    """Sets environment variables of the image from here on.

    env: names and values; values are taken as they are, `${env.NAME}` is the value in force so far
    """

    SUBJECT: ClassVar = "env"
    env: EnvTable


@frozen
class Timezone:
    """Sets the time zone: the link /etc/localtime, and /etc/timezone where Debian wants it.

    timezone: `UTC` or a zone of the time zone database
    """

    SUBJECT: ClassVar = "timezone"
    timezone: Zone


StepKind = (
    Run
    | Shell
    | Apt
    | Apk
    | Dnf
    | Pip
    | User
    | Group
    | Directory
    | File
    | Symlink
    | Copy
    | Remove
    | Permissions
    | Fetch
    | Env
    | Timezone
)

KINDS: tuple[type, ...] = StepKind.__args__
"""All step kinds, in the order of the reference."""

EXECUTING: frozenset[type] = frozenset({Run, Shell, Apt, Apk, Dnf, Pip})
"""The kinds that run a program of the image; the others need nothing inside it."""


@frozen
class Step:
    """One step, expanded and evaluated.

    `platforms` is a conjunction of alternatives: one tuple of patterns for the step itself and one for
    each `use` it came through; an empty tuple matches every platform.
    """

    kind: StepKind
    span: Span
    title: str = field(default="", metadata=OUTSIDE)
    platforms: tuple[tuple[PlatformGlob, ...], ...] = ()
    options: Options = Options()

    def runs_on(self, platform: Platform) -> bool:
        return all(_matches(globs, platform) for globs in self.platforms)


def _matches(globs: tuple[PlatformGlob, ...], platform: Platform) -> bool:
    positive = [glob for glob in globs if not glob.startswith("!")]
    negative = [glob[1:] for glob in globs if glob.startswith("!")]
    wanted = not positive or any(platform.matches(glob) for glob in positive)
    return wanted and not any(platform.matches(glob) for glob in negative)


@frozen
class Stage:
    """A helper image: only what is copied from it remains."""

    name: str
    base: Base
    env: EnvTable
    steps: tuple[Step, ...]
    span: Span


@frozen
class Spec:
    """One evaluated spec: includes, fragments and variables are in force, every value is parsed.

    `name` is its name in the workspace; `file` its path relative to the workspace root. `later` keeps
    tables that this version reads but does not act on, as plain data. Stages are sorted by name.
    """

    name: str = field(metadata=OUTSIDE)
    file: str = field(metadata=OUTSIDE)
    image: Image
    image_span: Span | None
    base: Base
    base_span: Span | None
    env: EnvTable
    config: Config
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...] = ()
    env_span: Span | None = None
    later: tuple[tuple[str, Any], ...] = field(default=(), eq=False, hash=False, metadata=OUTSIDE)
