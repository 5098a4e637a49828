import itertools
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bic.errors import Malformed
from bic.oci import json, media_types
from bic.oci.descriptor import Descriptor
from bic.oci.digest import LENGTHS, Digest
from bic.oci.index import Index
from bic.oci.platform import _SPELLINGS, ARCHITECTURES, SYSTEMS, Platform
from bic.oci.reference import Reference

LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,6}[a-zA-Z0-9])?"
COMPONENT = r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}"

digests = st.sampled_from(sorted(LENGTHS)).flatmap(
    lambda name: st.from_regex(rf"[0-9a-f]{{{LENGTHS[name]}}}", fullmatch=True).map(
        lambda hexes: Digest(name, hexes)
    )
)
platforms = st.builds(
    Platform.of,
    st.sampled_from(sorted(SYSTEMS)),
    st.sampled_from(sorted(ARCHITECTURES | set(_SPELLINGS))),
    st.none() | st.from_regex(r"v?[1-9]", fullmatch=True),
)
domains = st.from_regex(rf"{LABEL}(\.{LABEL}){{1,3}}(:[0-9]{{1,4}})?", fullmatch=True) | st.sampled_from(
    ["localhost", "localhost:5000", "[::1]", "[2001:db8::1]:443", "docker.io"]
)
paths = st.lists(st.from_regex(COMPONENT, fullmatch=True), min_size=2, max_size=4).map("/".join)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
references = st.builds(Reference, domains, paths, st.none() | tags, st.none() | digests)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
annotations = st.dictionaries(texts, texts, max_size=3)
descriptors = st.builds(
    Descriptor,
    media_type=st.sampled_from(sorted(media_types.MANIFESTS | media_types.LAYERS)),
    digest=digests,
    size=st.integers(0, 2**63 - 1),
    platform=st.none() | platforms,
    annotations=annotations,
    artifact_type=st.none() | st.just("application/vnd.example+json"),
)


def parses(parse: Any, value: Any) -> bool:
    try:
        parse(value)
    except Malformed as error:
        assert error.message
        assert "\n" not in error.message
        return False
    return True


@settings(deadline=None)
@given(digests)
def test_a_digest_is_what_it_writes(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


@settings(deadline=None)
@given(platforms)
def test_a_platform_is_what_it_writes(platform: Platform) -> None:
    assert Platform.parse(str(platform)) == platform
    assert platform.matches(str(platform))


@settings(deadline=None)
@given(references)
def test_a_reference_is_what_it_writes(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@settings(deadline=None)
@given(st.text() | st.text("a0./:@[]-_%A", max_size=60))
@example("a.b/c@sha256:")
@example("\ud800/\udfff")
def test_parsers_of_text_raise_nothing_but_malformed(text: str) -> None:
    parses(Digest.parse, text)
    if parses(Platform.parse, text):
        assert Platform.parse(str(Platform.parse(text))) == Platform.parse(text)
    if parses(Reference.parse, text):
        assert Reference.parse(str(Reference.parse(text))) == Reference.parse(text)


@settings(deadline=None)
@given(references, st.integers(0, 600), st.characters())
def test_a_reference_with_one_odd_character_is_refused_or_read_faithfully(
    reference: Reference, place: int, odd: str
) -> None:
    text = str(reference)
    text = text[:place] + odd + text[place:]
    if parses(Reference.parse, text):
        assert text.isascii()
        assert str(Reference.parse(text)) in (text, text.replace("index.docker.io", "docker.io"))


@settings(deadline=None)
@given(st.lists(descriptors, max_size=4), annotations)
def test_an_index_does_not_depend_on_the_order_of_its_parts(
    entries: list[Descriptor], notes: dict[str, str]
) -> None:
    made = Index.of(entries, notes)
    assert Index.parse(made.to_bytes()) == made
    if len({entry.digest for entry in entries}) == len(entries):
        assert all(Index.of(order, notes) == made for order in itertools.permutations(entries))


@settings(deadline=None)
@given(descriptors)
def test_a_descriptor_is_what_it_writes(descriptor: Descriptor) -> None:
    written = json.canonical(descriptor.to_json())
    assert Descriptor.from_json(json.parse(written)) == descriptor
