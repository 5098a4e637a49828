from typing import Any

import pytest
from attrs import evolve

from bic.errors import Malformed
from bic.oci import media_types
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.platform import Platform

DIGEST = "sha256:" + "0" * 64


def raw(**members: Any) -> dict[str, Any]:
    return {"mediaType": media_types.OCI_MANIFEST, "digest": DIGEST, "size": 7} | members


def test_a_descriptor_is_read_with_all_its_members() -> None:
    found = Descriptor.from_json(
        raw(
            platform={"os": "linux", "architecture": "arm", "variant": "v6"},
            annotations={"b": "2", "a": "1"},
            artifactType="application/x",
        )
    )
    assert found == Descriptor(
        media_type=media_types.OCI_MANIFEST,
        digest=Digest.parse(DIGEST),
        size=7,
        platform=Platform("linux", "arm", "v6"),
        annotations=(("a", "1"), ("b", "2")),
        artifact_type="application/x",
    )
    assert hash(found)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"size": 0},
        {"urls": ["https://example.com/x"], "data": "e30="},
        {"annotations": {"a": "1"}},
        {"annotations": {}},
        {"platform": None},
        {"platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"platform": {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}},
        {"platform": {"os": "linux", "architecture": "riscv128"}},
        {"platform": {}},
        {"org.example.unknown": {"deep": [1, 2.5, None, True]}},
    ],
)
def test_a_round_trip_loses_nothing(members: dict[str, Any]) -> None:
    obj = raw(**members)
    found = Descriptor.from_json(obj)
    assert found.to_json() == obj
    assert Descriptor.from_json(found.to_json()) == found


def test_a_new_platform_replaces_the_spelling_of_the_old_one() -> None:
    found = Descriptor.from_json(raw(platform={"os": "linux", "architecture": "arm64", "variant": "v8"}))
    assert found.platform == Platform("linux", "arm64")
    moved = evolve(found, platform=Platform("linux", "amd64"))
    assert moved.to_json()["platform"] == {"os": "linux", "architecture": "amd64"}
    assert "platform" in evolve(found, annotations={"a": "1"}).to_json()


def test_an_attestation_has_no_platform() -> None:
    found = Descriptor.from_json(
        raw(
            platform={"os": "unknown", "architecture": "unknown"},
            annotations={"vnd.docker.reference.type": "attestation-manifest"},
        )
    )
    assert found.platform is None
    assert found.is_attestation
    assert not Descriptor.from_json(raw()).is_attestation


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        raw(size=-1),
        raw(size=2**63),
        raw(size=True),
        raw(size=1.0),
        raw(size="7"),
        raw(size=None),
        raw(digest="sha256:0"),
        raw(digest=None),
        raw(mediaType=None),
        raw(mediaType=""),
        raw(mediaType="no slash"),
        raw(mediaType="a/b/c"),
        raw(mediaType="a/b\n"),
        raw(mediaType=7),
        raw(platform=[]),
        raw(platform="linux/amd64"),
        raw(platform={"os": 1, "architecture": "amd64"}),
        raw(annotations=[]),
        raw(annotations={"a": 1}),
        raw(artifactType=1),
    ],
)
def test_what_is_no_descriptor_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        Descriptor.from_json(value)


def test_the_descriptor_of_data_has_its_size_and_digest() -> None:
    found = Descriptor.of(b"{}", media_types.OCI_EMPTY)
    assert (found.size, found.digest) == (2, Digest.of(b"{}"))
