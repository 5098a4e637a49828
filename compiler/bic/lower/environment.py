"""What is known of the config at each vertex, and the fixed environment that every step sees."""

from __future__ import annotations

from attrs import evolve, frozen

from bic.ir.definition import Definition
from bic.ir.op import Bootstrap, Config, Pairs, Scratch, Source


@frozen
class Known:
    """The config in force at a vertex, as far as compiling can tell; `base` is what it all stands on."""

    env: Pairs = ()
    user: str = ""
    workdir: str = ""
    has_shell: bool = True
    base: Source | None = None


def known(definition: Definition) -> tuple[Known, ...]:
    """The known config after each vertex, by position; content vertices have an empty one."""
    found: list[Known] = []
    for vertex in definition.vertices:
        before = found[vertex.inputs[0]] if vertex.inputs else Known()
        match vertex.op:
            case Source() as source:
                found.append(Known(source.env, source.user, source.workdir, source.has_shell, source))
            case Scratch():
                found.append(Known(has_shell=False))
            case Bootstrap():
                found.append(Known())
            case Config() as config:
                found.append(_changed(before, config))
            case _:
                found.append(before)
    return tuple(found)


def _changed(before: Known, config: Config) -> Known:
    return evolve(
        before,
        env=tuple({**dict(before.env), **dict(config.env)}.items()),
        user=before.user if config.user is None else config.user,
        workdir=before.workdir if config.workdir is None else config.workdir,
    )


def fixed(image_env: Pairs) -> Pairs:
    """Variables of every step, whatever the host has: the locale unless the image says, and no randomness."""
    locale = () if any(name in ("LANG", "LC_ALL") for name, _ in image_env) else (("LANG", "C.UTF-8"),)
    return (*locale, ("PERL_HASH_SEED", "0"), ("PYTHONHASHSEED", "0"))


CA_PATH = "/run/bic/ca.crt"
CA_VARIABLES = (
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)
"""Variables that make programs trust the host's CA bundle, mounted at CA_PATH for the step alone."""
