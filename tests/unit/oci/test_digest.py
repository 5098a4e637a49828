import pytest

from bic.errors import Malformed
from bic.oci.digest import LENGTHS, Digest


@pytest.mark.parametrize(("algorithm", "length"), LENGTHS.items())
def test_a_digest_of_each_algorithm_is_read_and_written(algorithm: str, length: int) -> None:
    text = f"{algorithm}:{'a1' * (length // 2)}"
    digest = Digest.parse(text)
    assert (digest.algorithm, digest.hex, str(digest)) == (algorithm, "a1" * (length // 2), text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a" * 64,
        "sha256:",
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "g" * 64,
        "sha256:" + "a" * 63 + "\n",
        "sha256:" + "a" * 64 + "\n",
        "sha256:" + "١" * 64,
        "sha512:" + "a" * 64,
        "SHA256:" + "a" * 64,
        "md5:" + "a" * 32,
        "sha256+b64:" + "a" * 64,
        "../../etc/passwd",
    ],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Digest.parse(text)


def test_the_hint_names_the_near_algorithm() -> None:
    with pytest.raises(Malformed) as caught:
        Digest.parse("sha265:" + "a" * 64)
    assert caught.value.hint == "did you mean `sha256`?"


def test_the_digest_of_data_is_its_sha256() -> None:
    digest = Digest.of(b"")
    assert str(digest) == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest.short == "e3b0c44298fc"


def test_a_long_value_is_cut_and_its_control_characters_escaped() -> None:
    with pytest.raises(Malformed) as caught:
        Digest.parse("sha256:\x1b[2J" + "a" * 10_000)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 250
