"""A base image of a few megabytes for amd64 and arm64, made from Debian's busybox-static."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from .layout import LayoutWriter, index_manifest
from .probes import program

PLATFORMS = ("linux/amd64", "linux/arm64")
_FALLBACK = ("http://deb.debian.org/debian", "bookworm")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_EPOCH = 1704067200
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
_GROUP = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"
_SHADOW = "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n"
_OS_RELEASE = 'ID=tiny\nNAME="tiny"\nVERSION_ID="1"\n'


@frozen
class TinyBase:
    """`layout` is an OCI layout with one index over both platforms; `digest` is that of the index."""

    layout: Path
    digest: str


def cache_directory() -> Path:
    """Where test inputs outlive a run: BIC_TEST_CACHE, else below the XDG cache folder."""
    own = os.environ.get("BIC_TEST_CACHE")
    shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = Path(own) if own else shared / "bic-tests"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def tiny_base(cache: Path) -> TinyBase:
    """The base, made at the first call and found in `cache` by later ones, of this process and others."""
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    layout = cache / f"tiny-base-{recipe}"
    with (cache / "tiny-base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not layout.exists():
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                _make(Path(scratch), Path(scratch) / "layout")
                (Path(scratch) / "layout").rename(layout)
    return TinyBase(layout, index_manifest(layout)[0])


def push_layout(layout: Path, reference: str, *options: str) -> None:
    """Copies all of the layout to `host/repository:tag` of a registry without TLS, digests unchanged."""
    argv = [
        program("skopeo"),
        "--insecure-policy",
        "copy",
        "--quiet",
        "--all",
        "--preserve-digests",
        *options,
    ]
    argv += ["--dest-tls-verify=false"] if not options else []
    done = subprocess.run([*argv, f"oci:{layout}", f"docker://{reference}"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"skopeo could not push {reference}: {done.stderr}")


def _make(scratch: Path, layout: Path) -> None:
    programs = {platform: _busybox(scratch, platform.split("/")[1]) for platform in PLATFORMS}
    applets = _applets(next(file for name, file in programs.items() if _is_native(name)))
    writer = LayoutWriter(layout)
    config = {
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "Cmd": ["/bin/sh"],
    }
    writer.finish(
        [
            writer.image(platform, _layer(file.read_bytes(), applets), config)
            for platform, file in programs.items()
        ]
    )


def _is_native(platform: str) -> bool:
    return {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}.get(os.uname().machine) == platform


def _applets(busybox: Path) -> tuple[str, ...]:
    listed = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout
    return tuple(sorted(set(listed.split()) - {"busybox"}))


# The package, for any architecture, without a word to the machine's own dpkg


def _busybox(scratch: Path, architecture: str) -> Path:
    state = scratch / architecture
    apt = _apt(state, architecture)
    for command in ("update", "download"):
        words = ["busybox-static"] if command == "download" else []
        subprocess.run([*apt, command, *words], check=True, capture_output=True, cwd=state)
    (package,) = state.glob("*.deb")
    unpacked = state / "unpacked"
    subprocess.run([program("dpkg-deb"), "-x", package, unpacked], check=True, capture_output=True)
    return next(file for file in (unpacked / "bin/busybox", unpacked / "usr/bin/busybox") if file.exists())


def _apt(state: Path, architecture: str) -> list[str]:
    for folder in ("state/lists/partial", "cache/archives/partial", "etc"):
        (state / folder).mkdir(parents=True)
    mirror, suite = _mirror()
    (state / "etc/sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n")
    (state / "state/status").touch()
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::State": state / "state",
        "Dir::State::status": state / "state/status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": state / "etc/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
    }
    return [program("apt-get"), "-qq", *(word for k, v in options.items() for word in ("-o", f"{k}={v}"))]


def _mirror() -> tuple[str, str]:
    """Mirror and suite that this machine takes Debian from."""
    template = "$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)"
    argv = [program("apt-get"), "indextargets", "--format", template, "Identifier: Packages"]
    listed = subprocess.run(argv, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        found = re.fullmatch(r"Debian main (\S+) ([a-z]+)", line)
        if found:
            return found[1], found[2]
    return _FALLBACK


# Its layer


def _layer(busybox: bytes, applets: tuple[str, ...]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in _members(busybox, applets):
            member.mtime = _EPOCH
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def _members(busybox: bytes, applets: tuple[str, ...]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for path in (
        "bin",
        "dev",
        "etc",
        "home",
        "proc",
        "run",
        "sys",
        "usr",
        "usr/bin",
        "usr/local",
        "usr/sbin",
        "var",
    ):
        yield _member(path, tarfile.DIRTYPE, 0o755), b""
    yield _member("root", tarfile.DIRTYPE, 0o700), b""
    for path in ("tmp", "var/tmp"):
        yield _member(path, tarfile.DIRTYPE, 0o1777), b""
    yield _file("bin/busybox", busybox, 0o755)
    for applet in applets:
        link = _member(f"bin/{applet}", tarfile.SYMTYPE, 0o777)
        link.linkname = "busybox"
        yield link, b""
    texts = {"passwd": _PASSWD, "group": _GROUP, "os-release": _OS_RELEASE}
    for name, text in texts.items():
        yield _file(f"etc/{name}", text.encode(), 0o644)
    yield _file("etc/shadow", _SHADOW.encode(), 0o640)


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode = kind, mode
    return member


def _file(path: str, content: bytes, mode: int) -> tuple[tarfile.TarInfo, bytes]:
    member = _member(path, tarfile.REGTYPE, mode)
    member.size = len(content)
    return member, content


def copy_for(base: TinyBase, directory: Path) -> Path:
    """A copy of the layout in `directory`, for accounts that cannot reach the cache."""
    return Path(shutil.copytree(base.layout, directory / "tiny-base", dirs_exist_ok=True))
