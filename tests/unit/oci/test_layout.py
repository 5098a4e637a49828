import os
import stat
import tarfile
from pathlib import Path

import pytest

from bic.errors import BicError, InputInvalid, Malformed, WorkFailed
from bic.oci import json, layout, media_types
from bic.oci.config import ImageConfig
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest
from bic.oci.platform import Platform

AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")
ARMV7 = Platform("linux", "arm", "v7")
ABSENT = Descriptor.of(b"absent", media_types.OCI_MANIFEST)


@pytest.fixture
def empty(tmp_path: Path) -> Layout:
    return Layout.create(tmp_path / "image")


def put(target: Layout, data: bytes, media_type: str) -> Descriptor:
    target.write_blob(data)
    return Descriptor.of(data, media_type)


def put_image(target: Layout, platform: Platform, *, named: bool = True) -> Descriptor:
    config = ImageConfig(platform.architecture, platform.os, platform.variant).to_bytes()
    manifest = Manifest(
        config=put(target, config, media_types.OCI_CONFIG),
        layers=(put(target, f"layer of {platform}".encode(), media_types.OCI_LAYER_TAR),),
    )
    target.write_blob(manifest.to_bytes())
    return manifest.descriptor(platform if named else None)


def put_index(target: Layout, *entries: Descriptor) -> Descriptor:
    index = Index.of(entries)
    target.write_blob(index.to_bytes())
    return index.descriptor()


@pytest.fixture
def image(empty: Layout) -> Layout:
    nested = put_index(empty, put_image(empty, AMD64), put_image(empty, ARM64))
    empty.write_index(Index((nested,)))
    return empty


def test_a_new_layout_is_empty_and_can_be_opened(empty: Layout) -> None:
    assert Layout.open(empty.path) == empty
    assert (empty.path / "oci-layout").read_bytes() == b'{"imageLayoutVersion":"1.0.0"}'
    assert empty.index() == Index(())
    assert empty.images() == ()
    assert empty.verify() == ()


def test_creating_a_layout_again_changes_nothing(image: Layout) -> None:
    before = (image.path / "index.json").read_bytes()
    assert Layout.create(image.path) == image
    assert (image.path / "index.json").read_bytes() == before


@pytest.mark.parametrize(
    "marker",
    [None, b"", b"{}", b"[]", b'{"imageLayoutVersion":"2.0.0"}', b'{"imageLayoutVersion":1}', b"\xff"],
)
def test_what_is_no_layout_of_version_1_is_refused(tmp_path: Path, marker: bytes | None) -> None:
    if marker is not None:
        (tmp_path / "oci-layout").write_bytes(marker)
    with pytest.raises(InputInvalid, match=str(tmp_path)):
        Layout.open(tmp_path)


def test_a_file_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputInvalid):
        Layout.open(tmp_path / "file")


def test_a_pipe_in_place_of_the_marker_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "oci-layout")
    with pytest.raises(InputInvalid):
        Layout.open(tmp_path)


def test_a_blob_is_written_once_and_read_back(empty: Layout) -> None:
    digest = empty.write_blob(b"data")
    before = empty.blob_path(digest).stat()
    assert empty.write_blob(b"data") == digest == Digest.of(b"data")
    assert empty.blob_path(digest).stat() == before
    assert empty.has_blob(digest)
    assert empty.read_blob(Descriptor.of(b"data", "a/b")) == b"data"


def test_a_corrupt_blob_is_written_anew(empty: Layout) -> None:
    digest = empty.write_blob(b"data")
    empty.blob_path(digest).write_bytes(b"dada")
    empty.write_blob(b"data")
    assert empty.blob_path(digest).read_bytes() == b"data"


def test_an_empty_blob_is_a_blob(empty: Layout) -> None:
    empty.write_blob(b"")
    assert empty.read_blob(Descriptor.of(b"", "a/b")) == b""


def test_a_missing_blob_is_named(empty: Layout) -> None:
    with pytest.raises(WorkFailed, match=f"missing.*{ABSENT.digest}"):
        empty.read_blob(ABSENT)


@pytest.mark.parametrize("content", [b"dat", b"data and more", b""])
def test_a_blob_of_another_size_names_both_sizes(empty: Layout, content: bytes) -> None:
    empty.blob_path(empty.write_blob(b"data")).write_bytes(content)
    with pytest.raises(WorkFailed, match=f"4 bytes .* not `{len(content)}`"):
        empty.read_blob(Descriptor.of(b"data", "a/b"))


def test_a_corrupt_blob_names_both_digests(empty: Layout) -> None:
    empty.blob_path(empty.write_blob(b"data")).write_bytes(b"dada")
    with pytest.raises(WorkFailed) as caught:
        empty.read_blob(Descriptor.of(b"data", "a/b"))
    message = str(caught.value)
    assert str(Digest.of(b"data")) in message
    assert str(Digest.of(b"dada")) in message


def test_the_read_that_yields_the_last_byte_of_a_corrupt_blob_fails(empty: Layout) -> None:
    data = b"x" * 3_000_000
    empty.blob_path(empty.write_blob(data)).write_bytes(b"y" * len(data))
    with empty.open_blob(Descriptor.of(data, "a/b")) as stream:
        assert stream.read(1_000_000) == b"y" * 1_000_000
        with pytest.raises(WorkFailed):
            while stream.read(1_000_000):
                pass


@pytest.mark.parametrize("cut", [1, 5_000_000])
def test_a_blob_that_shrinks_or_grows_while_it_is_read_is_noticed(empty: Layout, cut: int) -> None:
    data = b"x" * 3_000_000
    path = empty.blob_path(empty.write_blob(data))
    with empty.open_blob(Descriptor.of(data, "a/b")) as stream:
        os.truncate(path, cut)
        with pytest.raises(WorkFailed):
            stream.read()


def test_a_layer_is_read_as_a_stream_by_tarfile(empty: Layout, tmp_path: Path) -> None:
    (tmp_path / "hello").write_text("hello")
    with tarfile.open(tmp_path / "layer.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "hello", "hello")
    data = (tmp_path / "layer.tar.gz").read_bytes()
    empty.write_blob(data)
    with (
        empty.open_blob(Descriptor.of(data, media_types.OCI_LAYER_GZIP)) as stream,
        tarfile.open(fileobj=stream, mode="r|gz") as archive,
    ):
        assert archive.getnames() == ["hello"]


def test_a_blob_of_sha512_is_verified_too(empty: Layout) -> None:
    import hashlib

    digest = Digest("sha512", hashlib.sha512(b"data").hexdigest())
    source = empty.path / "file"
    source.write_bytes(b"data")
    empty.import_blob(source, digest)
    assert empty.read_blob(Descriptor("a/b", digest, 4)) == b"data"


def test_a_blob_of_another_layout_is_imported_by_a_hard_link(empty: Layout, tmp_path: Path) -> None:
    other = Layout.create(tmp_path / "other")
    digest = other.write_blob(b"data")
    empty.import_blob(other, digest)
    empty.import_blob(other, digest)
    assert empty.blob_path(digest).samefile(other.blob_path(digest))
    assert leftovers(empty) == []


def test_a_file_is_imported_by_a_copy_where_links_are_impossible(
    empty: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    source = tmp_path / "file"
    source.write_bytes(b"data")
    digest = Digest.of(b"data")
    empty.import_blob(source, digest)
    assert empty.read_blob(Descriptor.of(b"data", "a/b")) == b"data"
    assert not empty.blob_path(digest).samefile(source)


def test_a_symbolic_link_is_imported_as_the_file_that_it_means(empty: Layout, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to("file")
    empty.import_blob(tmp_path / "link", Digest.of(b"data"))
    assert stat.S_ISREG(empty.blob_path(Digest.of(b"data")).lstat().st_mode)


def test_importing_other_content_is_refused_and_leaves_nothing(empty: Layout, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"dada")
    with pytest.raises(WorkFailed, match=str(Digest.of(b"dada"))):
        empty.import_blob(source, Digest.of(b"data"))
    assert not empty.has_blob(Digest.of(b"data"))
    assert leftovers(empty) == []
    assert source.read_bytes() == b"dada"


def test_importing_replaces_a_corrupt_blob(empty: Layout, tmp_path: Path) -> None:
    digest = empty.write_blob(b"data")
    empty.blob_path(digest).write_bytes(b"dada")
    (tmp_path / "file").write_bytes(b"data")
    empty.import_blob(tmp_path / "file", digest)
    assert empty.read_blob(Descriptor.of(b"data", "a/b")) == b"data"


def test_importing_what_is_not_there_fails(empty: Layout, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed):
        empty.import_blob(tmp_path / "file", ABSENT.digest)
    with pytest.raises(WorkFailed):
        empty.import_blob(Layout.create(tmp_path / "other"), ABSENT.digest, verify=False)


def test_a_write_that_is_cut_short_leaves_the_old_index(
    image: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = image.index()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        image.write_index(Index(()))
    assert image.index() == before
    assert leftovers(image) == []


def test_the_index_is_written_as_canonical_json(image: Layout) -> None:
    data = (image.path / "index.json").read_bytes()
    assert data == json.canonical(json.parse(data))


def test_a_missing_or_malformed_index_is_refused(empty: Layout) -> None:
    (empty.path / "index.json").write_bytes(b"{")
    with pytest.raises(Malformed):
        empty.index()
    (empty.path / "index.json").unlink()
    with pytest.raises(WorkFailed):
        empty.index()


def test_a_platform_is_resolved_through_nested_indexes(empty: Layout) -> None:
    armv7 = put_image(empty, ARMV7)
    inner = put_index(empty, put_image(empty, ARM64), armv7)
    empty.write_index(Index((put_index(empty, inner), put_image(empty, AMD64))))
    assert empty.resolve(ARMV7) == armv7
    assert {entry.platform for entry in empty.images()} == {AMD64, ARM64, ARMV7}


def test_an_entry_without_a_platform_has_that_of_its_config(empty: Layout) -> None:
    entry = put_image(empty, ARM64, named=False)
    empty.write_index(Index((entry,)))
    assert entry.platform is None
    assert empty.resolve(ARM64).digest == entry.digest
    assert empty.resolve(None).platform == ARM64


def test_a_platform_that_is_not_there_is_told_with_those_that_are(image: Layout) -> None:
    with pytest.raises(InputInvalid) as caught:
        image.resolve(ARMV7)
    [fault] = caught.value.faults
    assert fault.message.endswith("lacks the platform `linux/arm/v7`")
    assert fault.hint == "it has `linux/amd64`, `linux/arm64`"


def test_no_platform_means_the_only_one(image: Layout, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="no single platform"):
        image.resolve(None)
    with pytest.raises(InputInvalid) as caught:
        Layout.create(tmp_path / "other").resolve(None)
    assert caught.value.faults[0].hint == "it holds no image at all"


def test_a_sparse_layout_resolves_what_it_has(image: Layout) -> None:
    image.blob_path(image.resolve(ARM64).digest).unlink()
    assert image.read_manifest(image.resolve(AMD64)).is_image


def test_attestations_and_artifacts_are_no_images(empty: Layout) -> None:
    artifact = Manifest(put(empty, b"{}", media_types.OCI_EMPTY), ())
    empty.write_blob(artifact.to_bytes())
    marked = Descriptor(
        media_types.OCI_MANIFEST,
        ABSENT.digest,
        ABSENT.size,
        annotations={"vnd.docker.reference.type": "attestation-manifest"},
    )
    entry = put_image(empty, AMD64)
    empty.write_index(Index((marked, artifact.descriptor(), entry)))
    assert empty.images() == (entry,)


def test_a_manifest_under_the_media_type_of_an_index_is_refused(empty: Layout) -> None:
    entry = put_image(empty, AMD64)
    posing = Descriptor(media_types.OCI_INDEX, entry.digest, entry.size)
    empty.write_index(Index((posing,)))
    with pytest.raises(Malformed):
        empty.resolve(AMD64)
    assert len(empty.verify()) == 1


def test_indexes_that_are_nested_without_end_are_refused(empty: Layout) -> None:
    entry = put_image(empty, AMD64)
    for _ in range(layout.MAX_NESTING + 1):
        entry = put_index(empty, entry)
    empty.write_index(Index((entry,)))
    with pytest.raises(Malformed, match="nested deeper"):
        empty.images()
    assert [fault.message for fault in empty.verify()] == ["indexes are nested deeper than `8` levels"]


def test_an_index_that_repeats_itself_is_walked_once(empty: Layout) -> None:
    entry = put_image(empty, AMD64)
    for _ in range(layout.MAX_NESTING - 1):
        entry = put_index(empty, *[entry] * 1000)
    empty.write_index(Index((entry,)))
    assert len(empty.images()) == 1
    assert empty.verify() == ()


def test_a_manifest_that_claims_to_be_huge_is_not_read(empty: Layout) -> None:
    with pytest.raises(Malformed, match="larger"):
        empty.read_document(Descriptor(media_types.OCI_MANIFEST, ABSENT.digest, json.MAX_SIZE + 1))


def test_verify_reports_each_blob_that_is_missing_or_corrupt(image: Layout) -> None:
    assert image.verify() == ()
    amd64, arm64 = (image.read_manifest(image.resolve(platform)) for platform in (AMD64, ARM64))
    image.blob_path(amd64.layers[0].digest).unlink()
    image.blob_path(arm64.config.digest).write_bytes(b"x" * arm64.config.size)
    image.blob_path(arm64.layers[0].digest).write_bytes(b"")
    messages = [fault.message for fault in image.verify()]
    assert len(messages) == 3
    for blob in (amd64.layers[0], arm64.config, arm64.layers[0]):
        assert any(str(blob.digest) in message for message in messages)


def test_verify_reports_a_missing_manifest_and_goes_on(image: Layout) -> None:
    arm64 = image.resolve(ARM64)
    layer = image.read_manifest(image.resolve(AMD64)).layers[0]
    image.blob_path(arm64.digest).unlink()
    image.blob_path(layer.digest).unlink()
    assert len(image.verify()) == 2


def test_verify_reports_a_config_that_is_none(empty: Layout) -> None:
    manifest = Manifest(put(empty, b"{}", media_types.OCI_CONFIG), ())
    empty.write_blob(manifest.to_bytes())
    empty.write_index(Index((manifest.descriptor(AMD64),)))
    [fault] = empty.verify()
    assert str(Digest.of(b"{}")) in fault.message


def test_verify_allows_foreign_layers_to_be_elsewhere(empty: Layout) -> None:
    config = ImageConfig("amd64", "windows").to_bytes()
    away = Descriptor.of(b"away", media_types.DOCKER_FOREIGN_LAYER)
    manifest = Manifest(put(empty, config, media_types.OCI_CONFIG), (away,))
    empty.write_blob(manifest.to_bytes())
    empty.write_index(Index((manifest.descriptor(),)))
    assert empty.verify() == ()


def test_verify_reports_a_malformed_index(empty: Layout) -> None:
    (empty.path / "index.json").write_bytes(b"{}")
    assert len(empty.verify()) == 1


def test_pruning_deletes_what_nothing_leads_to(image: Layout) -> None:
    stray = image.write_blob(b"stray")
    image.write_index(Index((image.resolve(AMD64),)))
    (image.path / ".bic-1-dead").touch()
    (image.path / "blobs" / "sha256" / ".bic-1-dead").touch()
    gone = image.prune()
    assert stray in gone
    assert len(gone) == 5
    assert image.verify() == ()
    assert len(list(image.blobs())) == 3
    assert leftovers(image) == []
    assert image.prune() == ()


def test_pruning_deletes_nothing_while_a_manifest_cannot_be_read(image: Layout) -> None:
    image.write_blob(b"stray")
    image.blob_path(image.resolve(ARM64).digest).unlink()
    before = list(image.blobs())
    with pytest.raises(BicError):
        image.prune()
    assert list(image.blobs()) == before


def leftovers(target: Layout) -> list[Path]:
    return sorted(target.path.rglob(".bic-*"))
