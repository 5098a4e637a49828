"""Vectors of distribution/reference (reference_test, normalize_test, regexp_test), and bic's own rules."""

import time

import pytest

from bic.errors import Malformed
from bic.oci.digest import Digest
from bic.oci.reference import Reference

F64 = "sha256:" + "f" * 64
F128 = "sha512:" + "f" * 128
SUM = "sha256:be178c0543eb17f5f3043021c9e5fcf30285e557a4fc309cce97ff9ca6182912"

Parts = tuple[str, str, str | None, str | None]

GOOD: dict[str, Parts] = {
    "test.com/repo:tag": ("test.com", "repo", "tag", None),
    "test:5000/repo": ("test:5000", "repo", None, None),
    "test:5000/repo:tag": ("test:5000", "repo", "tag", None),
    f"test:5000/repo@{F64}": ("test:5000", "repo", None, F64),
    f"test:5000/repo:tag@{F64}": ("test:5000", "repo", "tag", F64),
    "test.com/lowercase:Uppercase": ("test.com", "lowercase", "Uppercase", None),
    "a.b/" + "a/" * 127 + "a:tag-puts-this-over-max": (
        "a.b",
        "a/" * 127 + "a",
        "tag-puts-this-over-max",
        None,
    ),
    "sub-dom1.foo.com/bar/baz/quux": ("sub-dom1.foo.com", "bar/baz/quux", None, None),
    "sub-dom1.foo.com/bar/baz/quux:some-long-tag": (
        "sub-dom1.foo.com",
        "bar/baz/quux",
        "some-long-tag",
        None,
    ),
    "b.gcr.io/test.example.com/my-app:test.example.com": (
        "b.gcr.io",
        "test.example.com/my-app",
        "test.example.com",
        None,
    ),
    "xn--n3h.com/myimage:xn--n3h.com": ("xn--n3h.com", "myimage", "xn--n3h.com", None),
    f"xn--7o8h.com/myimage:xn--7o8h.com@{F128}": ("xn--7o8h.com", "myimage", "xn--7o8h.com", F128),
    "foo.com/foo_bar.com:8080": ("foo.com", "foo_bar.com", "8080", None),
    "192.168.1.1/repo": ("192.168.1.1", "repo", None, None),
    "192.168.1.1:5000/repo": ("192.168.1.1:5000", "repo", None, None),
    "192.168.1.1:5000/repo:5050": ("192.168.1.1:5000", "repo", "5050", None),
    "[2001:db8::1]/repo": ("[2001:db8::1]", "repo", None, None),
    "[2001:db8:1:2:3:4:5:6]/repo:tag": ("[2001:db8:1:2:3:4:5:6]", "repo", "tag", None),
    "[2001:db8::1]:5000/repo": ("[2001:db8::1]:5000", "repo", None, None),
    "[2001:db8::1]:5000/repo:tag": ("[2001:db8::1]:5000", "repo", "tag", None),
    f"[2001:db8::1]:5000/repo@{F64}": ("[2001:db8::1]:5000", "repo", None, F64),
    f"[2001:db8::1]:5000/repo:tag@{F64}": ("[2001:db8::1]:5000", "repo", "tag", F64),
    "[2001:db8::]:5000/repo": ("[2001:db8::]:5000", "repo", None, None),
    "[::1]:5000/repo": ("[::1]:5000", "repo", None, None),
    "[fc00::1]:5000/docker/docker": ("[fc00::1]:5000", "docker/docker", None, None),
    "[fc00:1:2:3:4:5:6:7]:5000/library/debian": ("[fc00:1:2:3:4:5:6:7]:5000", "library/debian", None, None),
    "test.com/foo": ("test.com", "foo", None, None),
    "test:8080/foo": ("test:8080", "foo", None, None),
    "test.com:8080/foo": ("test.com:8080", "foo", None, None),
    "test-com:8080/foo": ("test-com:8080", "foo", None, None),
    "xn--n3h.com:18080/foo": ("xn--n3h.com:18080", "foo", None, None),
    "test.com:8000/foo:TAG5": ("test.com:8000", "foo", "TAG5", None),
    "localhost/bar": ("localhost", "bar", None, None),
    "localhost:8080/bar": ("localhost:8080", "bar", None, None),
    f"localhost:8080/name@{SUM}": ("localhost:8080", "name", None, SUM),
    f"registry.com:8080/myapp:tag2@{SUM}": ("registry.com:8080", "myapp", "tag2", SUM),
    "foo.com/foo_bar": ("foo.com", "foo_bar", None, None),
    "example.com/xn--7o8h.com/myimage": ("example.com", "xn--7o8h.com/myimage", None, None),
    "example.com/some_separator__underscore/myimage": (
        "example.com",
        "some_separator__underscore/myimage",
        None,
        None,
    ),
    "registry.io/foo/project--id.module--name.ver---sion--name": (
        "registry.io",
        "foo/project--id.module--name.ver---sion--name",
        None,
        None,
    ),
    "Asdf.com/foo/bar": ("Asdf.com", "foo/bar", None, None),
    "0101.com/a": ("0101.com", "a", None, None),
    "001a.com/a": ("001a.com", "a", None, None),
    "a.b/c": ("a.b", "c", None, None),
    "ab.c-om/c": ("ab.c-om", "c", None, None),
    "a-b.com/c": ("a-b.com", "c", None, None),
    "Foo/bar": ("Foo", "bar", None, None),
    "FOO/bar": ("FOO", "bar", None, None),
    "DOCKER/docker": ("DOCKER", "docker", None, None),
    "127.0.0.1:8000/private/moonbase": ("127.0.0.1:8000", "private/moonbase", None, None),
    "192.168.0.1:8/debian": ("192.168.0.1:8", "debian", None, None),
    "docker.io/fooo/bar": ("docker.io", "fooo/bar", None, None),
    "docker.io/docker---rules/docker": ("docker.io", "docker---rules/docker", None, None),
    "docker.io/dock__er/docker": ("docker.io", "dock__er/docker", None, None),
    "docker.io/d/docker": ("docker.io", "d/docker", None, None),
    "docker.io/jess/t": ("docker.io", "jess/t", None, None),
    "docker.io/library/foo/bar": ("docker.io", "library/foo/bar", None, None),
    "docker.io/library/ubuntu-12.04-base": ("docker.io", "library/ubuntu-12.04-base", None, None),
    "a.b/c:" + "t" * 128: ("a.b", "c", "t" * 128, None),
    "a.b/c:_t": ("a.b", "c", "_t", None),
}


@pytest.mark.parametrize(("text", "parts"), GOOD.items())
def test_a_fully_qualified_reference_is_read_and_written_again(text: str, parts: Parts) -> None:
    found = Reference.parse(text)
    digest = None if found.digest is None else str(found.digest)
    assert (found.domain, found.path, found.tag, digest) == parts
    assert str(found) == text
    assert found.name == f"{parts[0]}/{parts[1]}"
    assert found.repository == parts[1]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("docker.io/python", "docker.io/library/python"),
        ("docker.io/python:3.12", "docker.io/library/python:3.12"),
        (f"docker.io/redis@{F64}", f"docker.io/library/redis@{F64}"),
        (f"docker.io/redis:7@{F64}", f"docker.io/library/redis:7@{F64}"),
        ("index.docker.io/debian", "docker.io/library/debian"),
        ("index.docker.io/library/debian", "docker.io/library/debian"),
        ("index.docker.io/docker/docker", "docker.io/docker/docker"),
        (f"docker.io/{'1a3f5e7d' * 8}", f"docker.io/library/{'1a3f5e7d' * 8}"),
    ],
)
def test_names_on_docker_hub_get_their_full_form(text: str, normal: str) -> None:
    assert str(Reference.parse(text)) == normal
    assert str(Reference.parse(normal)) == normal


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("python:3.12", "docker.io/library/python:3.12"),
        ("debian", "docker.io/library/debian"),
        ("docker/docker", "docker.io/docker/docker"),
        ("library/debian", "docker.io/library/debian"),
        ("test_com", "docker.io/library/test_com"),
        ("test.com:tag", "docker.io/library/test.com:tag"),
        ("test_com/foo", "docker.io/test_com/foo"),
        ("foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080"),
        ("dmcgowan/myapp:latest", "docker.io/dmcgowan/myapp:latest"),
        (f"redis@{F64}", f"docker.io/library/redis@{F64}"),
        (f"busybox:latest@{F64}", f"docker.io/library/busybox:latest@{F64}"),
        ("dbcc1", "docker.io/library/dbcc1"),
        ("192.168.0.1", "docker.io/library/192.168.0.1"),
        ("a/a/a/a", "docker.io/a/a/a/a"),
        (f"localhost@{SUM}", f"docker.io/library/localhost@{SUM}"),
        (
            "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev",
            "docker.io/library/thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev",
        ),
    ],
)
def test_a_short_name_is_refused_with_its_full_form_as_the_hint(text: str, whole: str) -> None:
    with pytest.raises(Malformed) as caught:
        Reference.parse(text)
    assert caught.value.message.startswith("a reference names no registry: `")
    assert caught.value.hint == f"write it as `{whole}`"
    assert str(Reference.parse(whole)) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":justtag",
        f"@{F64}",
        "repo@sha256:" + "f" * 34,
        "validname@invaliddigest:" + "f" * 128,
        "Uppercase:tag",
        "test:5000/Uppercase/lowercase:tag",
        "a/" * 128 + "a:tag" + "/",
        "a.b/" + "a/" * 128 + "a:tag",
        "a/" * 300 + "a:tag",
        "aa/asdf$$^/aa",
        "[2001:db8::1]",
        "[2001:db8::1]:5000",
        "[2001:db8::1]:tag",
        "[fe80::1%eth0]:5000/repo",
        "[fe80::1%@invalidzone]:5000/repo",
        "[2001:db8:3:4::192.0.2.33]:5000/debian",
        "fc00::1:5000/debian",
        "https://github.com/docker/docker",
        "docker://docker.io/library/debian",
        "docker/Docker",
        "-docker",
        "-docker/docker",
        "-docker.io/docker/docker",
        "docker///docker",
        "docker.io/docker/Docker",
        "docker.io/docker///docker",
        "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
        F64,
        "docker-/docker",
        "-docker-/docker",
        "____/____",
        "_docker/_docker",
        "docker_/docker_",
        "dock..er/docker",
        "dock_.er/docker",
        "dock-.er/docker",
        "docker/",
        "this_is_not_a_valid_namespace_because_its_lenth_is_greater_than_255_" * 4 + "/docker",
        "test.com:http/foo",
        "-ab.com/foo",
        "ab-.com/foo",
        "ab.-com/foo",
        "ab.com-/foo",
        "[fd00:1:2::3]75050/foo",
        "[fd00:1:2::3]::75050/foo",
        "[fd00:1:2::3%eth0]:75050/foo",
        "fd00:1:2::3:75050/foo",
        "a/a/a/a/",
        "a//a/a",
        "foo.com/",
        "foo.com:http/bar",
        "a^a",
        "asdf$$^/aa",
        "a-/a/a/a",
        "foo.com/a-/a/a",
        "-foo/bar",
        "foo/bar-",
        "foo-/bar",
        "foo/-bar",
        "_foo/bar",
        "foo_bar.com:8080/app",
        "do__cker:8080/docker",
        "example.com/__underscore/myimage",
        "example.com/..dots/myimage",
        "example.com/.dots/myimage",
        "example.com/nodouble..dots/myimage",
        "docker./docker",
        ".docker/docker",
        "do..cker/docker",
        "Foo/FarB",
        "registry.com:8080/myapp@sha256:badbadbadbad",
        "registry.com:8080/myapp:invalid~tag",
        "bad_hostname.com:8080/myapp:tag",
        f"localhost:http/name@{SUM}",
        "registry.com:8080/myapp@bad",
        "registry.com:8080/myapp@2bad",
        f"test.com/foo@{F64}@{F64}",
        f"test.com/foo@{F64}:tag",
        "test.com/foo@",
        "test.com/foo:",
        "test.com/foo:a:b",
        "test.com/foo:-tag",
        "test.com/foo:.tag",
        "test.com/foo:" + "t" * 129,
        "test.com/foo:täg",
        "test.com/foo:tag\n",
        "test.com/foo\n",
        " test.com/foo",
        "test.com/fóo",
        "tést.com/foo",
        "docker.io/",
        "test.com/foo@sha256:" + "F" * 64,
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Reference.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "192.168.1.1:75050/a",
        "test.com:750050/a",
        "[fd00123123123]:5000/a",
        "[1:2:3:4:5:6:7:8:9]/a",
        "[::::]/a",
    ],
)
def test_domains_that_nobody_could_connect_to_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("https://ghcr.io/a", "a reference is no URL: `https://ghcr.io/a`", "leave out `https://`"),
        (
            "ghcr.io/Some/a",
            "a repository's path is not in lower case: `Some`",
            "write it as `some`",
        ),
        ("Python:3", "a repository's path is not in lower case: `Python`", "write it as `python`"),
        ("foo_bar.com/app", "a reference has an invalid domain: `foo_bar.com`", None),
        ("ghcr.io/a//b", "a repository's path has an empty component: `ghcr.io/a//b`", None),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(Malformed) as caught:
        Reference.parse(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_tag_and_a_digest_are_set_and_dropped_apart() -> None:
    digest = Digest.parse(F64)
    bare = Reference.parse("test.com:8000/foo")
    both = bare.with_digest(digest).with_tag("TAG5")
    assert str(both) == f"test.com:8000/foo:TAG5@{F64}"
    assert both == bare.with_tag("TAG5").with_digest(digest)
    assert str(both.with_tag(None)) == f"test.com:8000/foo@{F64}"
    assert both.with_tag(None).with_digest(None) == bare


@pytest.mark.parametrize("tag", ["", "-foo", ".", "a b", "a:b", "a/b", "t" * 129])
def test_an_invalid_tag_cannot_be_set(tag: str) -> None:
    with pytest.raises(Malformed):
        Reference.parse("test.com/foo").with_tag(tag)


def test_references_have_an_order_whether_tagged_or_not() -> None:
    texts = ["a.b/c", f"a.b/c@{F64}", "a.b/c:1", f"a.b/c:1@{F64}", "a.b/d"]
    references = [Reference.parse(text) for text in texts]
    assert sorted(set(references)) == references


@pytest.mark.parametrize(
    "text", ["a.b/" + "a-" * 10**6, "a-" * 10**6 + ".b/c", "a.b/" + "-" * 250, "a" * 10**7]
)
def test_hostile_texts_are_refused_at_once(text: str) -> None:
    start = time.monotonic()
    with pytest.raises(Malformed):
        Reference.parse(text)
    assert time.monotonic() - start < 0.5
