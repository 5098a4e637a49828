from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bic.errors import Malformed
from bic.oci import json, media_types
from bic.oci.config import ImageConfig
from bic.oci.descriptor import Descriptor
from bic.oci.index import Index, parse_manifest_or_index
from bic.oci.manifest import Manifest

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
DIGEST = st.sampled_from([f"sha256:{digit * 64}" for digit in "0123"])


def shaped(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of the right shape with other members among theirs."""
    right = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda other, obj: other | obj, st.dictionaries(texts, values, max_size=2), right)


names = st.dictionaries(texts, texts, max_size=2)
platforms = shaped(
    {
        "os": st.sampled_from(["linux", "unknown", "Linux", ""]),
        "architecture": st.sampled_from(["arm64", "x"]),
    },
    {"variant": st.sampled_from(["v8", "8", "v9", "", "?"]), "os.version": texts},
)
descriptors = shaped(
    {"mediaType": st.just(media_types.OCI_MANIFEST), "digest": DIGEST, "size": st.integers(0, 2**63 - 1)},
    {"annotations": st.none() | names, "platform": platforms, "urls": st.lists(texts, max_size=2)},
)
manifests = shaped(
    {
        "schemaVersion": st.just(2),
        "mediaType": st.sampled_from(sorted(media_types.MANIFESTS)),
        "config": descriptors,
        "layers": st.lists(descriptors, max_size=2),
    },
    {"annotations": names, "subject": descriptors},
)
indexes = shaped(
    {
        "schemaVersion": st.just(2),
        "mediaType": st.sampled_from(sorted(media_types.INDEXES)),
        "manifests": st.lists(descriptors, max_size=2),
    },
    {"annotations": names},
)
lists = st.none() | st.lists(texts, max_size=3)
sets: st.SearchStrategy[dict[str, dict[str, str]] | None] = st.none() | st.dictionaries(
    texts, st.just({}), max_size=2
)
runs = shaped(
    {},
    {
        "User": texts,
        "Env": lists,
        "Cmd": lists,
        "Entrypoint": lists,
        "WorkingDir": texts,
        "Volumes": sets,
        "ExposedPorts": sets,
        "Labels": st.none() | names,
        "StopSignal": texts,
    },
)
history = shaped({}, {"created": texts, "created_by": texts, "empty_layer": st.booleans()})
configs = shaped(
    {
        "architecture": texts,
        "os": texts,
        "rootfs": st.fixed_dictionaries(
            {"type": st.just("layers"), "diff_ids": st.lists(DIGEST, max_size=2)}
        ),
    },
    {
        "config": st.none() | runs,
        "history": st.lists(history, max_size=2),
        "variant": texts,
        "created": texts,
    },
)


@settings(deadline=None)
@given(values)
def test_canonical_json_is_idempotent(value: object) -> None:
    data = json.canonical(value)
    assert json.parse(data) == value
    assert json.canonical(json.parse(data)) == data


@settings(deadline=None)
@given(st.binary() | st.text('{}[]":,0\\u d8ea1.-', max_size=40).map(str.encode))
def test_parsers_of_bytes_raise_nothing_but_malformed(data: bytes) -> None:
    for parse in (json.parse, parse_manifest_or_index, Manifest.parse, Index.parse, ImageConfig.parse):
        try:
            parse(data)
        except Malformed as error:
            assert error.message


def check_parsers_of_objects(value: object) -> None:
    for parse in (Descriptor.from_json, Manifest.from_json, Index.from_json, ImageConfig.from_json):
        try:
            parse(value)
        except Malformed as error:
            assert error.message


@settings(deadline=None)
@given(values | descriptors | manifests | indexes | configs)
def test_parsers_of_objects_raise_nothing_but_malformed(value: object) -> None:
    check_parsers_of_objects(value)


@settings(deadline=None)
@given(st.data(), manifests | indexes | configs, values)
def test_objects_with_one_wrong_member_are_refused_or_read(
    data: st.DataObject, obj: dict[str, Any], wrong: object
) -> None:
    key = data.draw(st.sampled_from(sorted(obj)))
    check_parsers_of_objects(obj | {key: wrong})


@settings(deadline=None)
@given(descriptors)
def test_descriptors_lose_nothing(obj: dict[str, Any]) -> None:
    assert Descriptor.from_json(obj).to_json() == obj


@settings(deadline=None)
@given(manifests)
def test_manifests_lose_nothing(obj: dict[str, Any]) -> None:
    found = Manifest.from_json(obj)
    assert found.to_json() == obj
    assert parse_manifest_or_index(found.to_bytes()) == found


@settings(deadline=None)
@given(indexes)
def test_indexes_lose_nothing(obj: dict[str, Any]) -> None:
    found = Index.from_json(obj)
    assert found.to_json() == obj
    assert parse_manifest_or_index(found.to_bytes()) == found


@settings(deadline=None)
@given(configs)
def test_configs_lose_nothing(obj: dict[str, Any]) -> None:
    found = ImageConfig.from_json(obj)
    assert found.to_json() == obj
    assert ImageConfig.parse(found.to_bytes()) == found
