# ruff: noqa: E501
"""tree.sh on random trees of links: nothing outside of the root is ever touched."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bic.lower.shell import library

names = st.sampled_from(["a", "b", "c", "etc", "-rf", "*", "x y", "n\nl", ".h"])
paths = st.lists(names, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
targets = st.one_of(
    st.sampled_from(["/", "..", ".", "../../../../..", "OUTSIDE", "OUTSIDE/canary", "../../OUTSIDE-NAME/canary", "../OUTSIDE-NAME"]),
    paths,
    paths.map(lambda path: path[1:]),
    paths.map(lambda path: ".." + path),
)  # fmt: skip
nodes = st.lists(st.tuples(paths, st.one_of(st.just("directory"), st.just("file"), targets)), max_size=8)
calls = st.lists(
    st.one_of(
        st.tuples(st.just("make_directory"), paths, st.just("0700"), st.just("1:1")),
        st.tuples(st.just("make_symlink"), paths, st.just("x")),
        st.tuples(st.just("put_file"), st.just("SOURCE"), paths, st.just("0600"), st.just("1:1")),
        st.tuples(st.just("put_tree"), st.just("FOLDER"), paths, st.just("1:1")),
        st.tuples(st.just("remove_all"), paths),
        st.tuples(st.just("remove_all"), paths.map(lambda path: path + "/*")),
        st.tuples(st.just("remove_all"), paths.map(lambda path: path + "/*/c*")),
        st.tuples(st.just("remove_matching"), paths, st.sampled_from(["c*", "canary", "*/canary", "a/*"])),
        st.tuples(st.just("set_file_modes"), paths, st.just("0600")),
        st.tuples(st.just("set_permissions"), paths, st.just("0700"), st.just("1:1"), st.sampled_from(["yes", "no"])),
        st.tuples(st.just("add_group"), st.just("g"), st.just("5")),
        st.tuples(
            st.just("add_user"), st.just("u"), st.just("5"), st.just("5"), st.just("u"), paths, st.just("/s"),
            st.just(""), st.just("yes"),
        ),
        st.tuples(st.just("set_timezone"), st.just("UTC")),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


def listing(folder: Path) -> list[tuple[str, int, int, int, int, bytes]]:
    found = []
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        name = str(path.relative_to(folder))
        found.append((name, status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content))
    return found


def grow(root: Path, outside: Path, wanted: list[tuple[str, str]]) -> None:
    """Make what can be made of the nodes; what stands in another's way is left out."""
    root.mkdir(mode=0o755)
    for name, what in wanted:
        path = root / name[1:]
        if path.parent.resolve().is_relative_to(root) and not path.is_symlink():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if what == "directory":
                    path.mkdir(exist_ok=True)
                elif what == "file":
                    path.write_text("inside")
                else:
                    target = what.replace("OUTSIDE-NAME", outside.name).replace("OUTSIDE", str(outside))
                    path.symlink_to(target)
            except (OSError, RuntimeError):
                continue


@pytest.mark.skipif(os.geteuid() != 0, reason="lacks root: files cannot be given away")
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(nodes, calls)
def test_links_never_lead_out_of_the_root(
    wanted: list[tuple[str, str]], functions: list[tuple[str, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        outside, root, source = top / "outside", top / "root", top / "source"
        (outside / "deep").mkdir(parents=True)
        (outside / "canary").write_text("alive")
        (outside / "deep/canary").write_text("alive")
        (source / "a/b").mkdir(parents=True)
        (source / "a/c").write_text("content")
        (source / "etc").symlink_to(outside)
        grow(root, outside, wanted)
        before = listing(outside), listing(source)
        lines = ["set -eu", "umask 022", library("tree.sh"), f"R={shlex.quote(str(root))}"]
        for words in functions:
            filled = ({"SOURCE": f"{source}/a/c", "FOLDER": str(source)}.get(each, each) for each in words)
            # A failure must do no harm either, and the next call is to be tried.
            lines.append(f"( {shlex.join(filled)} ) 2>/dev/null || :")
        done = subprocess.run(
            ["sh", "-c", "\n".join(lines)], check=False, timeout=30, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0
        assert (listing(outside), listing(source)) == before
        assert sorted(path.name for path in top.iterdir()) == ["outside", "root", "source"]
        shutil.rmtree(root)
