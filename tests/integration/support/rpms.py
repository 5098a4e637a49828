"""RPM packages, repositories of them, and bases that have some installed: all made by the real tools."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from bic.lock.base.files import Tree

from .probes import Probe, program, which

DNF = Probe(
    "dnf, createrepo_c and rpmbuild",
    lambda: all(which(each) for each in ("dnf", "createrepo_c", "rpmbuild", "rpmkeys")),
    "run tools/setup.sh, or `apt-get install dnf createrepo-c rpm`",
)

SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: x
License: x
{lines}
%description
x
%install
mkdir -p %{{buildroot}}/usr/share/{name}
echo {version} >%{{buildroot}}/usr/share/{name}/version
echo {version} >%{{buildroot}}/usr/share/{name}/manual
%files
/usr/share/{name}/version
%doc /usr/share/{name}/manual
"""


@frozen
class Rpm:
    """What a package is: its version and further lines of its spec file."""

    name: str
    version: str
    lines: tuple[str, ...] = ()
    epoch: int = 0


def build(package: Rpm, machine: str, target: Path) -> Path:
    """The package for a machine, in `target`; nothing of the machine is run."""
    scratch = target / f"{package.name}-{package.version}.build"
    scratch.mkdir(parents=True)
    lines = "\n".join((f"Epoch: {package.epoch}" if package.epoch else "", *package.lines))
    text = SPEC.format(name=package.name, version=package.version, lines=lines)
    (scratch / "spec").write_text(text)
    macros: dict[str, object] = {
        "_dbpath": scratch / "database",  # Debian's would be in the home of whoever runs the tests
        "_topdir": scratch,
        "_rpmdir": target,
        "_build_name_fmt": "%{NVRA}.rpm",
        "__os_install_post": "%{nil}",  # it wants the tools of compilers
        "debug_package": "%{nil}",
    }
    defines = (word for name, value in macros.items() for word in ("--define", f"{name} {value}"))
    run(program("rpmbuild"), "-bb", "--quiet", "--target", machine, *defines, str(scratch / "spec"))
    run("rm", "-rf", str(scratch))
    return target / f"{package.name}-{package.version}-1.{machine}.rpm"


def repository(
    folder: Path, packages: Iterable[Rpm], machine: str, updateinfo: str = "", checksum: str = "sha256"
) -> None:
    """A repository of the packages in `folder`; `updateinfo` is its advisories."""
    for package in packages:
        build(package, machine, folder)
    run(program("createrepo_c"), "--quiet", "--checksum", checksum, str(folder))
    if updateinfo:
        (folder / "updateinfo.xml").write_text(f"<updates>{updateinfo}</updates>")
        run(program("modifyrepo_c"), str(folder / "updateinfo.xml"), str(folder / "repodata"))


def advisory(package: Rpm, kind: str) -> str:
    """The advisory that an update of that kind ("security", "bugfix") is."""
    attributes = f'name="{package.name}" epoch="{package.epoch}" version="{package.version}" release="1"'
    each = "".join(
        f'<package {attributes} arch="{machine}"><filename>x</filename></package>'
        for machine in ("x86_64", "aarch64")
    )
    return (
        f'<update from="x" status="final" type="{kind}" version="1"><id>A-{package.name}</id><title>x</title>'
        f'<issued date="2024-01-01 00:00:00"/><pkglist><collection short="x">{each}</collection></pkglist>'
        "</update>"
    )


def base(folder: Path, installed: Iterable[Path], files: Mapping[str, str], database: str) -> Tree:
    """A root with those packages in its database and nothing of them on disk, and with those files."""
    folder.mkdir(parents=True)
    where = ("--dbpath", str(folder))
    run(program("rpm"), *where, "--initdb")
    options = ("--justdb", "--nodeps", "--ignorearch", "--noscripts")
    run(program("rpm"), *where, *options, "-U", *map(str, installed))
    contents = {f"{database}/{each.name}": each.read_bytes() for each in folder.iterdir()}
    links = {} if database == "/var/lib/rpm" else {"/var/lib/rpm": f"../..{database}"}
    return Tree({**contents, **{path: text.encode() for path, text in files.items()}}, links)


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout
