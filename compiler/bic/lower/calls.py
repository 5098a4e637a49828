"""The buildah commands of a script, one function each."""

from __future__ import annotations

import hashlib
import json
import shlex

from attrs import evolve

from bic.ir.definition import Origin
from bic.ir.op import Config, Exec, Install, Pairs, Source
from bic.lower import packages
from bic.lower.environment import CA_PATH, CA_VARIABLES, fixed
from bic.lower.script import (
    CA,
    CACHE,
    EPOCH,
    SECRETS,
    TARGET,
    UNIQUE,
    WORK,
    Argument,
    Call,
    Changes,
    Function,
    Given,
    Var,
    Word,
    join,
    root_of,
)
from bic.oci.platform import Platform

Mounts = tuple[tuple[Word, str], ...]
"""(directory or file of the host, path in the image) pairs."""

HOSTNAME = "bic"
BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"


def _from(container: Var, platform: Platform) -> tuple[Argument, ...]:
    """Containers are named after the run, so that a later one can tell whose they were."""
    name = join(UNIQUE, f"-{platform.slug}-{container.name}")
    return ("buildah", "from", "--quiet", "--name", name, *_platform(platform))


def _platform(platform: Platform) -> tuple[str, ...]:
    variant = ("--variant", platform.variant) if platform.variant else ()
    return ("--os", platform.os, "--arch", platform.architecture, *variant)


def from_scratch(container: Var, platform: Platform, origin: Origin) -> Call:
    return Call((*_from(container, platform), "scratch"), origin, save=container)


def from_source(container: Var, source: Source, origin: Origin) -> Call:
    """Pulled by the digest of the platform's own manifest: nothing is left to choose."""
    exact = source.reference.with_tag(None).with_digest(source.manifest)
    argv = (*_from(container, source.platform), "--pull=false", f"docker://{exact}")
    named = str(source.reference.with_digest(None))
    return Call(argv, origin, save=container, label=f"pull {named}", pulls=named)


def from_image(container: Var, image: Word, platform: Platform, origin: Origin) -> Call:
    argv = (*_from(container, platform), "--pull=false", image)
    return Call(argv, origin, save=container)


def mount(container: Var) -> Call:
    return Call(("buildah", "mount", (container,)), save=root_of(container))


def unpack(container: Var, archive: Word, origin: Origin) -> Call:
    return Call(("buildah", "add", "--quiet", (container,), archive, "/"), origin)


def run(
    container: Var,
    step: Exec,
    argv: tuple[str, ...],
    image_env: Pairs,
    binds: Mounts,
    caches: Mounts,
    origin: Origin,
) -> Call:
    """A step that executes: chroot isolation, a constant host name, and nothing of the host's environment."""
    network = ("unshare", "--net", "--") if step.network == "none" else ()
    words: list[Argument] = [*network, "buildah", "run", "--isolation", "chroot", "--hostname", HOSTNAME]
    words += ["--user", step.user, "--workingdir", step.workdir]
    for name, value in (*fixed(image_env), *step.env):
        words += ["--env", f"{name}={value}"]
    words += ["--env", join("SOURCE_DATE_EPOCH=", EPOCH)]
    words.append(_trust())
    for source, path in binds:
        words += ["--volume", join(*_pieces(source), f":{path}:ro")]
    for source, path in caches:
        words += ["--volume", join(*_pieces(source), f":{path}:rw")]
    for secret in step.secrets:
        words += ["--volume", join(SECRETS, f"/{secret}:/run/secrets/{secret}:ro")]
    words += [(container,), "--", *argv]
    return Call(tuple(words), origin, executes=True, exclusive=_exclusive(caches))


def _exclusive(caches: Mounts) -> str:
    """apt and dnf lock their caches and give up at once when they are taken: one step at a time uses them."""
    names = [
        "".join(str(piece) for piece in _pieces(source) if isinstance(piece, str)) for source, _ in caches
    ]
    return next((name for name in names if "/apt-" in name or "/dnf-" in name), "")


def _pieces(word: Word) -> tuple[str | Var, ...]:
    return (word,) if isinstance(word, str) else word


def _trust() -> Given:
    """The host's CA bundle, for networks whose TLS is intercepted; never over the image's own."""
    words: list[Word] = ["--volume", join(CA, f":{CA_PATH}:ro")]
    for name in CA_VARIABLES:
        words += ["--env", f"{name}={CA_PATH}"]
    return Given(CA, tuple(words))


def cache(path: str, platform: Platform) -> Word:
    """Where the user's cache directory `path` lies on the host."""
    name = hashlib.sha256(path.encode()).hexdigest()[:12]
    return join(CACHE, f"/step-{name}-{platform.slug}")


def package_cache(install: Install, platform: Platform) -> tuple[Word, str]:
    """The host's directory of a package manager's downloads, and where the step sees it."""
    return join(CACHE, f"/{install.manager}-{platform.slug}"), package_mount(install)


def package_mount(install: Install) -> str:
    return f"{packages.MOUNT}/{install.manager}"


def installation(install: Install) -> tuple[Exec, tuple[str, ...]]:
    """A package step as an execution, and its argument list."""
    run = install.run
    env = (*packages.environment(install), *run.env)
    binds = run.binds
    if install.requirements is not None:
        binds = (*binds, (packages.REQUIREMENTS, install.requirements))
    return evolve(run, env=env, binds=binds), packages.argv(install)


DOLLAR = "BIC_DOLLAR"


def configure(container: Var, config: Config, origin: Origin) -> tuple[Call, ...]:
    """Changes of the config; the entrypoint goes before the cmd, which it clears."""
    words = [*_env(config.env)]
    for name, value in config.labels:
        words += ["--label", f"{name}={value}"]
    for name, value in config.annotations:
        words += ["--annotation", f"{name}={value}"]
    for option, text in (("--user", config.user), ("--workingdir", config.workdir)):
        words += [option, text] if text is not None else []
    for port in config.ports:
        words += ["--port", port]
    for volume in config.volumes:
        words += ["--volume", volume]
    if config.stop_signal is not None:
        words += ["--stop-signal", config.stop_signal]
    found = [words] if words else []
    if config.entrypoint is not None:
        found.append(["--entrypoint", json.dumps(list(config.entrypoint), ensure_ascii=False)])
    if config.cmd is not None:
        found.append(["--cmd", shlex.join(config.cmd)])
    return tuple(_config(container, words, origin) for words in found)


def _config(container: Var, words: list[str], origin: Origin) -> Call:
    return Call(("buildah", "config", *words, (container,)), origin)


def _env(env: Pairs) -> list[str]:
    """buildah fills in `$NAME` in values and has no escape: a variable that holds a dollar sign is one."""
    words: list[str] = []
    if any("$" in value for _, value in env):
        words += ["--env", f"{DOLLAR}=$"]
    for name, value in env:
        words += ["--env", f"{name}={value.replace('$', f'${{{DOLLAR}}}')}"]
    if words[1:2] == [f"{DOLLAR}=$"]:
        words += ["--env", f"{DOLLAR}-"]
    return words


def describe(container: Var, base: Source | None, is_result: bool) -> tuple[Call, ...]:
    """Annotations on the base: the reference that the spec names, never a name of this host."""
    if not is_result:
        return ()
    if base is None:
        words = ["--annotation", f"{BASE_NAME}-", "--annotation", f"{BASE_DIGEST}-"]
    else:
        named = base.reference.with_digest(None)
        words = ["--annotation", f"{BASE_NAME}={named}"]
        words += ["--annotation", f"{BASE_DIGEST}={base.reference.digest}"]
    return (_config(container, [*words, "--created-by", "bic"], Origin()),)


def tidy(container: Var) -> Changes:
    return Changes(container, (Function(("tidy", join(WORK, "/", container, ".stubs"))),))


def commit(container: Var, target: Word) -> Call:
    options = ("--quiet", "--format", "oci", "--identity-label=false", "--omit-history")
    compress = ("--disable-compression=false",) if target == (TARGET,) else ()
    return Call(("buildah", "commit", *options, *compress, "--timestamp", (EPOCH,), (container,), target))


def remove_container(container: Var) -> Call:
    return Call(("buildah", "rm", (container,)))


def remove_image(image: Word) -> Call:
    return Call(("buildah", "rmi", image))
