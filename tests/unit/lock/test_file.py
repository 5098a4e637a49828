"""Lock files: stable text, read strictly."""

from pathlib import Path

import pytest

from bic.errors import InputInvalid
from bic.lock import file
from bic.lock.model import FilePin, ImagePin, Lock, PlatformPin
from bic.oci.digest import Digest
from bic.oci.platform import Platform
from bic.oci.reference import Reference

AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


def digest(text: str) -> Digest:
    return Digest.of(text.encode())


LOCK = Lock(
    digest("spec"),
    (
        ImagePin(
            Reference.parse("docker.io/library/python:3.10"),
            digest("index"),
            (
                PlatformPin(AMD64, digest("amd64"), ("PATH=/bin", 'A="b" \\ $c'), "app", "/srv"),
                PlatformPin(ARM64, digest("arm64")),
            ),
        ),
    ),
    (FilePin("https://example.com/a.zip", "0" * 64),),
)


def test_a_lock_is_what_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.lock.toml"
    assert file.write(path, LOCK)
    assert file.read(path, "a.lock.toml") == LOCK
    assert not file.write(path, LOCK)
    assert [each.name for each in tmp_path.iterdir()] == ["a.lock.toml"]


def test_the_text_does_not_depend_on_the_order_of_pins() -> None:
    (image,) = LOCK.images
    other = ImagePin(image.reference, image.digest, image.platforms[::-1])
    assert file.text(Lock(LOCK.spec, (other,), LOCK.files)) == file.text(LOCK)
    assert file.text(LOCK).endswith("\n")


def test_without_a_file_there_is_no_lock(tmp_path: Path) -> None:
    assert file.read(tmp_path / "none", "none") is None


def test_the_lock_lies_beside_its_spec() -> None:
    assert file.path_of(Path("specs/python.v3.toml")) == Path("specs/python.v3.lock.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lock = 1", "lock = 2", "unknown version of the lock `2`"),
        ("lock = 1", "lock = true", "unknown version of the lock `True`"),
        ("lock = 1", "", "unknown version of the lock `None`"),
        ("lock = 1", "lock = ", "not valid TOML"),
        ('digest = "sha256:', 'digest = "sha256', "is not a lock that bic wrote"),
        ('env = [', 'env = [ 5,', "`env` is no array of strings"),
        ("[[file]]", "[file]", "`file` is no array of tables"),
        ("[[file]]", "[[files]]", "unknown key `files`"),
        ('url = "https', 'url = "ftp', "not a plain http or https address"),
        (f'sha256 = "{"0" * 64}"', "sha256 = 5", "`sha256` is no string"),
        (f'sha256 = "{"0" * 64}"', 'sha256 = "0"', "a sha256 is 64 lower-case hexadecimal digits"),
        ('platform = "linux/arm64"', 'platform = "linux/amd64"', "pinned twice: `linux/amd64`"),
        ('user = "app"', "user = []", "`user` is no string"),
        ('workdir = "/srv"', 'work = "/srv"', "unknown key `work`"),
        ('reference = "docker.io/library/python:3.10"', 'reference = "x"', "is not a lock that"),
    ],
)  # fmt: skip
def test_what_bic_did_not_write_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = file.text(LOCK)
    assert text.count(old) >= 1
    path = tmp_path / "a.lock.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputInvalid) as caught:
        file.read(path, "a.lock.toml")
    (fault,) = caught.value.faults
    assert message in fault.message
    assert fault.span is not None


@pytest.mark.parametrize("content", [b"", b"\xff", b"\0", b"lock", b"[" * 5000, b"lock = 1\nspec = 5\n"])
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.lock.toml"
    path.write_bytes(content)
    with pytest.raises(InputInvalid):
        file.read(path, "a.lock.toml")


def test_a_directory_is_no_lock(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="is a directory"):
        file.read(tmp_path, "a.lock.toml")
