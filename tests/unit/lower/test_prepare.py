"""The functions of prepare.sh: downloads from a real server, and archives that mean well or ill."""

import functools
import hashlib
import http.server
import io
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

from bic.lower.shell import library

from .conftest import SHELLS


@frozen
class Prepare:
    shell: tuple[str, ...]
    folder: Path
    path: str = os.environ["PATH"]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        script = "\n".join(["set -eu", "umask 077", library("prepare.sh"), "epoch=0", shlex.join(words)])
        environment = {"PATH": self.path, "HOME": str(self.folder), "no_proxy": "*"}
        command = [*self.shell[:1], *self.shell[1:], "-c", script]
        found = shutil.which(command[0])
        assert found is not None
        done = subprocess.run(
            [found, *command[1:]], capture_output=True, text=True, check=False, env=environment, timeout=30,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done


@pytest.fixture(params=["dash", "bash"])
def prepare(request: pytest.FixtureRequest, tmp_path: Path) -> Prepare:
    """A shell of hosts: busybox would bring a tar of its own."""
    if shutil.which(request.param) is None:
        pytest.skip(f"lacks {request.param}: another shell to run the functions in")
    return Prepare(SHELLS[request.param], tmp_path)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}", folder
        serving.shutdown()
        thread.join()


NEEDED = (
    "bash", "busybox", "chmod", "cp", "curl", "dash", "find", "gzip", "head", "mkdir", "mv", "python3", "rm",
    "sh", "sha256sum", "tar", "unzip", "wget", "xz"
)  # fmt: skip


def without(tmp_path: Path, missing: str) -> str:
    """A PATH with the programs that prepare.sh may use, but one."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in NEEDED:
        program = shutil.which(name)
        if program is not None and name != missing:
            (folder / name).symlink_to(sys.executable if name == "python3" else program)
    return str(folder)


def test_a_download_is_checked_and_kept(prepare: Prepare, server: tuple[str, Path]) -> None:
    address, folder = server
    (folder / "data [1].bin").write_bytes(b"content")
    target = prepare.folder / "target"
    digest = hashlib.sha256(b"content").hexdigest()
    prepare.run("fetch", str(target), f"{address}/data%20[1].bin", digest)
    assert target.read_bytes() == b"content"
    prepare.run("fetch", str(target), "http://127.0.0.1:1/gone", digest)


def test_a_download_of_another_content_is_refused(prepare: Prepare, server: tuple[str, Path]) -> None:
    address, folder = server
    (folder / "data").write_bytes(b"other")
    target = prepare.folder / "target"
    done = prepare.run("fetch", str(target), f"{address}/data", "0" * 64, check=False)
    assert done.returncode == 1
    assert f"expected {'0' * 64}" in done.stderr
    assert sorted(path.name for path in prepare.folder.iterdir()) == ["served"]
    prepare.run("fetch", str(target), f"{address}/data", "-")
    assert target.read_bytes() == b"other"


def test_a_download_that_is_not_there_fails(prepare: Prepare, server: tuple[str, Path]) -> None:
    target = prepare.folder / "target"
    assert prepare.run("fetch", str(target), f"{server[0]}/none", "-", check=False).returncode != 0
    assert not target.exists()


def test_wget_serves_where_curl_is_missing(prepare: Prepare, server: tuple[str, Path]) -> None:
    if shutil.which("wget") is None:
        pytest.skip("lacks wget")
    address, folder = server
    (folder / "data").write_bytes(b"content")
    other = Prepare(prepare.shell, prepare.folder, without(prepare.folder, "curl"))
    other.run("fetch", str(prepare.folder / "target"), f"{address}/data", "-")
    assert (prepare.folder / "target").read_bytes() == b"content"


Member = tuple[str, bytes, int]
"""Name, content, and mode with the type of file."""

FILE, LINK, FOLDER = stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR

WELL: tuple[Member, ...] = (
    ("top/", b"", FOLDER | 0o2700),
    ("top/plain", b"1", FILE | 0o600),
    ("top/tool", b"2", FILE | 0o4755),
    ("top/.dot/ünï", b"3", FILE | 0o644),
    ("top/sub/link", b"../plain", LINK | 0o777),
    (".top/hidden", b"4", FILE | 0o644),
    ("lone", b"5", FILE | 0o644),
)


def tar(path: Path, members: tuple[Member, ...], kind: str = "w:gz") -> Path:
    with tarfile.open(path, kind) as archive:  # type: ignore[call-overload]
        for name, content, mode in members:
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.gid, info.mtime = stat.S_IMODE(mode), 1234, 1234, 1
            if stat.S_ISLNK(mode):
                info.type, info.linkname, content = tarfile.SYMTYPE, content.decode(), b""
            elif stat.S_ISDIR(mode):
                info.type = tarfile.DIRTYPE
            elif stat.S_ISFIFO(mode):
                info.type = tarfile.FIFOTYPE
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zip_(path: Path, members: tuple[Member, ...]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def listing(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = f"{status.st_mode & 0o7777:04o} " + ("/" if path.is_dir() else path.read_text())
    return found


WHOLE = {
    ".top": "0755 /",
    ".top/hidden": "0644 4",
    "lone": "0644 5",
    "top": "0755 /",
    "top/.dot": "0755 /",
    "top/.dot/ünï": "0644 3",
    "top/plain": "0644 1",
    "top/sub": "0755 /",
    "top/sub/link": "-> ../plain",
    "top/tool": "0755 2",
}
STRIPPED = {name.partition("/")[2]: text for name, text in WHOLE.items() if "/" in name}

Write = Callable[[Path, tuple[Member, ...]], Path]


@pytest.mark.parametrize(
    "write", [tar, functools.partial(tar, kind="w"), functools.partial(tar, kind="w:xz"), zip_]
)
def test_archives_become_trees_without_owners_and_special_modes(prepare: Prepare, write: Write) -> None:
    archive = write(prepare.folder / "archive", WELL)
    whole, stripped = prepare.folder / "whole", prepare.folder / "stripped"
    prepare.run("extract", str(whole), str(archive), "0")
    prepare.run("extract", str(stripped), str(archive), "1")
    assert listing(whole) == WHOLE
    assert listing(stripped) == STRIPPED
    assert {path.lstat().st_uid for path in whole.rglob("*")} == {os.geteuid()}


def test_a_zip_archive_is_the_same_without_unzip(prepare: Prepare) -> None:
    archive = zip_(prepare.folder / "archive", WELL)
    other = Prepare(prepare.shell, prepare.folder, without(prepare.folder, "unzip"))
    other.run("extract", str(prepare.folder / "whole"), str(archive), "0")
    assert listing(prepare.folder / "whole") == WHOLE


def test_directories_of_several_tops_are_merged(prepare: Prepare) -> None:
    members = (("a/x/1", b"1", FILE | 0o644), ("b/x/2", b"2", FILE | 0o644))
    for write in (tar, zip_):
        archive = write(prepare.folder / f"archive{write.__name__}", members)
        target = prepare.folder / f"target{write.__name__}"
        prepare.run("extract", str(target), str(archive), "1")
        assert listing(target) == {"x": "0755 /", "x/1": "0644 1", "x/2": "0644 2"}


ILL: dict[str, tuple[Member, ...]] = {
    "parent": (("../canary", b"bad", FILE | 0o644),),
    "deep parent": (("a/../../../canary", b"bad", FILE | 0o644),),
    "absolute": (("CANARY", b"bad", FILE | 0o644),),
    "through a link": (("l", b"..", LINK | 0o777), ("l/canary", b"bad", FILE | 0o644)),
    "through an absolute link": (("l", b"ROOT", LINK | 0o777), ("l/canary", b"bad", FILE | 0o644)),
    "a link on top": (("l", b"ROOT", LINK | 0o777), ("a/b", b"", FILE | 0o644)),
}


@pytest.mark.parametrize("strip", ["0", "1"])
@pytest.mark.parametrize("write", [tar, zip_])
@pytest.mark.parametrize("name", ILL)
def test_hostile_archives_stay_inside(tmp_path: Path, write: Write, name: str, strip: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    canary = tmp_path / "place/canary"
    canary.write_text("alive")
    (tmp_path / "canary").write_text("alive")
    members = tuple(
        (each.replace("CANARY", str(canary)), content.replace(b"ROOT", str(place).encode()), mode)
        for each, content, mode in ILL[name]
    )
    archive = write(tmp_path / "archive", members)
    (place / "inner").mkdir()
    for path in (os.environ["PATH"], without(tmp_path, "unzip")):
        target = place / "inner" / f"target{len(path)}"
        Prepare(("sh",), tmp_path, path).run("extract", str(target), str(archive), strip, check=False)
        assert canary.read_text() == "alive"
        assert (tmp_path / "canary").read_text() == "alive"
        assert sorted(each.name for each in place.iterdir()) == ["canary", "inner"]


def test_an_archive_with_a_pipe_is_refused(prepare: Prepare) -> None:
    archive = tar(prepare.folder / "archive", (("pipe", b"", stat.S_IFIFO | 0o644),))
    done = prepare.run("extract", str(prepare.folder / "target"), str(archive), "0", check=False)
    assert done.returncode == 1
    assert "neither a file, a directory nor a symbolic link" in done.stderr
    assert not (prepare.folder / "target").exists()


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut", b"no archive at all"])
def test_what_is_no_archive_fails_and_leaves_nothing_behind(prepare: Prepare, content: bytes) -> None:
    archive = prepare.folder / "archive"
    archive.write_bytes(content)
    assert prepare.run("extract", str(prepare.folder / "t"), str(archive), "0", check=False).returncode != 0
    assert not (prepare.folder / "t").exists()
