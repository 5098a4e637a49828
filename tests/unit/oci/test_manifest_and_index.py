import itertools
import json
from typing import Any

import pytest

from bic.errors import Malformed
from bic.oci import media_types
from bic.oci.descriptor import Descriptor
from bic.oci.index import Index, parse_manifest_or_index
from bic.oci.manifest import Manifest
from bic.oci.platform import Platform


def blob(media_type: str, fill: str = "0", **members: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{fill * 64}", "size": 10} | members


def image(**members: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": blob(media_types.OCI_CONFIG),
        "layers": [blob(media_types.OCI_LAYER_GZIP, "1"), blob(media_types.OCI_LAYER_ZSTD, "2")],
    } | members


def index(**members: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_INDEX,
        "manifests": [
            blob(media_types.OCI_MANIFEST, "1", platform={"os": "linux", "architecture": "arm64"}),
            blob(media_types.OCI_MANIFEST, "2", platform={"os": "linux", "architecture": "amd64"}),
        ],
    } | members


def encode(obj: object) -> bytes:
    return json.dumps(obj, indent=3).encode()


DOCKER_IMAGE = image(
    mediaType=media_types.DOCKER_MANIFEST,
    config=blob(media_types.DOCKER_CONFIG),
    layers=[blob(media_types.DOCKER_LAYER)],
)


@pytest.mark.parametrize(
    "obj",
    [
        image(),
        image(annotations={"a": "1"}, artifactType="application/x", subject=blob(media_types.OCI_MANIFEST)),
        image(unknown={"a": [1]}),
        image(layers=[]),
        DOCKER_IMAGE,
    ],
)
def test_a_manifest_survives_the_round_trip(obj: dict[str, Any]) -> None:
    found = parse_manifest_or_index(encode(obj))
    assert isinstance(found, Manifest)
    assert found.to_json() == obj
    assert Manifest.parse(found.to_bytes()) == found
    assert hash(found)


@pytest.mark.parametrize(
    "obj",
    [
        index(),
        index(annotations={"a": "1"}, artifactType="application/x", subject=blob(media_types.OCI_MANIFEST)),
        index(unknown=None),
        index(manifests=[]),
        index(mediaType=media_types.DOCKER_LIST, manifests=[blob(media_types.DOCKER_MANIFEST)]),
    ],
)
def test_an_index_survives_the_round_trip(obj: dict[str, Any]) -> None:
    found = parse_manifest_or_index(encode(obj))
    assert isinstance(found, Index)
    assert found.to_json() == obj
    assert Index.parse(found.to_bytes()) == found
    assert hash(found)


def test_a_document_without_a_media_type_is_told_by_its_members() -> None:
    bare_image = {key: value for key, value in image().items() if key != "mediaType"}
    bare_index = {key: value for key, value in index().items() if key != "mediaType"}
    assert parse_manifest_or_index(encode(bare_image)).media_type == media_types.OCI_MANIFEST
    assert parse_manifest_or_index(encode(bare_index)).media_type == media_types.OCI_INDEX


@pytest.mark.parametrize(
    "obj",
    [
        None,
        [],
        "x",
        {},
        {"schemaVersion": 2},
        image(schemaVersion=3),
        image(schemaVersion="2"),
        image(schemaVersion=True),
        image(schemaVersion=2.0),
        image(config=None),
        image(config=[]),
        image(layers={}),
        image(layers=[None]),
        image(mediaType=media_types.OCI_INDEX),
        image(mediaType="application/json"),
        image(mediaType=[]),
        image(manifests=[]),
        image(manifests=None),
        image(subject=[]),
        index(layers=[]),
        index(config=None),
        index(manifests={}),
        index(manifests=[{}]),
        index(mediaType=media_types.OCI_MANIFEST),
        index(annotations={"a": None}),
        {"schemaVersion": 2, "layers": []},
    ],
)
def test_what_is_neither_or_both_is_refused(obj: object) -> None:
    with pytest.raises(Malformed):
        parse_manifest_or_index(encode(obj))


@pytest.mark.parametrize(
    "obj",
    [
        {"schemaVersion": 1, "name": "library/old", "fsLayers": []},
        image(mediaType="application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ],
)
def test_schema_1_is_refused_with_a_hint(obj: object) -> None:
    with pytest.raises(Malformed) as caught:
        parse_manifest_or_index(encode(obj))
    assert caught.value.hint == "push the image again with a current tool"


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"<html>", b"\xff", b"[" * 10**5, b" " * (8 * 1024 * 1024 + 1)]
)
def test_junk_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_manifest_or_index(data)


TEXTS = ["darwin/arm64", "linux/amd64", "linux/amd64/v3", "linux/arm/v6", "linux/arm/v7", "linux/arm64"]
ENTRIES = [Descriptor.of(text.encode(), media_types.OCI_MANIFEST, Platform.parse(text)) for text in TEXTS]


def test_an_index_is_sorted_by_platform_whatever_the_order_of_its_manifests() -> None:
    nameless = Descriptor.of(b"", media_types.OCI_MANIFEST)
    for order in itertools.permutations([*ENTRIES[:4], nameless]):
        made = Index.of(order, {"b": "2", "a": "1"})
        assert made.manifests == (*ENTRIES[:4], nameless)
        assert made.annotations == (("a", "1"), ("b", "2"))


def test_entries_of_one_platform_are_sorted_by_digest() -> None:
    same = [Descriptor.of(bytes([n]), media_types.OCI_MANIFEST, Platform("linux", "amd64")) for n in range(5)]
    assert Index.of(same) == Index.of(same[::-1])


def test_an_index_finds_the_manifest_of_a_platform() -> None:
    made = Index.of(ENTRIES)
    assert [str(platform) for platform in made.platforms] == TEXTS
    assert made.for_platform(Platform.parse("linux/arm")) == ENTRIES[4]
    assert made.for_platform(Platform.parse("linux/s390x")) is None


def test_the_descriptor_of_a_document_points_to_its_canonical_bytes() -> None:
    made = Index.of(ENTRIES)
    assert made.descriptor() == Descriptor.of(made.to_bytes(), media_types.OCI_INDEX)
    manifest = Manifest.from_json(image())
    platform = Platform("linux", "amd64")
    assert manifest.descriptor(platform) == Descriptor.of(
        manifest.to_bytes(), media_types.OCI_MANIFEST, platform
    )


def test_a_manifest_knows_its_blobs_and_their_size() -> None:
    manifest = Manifest.from_json(image())
    assert manifest.blobs == (manifest.config, *manifest.layers)
    assert manifest.download_size == 20
    assert manifest.is_image
    assert not Manifest.from_json(image(config=blob(media_types.OCI_EMPTY))).is_image
