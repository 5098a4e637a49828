"""Where an image is asked for: registries.conf, version 2, as containers-registries.conf(5) has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from bic.errors import Malformed, WorkFailed
from bic.oci.reference import Reference
from bic.oci.refusal import quote

USES = ("all", "digest-only", "tag-only")


@frozen
class Mirror:
    """A place to ask before the registry itself; `use` is one of `USES`."""

    location: str
    insecure: bool = False
    use: str = "all"


@frozen
class Rule:
    """One `[[registry]]`: what it is for, where that really is ("" for where it says), and its mirrors."""

    prefix: str
    location: str
    insecure: bool = False
    blocked: bool = False
    mirrors: tuple[Mirror, ...] = ()


@frozen
class Endpoint:
    """One place to ask: `name` is domain and path there, `suffix` the tag or digest."""

    name: str
    suffix: str = ""
    insecure: bool = False

    @property
    def host(self) -> str:
        return self.name.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.name}{self.suffix}"


def rules(data: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules of one parsed file; raises `Malformed`."""
    return tuple(map(_rule, _tables(data, "registry")))


def _rule(data: Mapping[str, Any]) -> Rule:
    location = _location(data, "location")
    prefix = _location(data, "prefix") or location
    if not prefix or not (location or prefix.startswith("*.")):
        raise Malformed("a `[[registry]]` has no `location`")
    digests_only = _flag(data, "mirror-by-digest-only")
    mirrors = tuple(_mirror(each, digests_only) for each in _tables(data, "mirror"))
    return Rule(prefix, location, _flag(data, "insecure"), _flag(data, "blocked"), mirrors)


def _mirror(data: Mapping[str, Any], digests_only: bool) -> Mirror:
    use = data.get("pull-from-mirror") or ("digest-only" if digests_only else "all")
    if use not in USES:
        raise Malformed(f"`pull-from-mirror` is none of {', '.join(USES)}: {quote(use)}")
    location = _location(data, "location")
    if not location:
        raise Malformed("a `[[registry.mirror]]` has no `location`")
    return Mirror(location, _flag(data, "insecure"), use)


def _tables(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Malformed(f"`{key}` is no array of tables")
    return value


def _location(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str) or "://" in value:
        raise Malformed(f"`{key}` is no name without a scheme: {quote(value)}")
    return value.rstrip("/")


def _flag(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise Malformed(f"`{key}` is neither true nor false: {quote(value)}")
    return value


def merged(*files: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules of several files, a later one's in place of an earlier one's for the same prefix."""
    found: dict[str, Rule] = {}
    for file in files:
        found |= {rule.prefix: rule for rule in file}
    return tuple(found.values())


def endpoints(reference: Reference, known: Iterable[Rule]) -> tuple[Endpoint, ...]:
    """Where to ask, in this order: the mirrors of the rule with the longest prefix, then its own location."""
    suffix = _suffix(reference)
    fitting = [rule for rule in known if _covered(reference, rule.prefix) is not None]
    if not fitting:
        return (Endpoint(reference.name, suffix),)
    rule = max(fitting, key=lambda each: len(each.prefix))
    if rule.blocked:
        raise WorkFailed(f"registries.conf blocks `{rule.prefix}`, and so `{reference}`")
    own = Endpoint(_moved(reference, rule, rule.location), suffix, rule.insecure)
    return (*_mirrored(reference, rule, suffix), own)


def _mirrored(reference: Reference, rule: Rule, suffix: str) -> Iterator[Endpoint]:
    unwanted = "tag-only" if reference.digest is not None else "digest-only"
    for mirror in rule.mirrors:
        if mirror.use != unwanted:
            yield Endpoint(_moved(reference, rule, mirror.location), suffix, mirror.insecure)


def _suffix(reference: Reference) -> str:
    if reference.digest is not None:
        return f"@{reference.digest}"
    return "" if reference.tag is None else f":{reference.tag}"


def _moved(reference: Reference, rule: Rule, location: str) -> str:
    """The name with what the prefix covers replaced by the location."""
    covered = _covered(reference, rule.prefix)
    return reference.name if not location or covered is None else location + reference.name[covered:]


def _covered(reference: Reference, prefix: str) -> int | None:
    """How many characters of the reference's name the prefix covers; None where it does not fit.

    A prefix ends where a component, a tag or a digest begins; it may itself hold a tag or a digest.
    """
    if prefix.startswith("*."):
        host = reference.domain.partition(":")[0]
        return len(host) if host.endswith(prefix[1:]) else None
    whole = str(reference)
    if whole.startswith(prefix) and whole[len(prefix) : len(prefix) + 1] in ("", "/", ":", "@"):
        return len(prefix)
    return None
