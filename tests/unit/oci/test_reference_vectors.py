"""Every vector of distribution/reference's own tests, by the test that holds it.

bic reads names as `ParseNormalizedNamed` does, and then refuses those without a registry, telling their full
form. Where it is stricter than the grammar, the vector stands below `STRICTER` with the reason.
"""

from __future__ import annotations

import pytest

from bic.errors import Malformed
from bic.oci.reference import Reference

F64 = "@sha256:" + "f" * 64
F128 = "@sha512:" + "f" * 128
BUSYBOX = "@sha256:86e0e091d0da6bde2456dbb48306f3956bbeb2eae1b5b9a43045843f69fe4aaa"
REDIS = "@sha256:dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9c"
MYAPP = "@sha256:be178c0543eb17f5f3043021c9e5fcf30285e557a4fc309cce97ff9ca6182912"
NAMED = "@sha256:1234567890098765432112345667890098765432112345667890098765432112"
HEX = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
ID = "da304e823d8ca2b9d863a3c897baeb852ba21ea9a9f1414736394ae7fcaf9821"
SONG = "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev"
LONG = "this_is_not_a_valid_namespace_because_its_lenth_is_greater_than_255_" * 3
ALMOST_TOO_LONG = "a/" * 127 + "a"
TOO_LONG = "a/" * 128 + "a"

# With a registry: read as they are, and written again.
WHOLE = {
    "ReferenceParse": (
        *("test.com/repo:tag", "test:5000/repo", "test:5000/repo:tag"),
        *(f"test:5000/repo{F64}", f"test:5000/repo:tag{F64}"),
        *("sub-dom1.foo.com/bar/baz/quux", "sub-dom1.foo.com/bar/baz/quux:some-long-tag"),
        *("b.gcr.io/test.example.com/my-app:test.example.com", "xn--n3h.com/myimage:xn--n3h.com"),
        f"xn--7o8h.com/myimage:xn--7o8h.com{F128}",
        *("192.168.1.1/repo", "192.168.1.1:5000/repo", "192.168.1.1:5000/repo:5050"),
        *("[2001:db8::1]/repo", "[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8::1]:5000/repo"),
        *("[2001:db8::1]:5000/repo:tag", f"[2001:db8::1]:5000/repo{F64}"),
        *(f"[2001:db8::1]:5000/repo:tag{F64}", "[2001:db8::]:5000/repo", "[::1]:5000/repo"),
    ),
    "DomainAndPath": (
        *("test.com/foo", "test:8080/foo", "test.com:8080/foo", "test-com:8080/foo"),
        "xn--n3h.com:18080/foo",
    ),
    "Serialization": ("example.com:8000/named", "example.com:8000/named:tagged", f"other.com/named{NAMED}"),
    "WithTag and WithDigest": (
        *("test.com/foo:tag", "test.com:8000/foo:tag4", "test.com:8000/foo:TAG5"),
        *(f"test.com:8000/foo:TAG5{NAMED}", f"test.com/foo{NAMED}", f"test.com:8000/foo{NAMED}"),
    ),
    "ValidateReferenceName": (
        *("docker.io/docker/docker", "docker.io/library/debian", "127.0.0.1:5000/docker/docker"),
        *("127.0.0.1:5000/library/debian", "127.0.0.1:5000/debian", "192.168.0.1:8/debian"),
        *("192.168.0.2:25000/debian", "[fc00::1]:5000/docker", "[fc00::1]:5000/docker/docker"),
        *("[fc00:1:2:3:4:5:6:7]:5000/library/debian", "Docker/docker", "DOCKER/docker"),
    ),
    "ParseRepositoryInfo": (
        *("docker.io/fooo/bar", "docker.io/library/ubuntu", "docker.io/nonlibrary/ubuntu"),
        *("docker.io/other/library", "127.0.0.1:8000/private/moonbase", "127.0.0.1:8000/privatebase"),
        *("example.com/private/moonbase", "example.com/privatebase", "example.com:8000/private/moonbase"),
        *("example.com:8000/privatebasee", "docker.io/library/ubuntu-12.04-base", "docker.io/library/foo"),
        *("docker.io/library/foo/bar", "docker.io/store/foo/bar", "Foo/bar", "FOO/bar"),
    ),
    "ParseAnyReference": (
        *("docker.io/library/redis:latest", f"docker.io/library/redis{REDIS}"),
        *("docker.io/mcgowan/myapp:latest", f"docker.io/dmcgowan/myapp{REDIS}"),
    ),
    "DomainRegexp": tuple(
        f"{domain}/name"
        for domain in (
            *("test.com", "test.com:10304", "localhost", "localhost:8080", "a.b", "ab.cd.com", "a-b.com"),
            *("ab.c-om", "0101.com", "001a.com", "b.gbc.io:443", "b.gbc.io", "xn--n3h.com", "Asdf.com"),
        )
    ),
    "FullNameRegexp": (
        *("foo.com:8080/bar", "foo.com/bar", "foo.com/bar/baz", "localhost:8080/bar"),
        *("sub-dom1.foo.com/bar/baz/quux", "blog.foo.com/bar/baz", "foo.com/foo_bar"),
        *("b.gcr.io/test.example.com/my-app", "xn--n3h.com/myimage", "xn--7o8h.com/myimage"),
        *("example.com/xn--7o8h.com/myimage", "example.com/some_separator__underscore/myimage"),
        *("registry.io/foo/project--id.module--name.ver---sion--name", "Asdf.com/foo/bar"),
    ),
    "ReferenceRegexp": (
        *("registry.com:8080/myapp:tag", f"registry.com:8080/myapp{MYAPP}"),
        *(f"registry.com:8080/myapp:tag2{MYAPP}", f"localhost:8080/name{MYAPP}"),
    ),
}

# Names on Docker Hub, and what they are in full.
HUB = {
    "docker.io/debian": "docker.io/library/debian",
    "docker.io/foo": "docker.io/library/foo",
    f"docker.io/{HEX}": f"docker.io/library/{HEX}",
    "index.docker.io/docker/docker": "docker.io/docker/docker",
    "index.docker.io/library/debian": "docker.io/library/debian",
    "index.docker.io/debian": "docker.io/library/debian",
    "index.docker.io/fooo/bar": "docker.io/fooo/bar",
    "index.docker.io/library/ubuntu-12.04-base": "docker.io/library/ubuntu-12.04-base",
}

# Without a registry: refused by bic, with the full form. One component belongs to `library/`.
SHORT = (
    *("test_com", "test.com:tag", "test.com:5000", "lowercase:Uppercase"),
    *(f"{ALMOST_TOO_LONG}:tag-puts-this-over-max", "foo_bar.com:8080", "foo/foo_bar.com:8080"),
    *("192.168.1.1", "192.168.1.1:tag", "192.168.1.1:5000", "test_com/foo", "foo", "foo:tag2"),
    *("test.com", "library/foo"),
    *("docker/docker", "library/debian", "debian", "192.168.0.1", "192.168.0.1:80", SONG),
    *("docker-rules/docker", "docker---rules/docker", "doc/docker", "d/docker", "jess/t", "dock__er/docker"),
    *("fooo/bar", "ubuntu", "library/ubuntu", "nonlibrary/ubuntu", "other/library", "ubuntu-12.04-base"),
    *("library/foo/bar", "store/foo/bar", f"busybox:latest{BUSYBOX}", "busybox", "redis", "redis:latest"),
    *(f"redis{REDIS}", "dmcgowan/myapp", "dmcgowan/myapp:latest", f"dmcgowan/myapp{REDIS}"),
    *(REDIS[len("@sha256:") : -1], "dbcc1", "docker/migrator", "short", "simple/name"),
    *("docker/stevvooe/app", "aa/aa/aa/aa/aa/aa/aa/aa/aa/bb/bb/bb/bb/bb/bb", "aa/aa/bb/bb/bb"),
    *("a/a/a/a", "a", "a/aa", "a/aa/a", "foo.com", "aa-a/a", "foo_bar", "foo_bar.com", "do__cker/docker"),
    *(f"localhost:8080{MYAPP}", f"localhost{MYAPP}", ID[:60], f"{ID}8482"),
)

# No references at all, by the grammar.
BAD = {
    "ReferenceParse": (
        *("", ":justtag", F64, "repo@sha256:" + "f" * 34, "validname@invaliddigest:" + "f" * 128),
        *("Uppercase:tag", "test:5000/Uppercase/lowercase:tag", f"{TOO_LONG}:tag", "aa/asdf$$^/aa"),
        *("[2001:db8::1]", "[2001:db8::1]:5000", "[2001:db8::1]:tag"),
        *("[fe80::1%eth0]:5000/repo", "[fe80::1%@invalidzone]:5000/repo"),
    ),
    "WithNameFailure": ("validname@invaliddigest:" + "f" * 64, f"{TOO_LONG}:tag"),
    "ValidateReferenceName": (
        *("https://github.com/docker/docker", "docker/Docker", "-docker", "-docker/docker"),
        *("-docker.io/docker/docker", "docker///docker", "docker.io/docker/Docker"),
        *("docker.io/docker///docker", "[fc00::1]", "[fc00::1]:5000", "fc00::1:5000/debian"),
        *("[fe80::1%eth0]:5000/debian", "[2001:db8:3:4::192.0.2.33]:5000/debian", HEX),
    ),
    "ValidateRemoteName": (
        *("docker-/docker", "-docker-/docker", "____/____", "_docker/_docker", "dock..er/docker"),
        *("dock_.er/docker", "dock-.er/docker", "docker/", f"{LONG}{LONG[:67]}/docker"),
    ),
    "InvalidReferenceComponents": ("-foo", "busybox:-foo", "busybox@foo"),
    "ParseAnyReference": (REDIS[1:], REDIS[len("@sha256:") :]),
    "DomainRegexp": tuple(
        f"{domain}/name"
        for domain in (
            *("test.com:http", "-ab.com", "ab-.com", "ab.-com", "ab.com-", "[fd00:1:2::3]75050"),
            *("[fd00:1:2::3]::75050", "[fd00:1:2::3%eth0]:75050", "fd00:1:2::3:75050"),
        )
    ),
    "FullNameRegexp": (
        *("a/a/a/a/", "a//a/a", "foo.com/", "foo.com:http/bar", "a^a", "asdf$$^/aa", "a-/a/a/a"),
        *("foo.com/a-/a/a", "-foo/bar", "foo/bar-", "foo-/bar", "foo/-bar", "_foo/bar"),
        *("foo_bar.com:8080/app", "docker_/docker_", "example.com/__underscore/myimage"),
        *("example.com/..dots/myimage", "example.com/.dots/myimage", "example.com/nodouble..dots/myimage"),
        *("docker./docker", ".docker/docker", "do..cker/docker", "do__cker:8080/docker", "Foo/FarB"),
    ),
    "ReferenceRegexp": (
        *("registry.com:8080/myapp@sha256:badbadbadbad", "registry.com:8080/myapp:invalid~tag"),
        *("bad_hostname.com:8080/myapp:tag", f"localhost:http/name{MYAPP}"),
        *("registry.com:8080/myapp@bad", "registry.com:8080/myapp@2bad"),
    ),
    "IdentifierRegexp": (ID, ID.upper(), f"sha256:{ID}"),
}

# What the grammar lets through and says that it fails later; bic refuses it at once.
STRICTER = {
    "a port above 65535": (
        *("192.168.1.1:75050/name", "192.168.1.1:750050/name", "[fd00:1:2::3]:75050/name"),
        "[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:75050/name",
        "[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:750505/name",
    ),
    "no IPv6 address": ("[fd00123123123]:75050/name", "[fd00123123123]:5050/name"),
    "too long a path, which its pattern alone does not see": (TOO_LONG,),
    "a digest that is too short, which `WithDigest` does not see": (
        *("test.com:8000/foo:TAG5@sha256:1234567890098765432112345667890098765",),
        *("test.com/foo@sha256:1234567890098765432112345667890098765", "foo@sha256:12345678900987654321"),
        *("test.com:8000/foo@sha256:1234567890098765432112345667890098765",),
        *("test.com:8000/foo:latest@sha256:1234567890098765432112345667890098765",),
    ),
}


@pytest.mark.parametrize("text", sorted({text for texts in WHOLE.values() for text in texts}))
def test_a_vector_with_a_registry_is_read_and_written_again(text: str) -> None:
    assert str(Reference.parse(text)) == text


@pytest.mark.parametrize(("text", "full"), HUB.items())
def test_a_vector_on_docker_hub_gets_its_full_form(text: str, full: str) -> None:
    assert str(Reference.parse(text)) == full


@pytest.mark.parametrize("text", SHORT)
def test_a_vector_without_a_registry_is_refused_with_its_full_form(text: str) -> None:
    full = f"docker.io/{text}" if "/" in text else f"docker.io/library/{text}"
    with pytest.raises(Malformed, match="a reference names no registry") as caught:
        Reference.parse(text)
    assert caught.value.hint == f"write it as `{full}`"
    assert str(Reference.parse(full)) == full


@pytest.mark.parametrize("text", sorted({text for texts in BAD.values() for text in texts}))
def test_a_vector_that_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        Reference.parse(text)
    assert not caught.value.message.startswith("a reference names no registry")


@pytest.mark.parametrize("text", [text for texts in STRICTER.values() for text in texts])
def test_a_vector_that_nobody_could_use_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Reference.parse(text)


def test_a_port_in_brackets_notation_is_read_where_it_exists() -> None:
    for text in ("[fd00:1:2::3]:7505/name", "[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:65535/name"):
        assert str(Reference.parse(text)) == text
