"""What is known of a base without running it: its layers, links, and the packages that it has."""

import io
import tarfile
from pathlib import Path

import pytest

from bic.errors import InputInvalid, WorkFailed
from bic.lock.apt import sources, stanza
from bic.lock.base.files import Tree
from bic.lock.base.layers import files_of
from bic.oci import media_types
from bic.oci.config import ImageConfig
from bic.oci.descriptor import Descriptor
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest

STATUS = "/var/lib/dpkg/status"
Member = tuple[str, str | bytes]


def layer(*members: Member) -> bytes:
    """A tar: bytes make a file, "-> x" a symbolic link, "= x" a hard link."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, what in members:
            info = tarfile.TarInfo(name)
            if isinstance(what, bytes):
                info.size = len(what)
                archive.addfile(info, io.BytesIO(what))
                continue
            kind, _, info.linkname = what.partition(" ")
            info.type = tarfile.SYMTYPE if kind == "->" else tarfile.LNKTYPE
            archive.addfile(info)
    return sink.getvalue()


def tree(place: Path, *layers: bytes) -> Tree:
    image = Layout.create(place)

    def put(data: bytes, media_type: str) -> Descriptor:
        image.write_blob(data)
        return Descriptor.of(data, media_type)

    config = put(ImageConfig("amd64", "linux").to_bytes(), media_types.OCI_CONFIG)
    found = tuple(put(each, media_types.OCI_LAYER_TAR) for each in layers)
    return files_of(image, Manifest(config=config, layers=found))


def test_a_later_layer_wins_and_whiteouts_hide(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "image",
        layer(("etc/apt/a", b"1"), ("./etc/apt/b", b"1"), ("etc/apt/gone/c", b"1"), ("etc/other", b"1")),
        layer(("etc/apt/a", b"2"), ("etc/apt/.wh.b", b""), ("etc/apt/gone/.wh..wh..opq", b"")),
        layer(("etc/apt/gone/d", b"3"), ("etc/apt/e", "= etc/apt/gone/d")),
    )
    assert dict(found.contents) == {"/etc/apt/a": b"2", "/etc/apt/gone/d": b"3", "/etc/apt/e": b"3"}
    assert found.names("/etc/apt") == ("a", "e", "gone")


def test_links_stay_inside_and_loops_end(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "image",
        layer(
            ("var/lib/rpm", "-> ../../../../usr/lib/sysimage/rpm"),
            ("usr/lib/sysimage/rpm/db", b"x"),
            ("etc/apt/one", "-> two"),
            ("etc/apt/two", "-> /etc/apt/one"),
            ("usr/bin/python3", "-> python3.11"),
        ),
    )
    assert found.read("/var/lib/rpm/db") == b"x"
    assert found.read("/etc/apt/one") is None
    assert found.link("/usr/bin/python3") == "python3.11"
    assert found.link("/usr/lib/sysimage/rpm/db") is None


def test_a_layer_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="cannot read the layer"):
        tree(tmp_path / "image", layer(("etc/apt/a", b"1" * 4096))[:1500])


def test_a_base_without_dpkg_is_refused() -> None:
    with pytest.raises(InputInvalid, match="no `/var/lib/dpkg/status`"):
        sources.of_image(Tree())


def test_sources_and_keys_are_taken_and_configuration_is_not() -> None:
    contents = {
        STATUS: b"Package: a\nStatus: install ok installed\nVersion: 1\n",
        "/etc/apt/sources.list.d/x.sources": b"URIs: http://h/\n",
        "/etc/apt/apt.conf.d/99hook": b"APT::Update::Post-Invoke { 'rm -r /'; };",
        "/usr/share/keyrings/k.gpg": b"k",
    }
    root = sources.of_image(Tree(contents))
    assert set(root.files) == {"/etc/apt/sources.list.d/x.sources", "/usr/share/keyrings/k.gpg"}
    assert stanza.installed(root.status) == {"a": "1"}


def test_keyrings_of_a_base_are_looked_for_in_its_copy() -> None:
    text = "deb [signed-by=/usr/share/keyrings/k.gpg arch=amd64] https://h/debian s main\n"
    assert "signed-by=/copy/usr/share/keyrings/k.gpg arch" in sources.relocated(text, "/copy")


@pytest.mark.parametrize("line", ["deb file:/x ./", "deb [trusted=yes] ssh://h/x s main", "URIs: copy:/x"])
def test_archives_that_are_programs_or_files_of_the_host_are_refused(line: str) -> None:
    with pytest.raises(InputInvalid, match="http and https"):
        sources.relocated(line + "\n", "/copy")


def test_installing_replaces_an_older_version_in_the_status() -> None:
    before = (
        "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\n"
    )
    after = stanza.merged(
        before, {"a": "Package: a\nVersion: 2\nFilename: x\nSHA256: y\nDescription: d\n more"}
    )
    assert stanza.installed(after) == {"b": "", "a": "2"}
    assert "Filename" not in after and "SHA256" not in after and "\n more" in after
