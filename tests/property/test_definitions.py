"""Definitions: what their digest depends on, and passes that keep the meaning."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bic.errors import InputInvalid
from bic.ir.build import Sources, define
from bic.ir.definition import Definition, digests
from bic.ir.op import Image
from bic.lock import file
from bic.lock.inputs import scan
from bic.lock.model import FilePin, ImagePin, Lock, PlatformPin
from bic.lock.needs import needs, spec_digest
from bic.lower import dockerfile, shell
from bic.lower.lower import lower
from bic.oci.digest import Digest
from bic.oci.platform import Platform
from bic.passes import pipeline
from bic.passes.verify import verify
from bic.spec.load import load_all
from bic.spec.plain import plain
from bic.spec.workspace import Workspace

AMD64 = Platform.parse("linux/amd64")

STEPS = (
    'run = ["a", "b"]',
    'run = ["a b"]',
    'shell = "a"\nenv = { A = "1" }\ncache = ["/c2", "/c1"]',
    'apt = { packages = ["curl", "bash", "curl"] }',
    'pip = { packages = ["poetry"], requirements = "files/r.txt" }',
    'group = { name = "g", gid = 7 }',
    'user = { name = "u", uid = 8 }',
    'directory = { path = "/d" }',
    'file = { path = "/f", content = "x" }',
    'file = { path = "/g", source = "files/r.txt" }',
    'copy = { source = "files", path = "/files" }',
    'copy = { from = "stage:s", source = "/d", path = "/e", exclude = ["x"], mode = "0600" }',
    'copy = { from = "stage:t", source = "/d", path = "/e" }',
    'symlink = { path = "/l", target = "t" }',
    'remove = { paths = ["/r"] }',
    'permissions = { path = "/d", mode = "0700" }',
    f'fetch = {{ url = "https://h/f", path = "/f", sha256 = "{"0" * 64}" }}',
    'env = { A = "b" }',
    'env = {}',
    'timezone = "UTC"',
    'run = ["a"]\nplatforms = ["linux/arm64"]',
)  # fmt: skip
STAGES = """
[stage.s]
base = { scratch = true }
[[stage.s.step]]
directory = { path = "/d" }
[stage.t]
base = { debian = { suite = "bookworm" } }
[[stage.t.step]]
copy = { from = "stage:s", source = "/d", path = "/d" }
[[stage.t.step]]
run = ["x"]
"""
BASES = ("scratch = true", 'debian = { suite = "bookworm" }')
CONFIG = '[config]\nentrypoint = ["x"]\n[env]\nA = "a"\nPATH = "/x:${env.PATH}"\n'
FILES = {"files/r.txt": "r", "files/s/t": "t"}

steps = st.lists(st.sampled_from(STEPS), max_size=6)


def text(chosen: list[str], base: str = BASES[0], name: str = "a/b", more: str = CONFIG + STAGES) -> str:
    head = f'bic = 1\nimage = {{ name = "{name}", platforms = ["linux/amd64"] }}\nbase = {{ {base} }}\n'
    return head + "".join(f"[[step]]\n{step}\n" for step in chosen) + more


def compiled(specs: dict[str, str], name: str, files: dict[str, str] = FILES) -> Definition:
    """The definition before all passes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for place, content in {**files, **{f"specs/{each}.toml": specs[each] for each in specs}}.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(content)
        workspace = Workspace(root)
        loaded = load_all(workspace, [name])
        return define(name, Sources(loaded, {}, scan(workspace, loaded.values())), AMD64)


def digest(source: str, **files: str) -> Digest:
    return pipeline.run(compiled({"a": source}, "a", {**FILES, **files})).digest


@settings(max_examples=25)
@given(steps, st.sampled_from(BASES))
def test_passes_are_idempotent_and_keep_the_rules(chosen: list[str], base: str) -> None:
    definition = compiled({"a": text(chosen, base)}, "a")
    for _, each in pipeline.PIPELINE:
        definition = each(definition)
        verify(definition)
        assert each(definition) == definition
    assert pipeline.run(definition) == definition


@settings(max_examples=25)
@given(steps, steps, st.sampled_from(BASES))
def test_a_parent_is_the_same_alone_and_inside_its_child(
    parent: list[str], child: list[str], base: str
) -> None:
    specs = {"p": text(parent, base, "x/p"), "c": text(child, 'spec = "p"', "x/c")}
    alone = pipeline.run(compiled(specs, "p")).digest
    whole = pipeline.run(compiled(specs, "c"))
    images = [
        found
        for vertex, found in zip(whole.vertices, digests(whole), strict=True)
        if isinstance(vertex.op, Image)
    ]
    assert len(images) == 2
    assert images[0] == alone


@settings(max_examples=25)
@given(steps, st.sampled_from(BASES))
def test_comments_titles_and_the_order_of_tables_change_nothing(chosen: list[str], base: str) -> None:
    told = [f'# a comment\ntitle = "a title"\n{step}' for step in chosen]
    head, stages = STAGES.split("[stage.t]")
    swapped = "[stage.t]" + stages + head
    plainly, otherwise = text(chosen, base), "# more\n\n" + text(told, base, "other/name", swapped + CONFIG)
    assert digest(plainly) == digest(otherwise)


def test_the_name_and_the_place_of_files_change_nothing() -> None:
    step = 'copy = { source = "%s", path = "/x" }'
    one = compiled({"a": text([step % "files"])}, "a")
    other = compiled(
        {"b/c": text([step % "else/where"])}, "b/c", {"else/where/r.txt": "r", "else/where/s/t": "t"}
    )
    assert one.digest == other.digest


CHANGES: dict[str, Callable[[], Digest]] = {
    "the content of a file": lambda: digest(text(list(STEPS)), **{"files/r.txt": "other"}),
    "the name of a file": lambda: digest(text(list(STEPS)), **{"files/new": ""}),
    "an argument": lambda: digest(text(list(STEPS)).replace('["a", "b"]', '["a", "c"]')),
    "the borders of arguments": lambda: digest(text(list(STEPS)).replace('["a", "b"]', '["a\\", \\"b"]')),
    "a package": lambda: digest(text(list(STEPS)).replace("bash", "dash")),
    "a number": lambda: digest(text(list(STEPS)).replace("gid = 7", "gid = 9")),
    "the content of a stage": lambda: digest(text(list(STEPS)).replace('run = ["x"]', 'run = ["y"]')),
    "a hash": lambda: digest(text(list(STEPS)).replace("0" * 64, "1" * 64)),
    "the environment": lambda: digest(text(list(STEPS)).replace('A = "a"', 'A = "c"')),
    "the config": lambda: digest(text(list(STEPS)).replace('entrypoint = ["x"]', "entrypoint = []")),
    "the order of steps": lambda: digest(text(list(STEPS[::-1]))),
    "the base": lambda: digest(text(list(STEPS), BASES[1])),
    "the suite of a stage": lambda: digest(text(list(STEPS)).replace("bookworm", "trixie")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_content_changes_the_digest(change: str) -> None:
    assert CHANGES[change]() != digest(text(list(STEPS)))


def test_different_steps_have_different_digests() -> None:
    seen = {str(digest(text([step]))) for step in STEPS}
    # Two of the steps change nothing here: no variables, and another platform's.
    assert len(seen) == len(STEPS) - 1


@settings(max_examples=15)
@given(steps, st.sampled_from(BASES))
def test_whatever_loads_can_be_lowered(chosen: list[str], base: str) -> None:
    definition = pipeline.run(compiled({"a": text(chosen, base)}, "a"))
    assert shell.text(lower(definition)).endswith("\n")
    assert dockerfile.text([definition]).endswith("\n")


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


@given(scalars | st.lists(scalars, max_size=3).map(tuple), scalars | st.lists(scalars, max_size=3).map(tuple))
def test_plain_data_is_the_same_only_for_the_same_values(one: object, other: object) -> None:
    same = type(one) is type(other) and one == other and str(one) == str(other)
    assert (Digest.of(_canonical(one)) == Digest.of(_canonical(other))) is same


def _canonical(value: object) -> bytes:
    from bic.oci.json import canonical

    return canonical(plain(value))


hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
found = hexes.map(lambda each: Digest("sha256", each))
lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
pins = st.builds(
    PlatformPin,
    st.sampled_from([AMD64, Platform.parse("linux/arm64")]),
    found,
    st.lists(lines, max_size=3).map(tuple),
    lines,
    lines,
)


def references() -> st.SearchStrategy[str]:
    return st.from_regex(r"example\.com/[a-z]{1,5}:[a-z]{1,5}", fullmatch=True)


def image_pin(reference: str, digest: Digest, platforms: list[PlatformPin]) -> ImagePin:
    from bic.oci.reference import Reference

    ordered = sorted(platforms, key=lambda pin: str(pin.platform))
    return ImagePin(Reference.parse(reference), digest, tuple(ordered))


images = st.lists(
    st.builds(image_pin, references(), found, st.lists(pins, unique_by=lambda pin: pin.platform)),
    unique_by=lambda pin: str(pin.reference),
    max_size=3,
).map(lambda each: tuple(sorted(each, key=lambda pin: str(pin.reference))))
downloads = st.lists(
    st.builds(FilePin, st.from_regex(r"https://h/[a-z]{1,5}", fullmatch=True), hexes),
    unique_by=lambda pin: pin.url,
    max_size=3,
).map(lambda each: tuple(sorted(each, key=lambda pin: pin.url)))
locks = st.builds(Lock, found, images, downloads)


@settings(max_examples=25)
@given(locks)
def test_a_lock_survives_its_text(lock: Lock) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.lock.toml"
        path.write_text(file.text(lock), encoding="utf-8")
        assert file.read(path, "a.lock.toml") == lock
        assert not file.write(path, lock)


@settings(max_examples=50)
@given(locks, st.integers(0), st.integers(0, 255))
def test_a_lock_with_one_byte_changed_is_read_or_refused(lock: Lock, place: int, byte: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.lock.toml"
        content = bytearray(file.text(lock).encode())
        content[place % len(content)] = byte
        path.write_bytes(content)
        try:
            read = file.read(path, "a.lock.toml")
        except InputInvalid as error:
            assert error.faults
        else:
            assert isinstance(read, Lock)


def test_what_has_to_be_locked_does_not_depend_on_titles_and_checks(tmp_path: Path) -> None:
    def spec_of(source: str) -> tuple[Digest, bool]:
        (tmp_path / "specs").mkdir(exist_ok=True)
        (tmp_path / "specs/a.toml").write_text(source)
        spec = load_all(Workspace(tmp_path.resolve()), ["a"])["a"]
        return spec_digest(spec), needs(spec).is_empty

    source = text(['run = ["a"]'])
    told = source.replace("run =", 'title = "t"\nrun =') + "[check.x]\ntimeout = 1.5\nat = 1979-05-27\n"
    assert spec_of(source) == spec_of(told)
    assert spec_of(source) != spec_of(source.replace('["a"]', '["b"]'))
