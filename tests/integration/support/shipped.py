"""The specs that bic ships, built for tests; what they take from hosts out of reach is served on loopback."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from attrs import field, frozen

from .container import Container, container
from .files import FileServer
from .probes import ROOT
from .registry import Registry
from .tiny_base import push_layout
from .workspace import Workspace

AMD64, ARM64 = "linux/amd64", "linux/arm64"
PYTHON_BASE = "docker.io/library/python:3.10.14-slim-bookworm"
JAVA_BASE = "docker.io/library/amazoncorretto:21-al2023"
AIRBYTE_PYTHON = "airbyte/python-connector-base"
AIRBYTE_JAVA = "airbyte/java-connector-base"

STAND_IN = """\
bic = 1

[image]
name = "library/python"
platforms = {platforms}

[base]
spec = "debian"

[env]
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
LANG = "C.UTF-8"
GPG_KEY = "A035C8C19219BA821ECEA86B64E628F8D684696D"
PYTHON_VERSION = "3.11.2"

[config]
cmd = ["python3"]

# The tests run this platform alone; the other has to be there, since a lock asks for all.
[[step]]
apt = {{ packages = ["python3", "python3-pip", "python-is-python3"] }}
platforms = ["linux/amd64"]

# The image that this stands for has a Python that belongs to nobody (no PEP 668).
[[step]]
remove = {{ paths = ["/usr/lib/python3*/EXTERNALLY-MANAGED"] }}
platforms = ["linux/amd64"]
"""
"""Debian's Python in the place of Docker Hub's."""

NLTK_CHILD = """\
bic = 1

[image]
name = "nltk-child"
platforms = {platforms}

[base]
spec = "airbyte/python-connector-base"

[[step]]
pip = {{ packages = ["nltk==3.8.1"] }}

[[step]]
run = ["python", "-c", "import nltk; [nltk.data.find(name) for name in ('{punkt}', '{tagger}')]"]
user = "airbyte"
"""


@frozen
class Shipped:
    """A workspace with the shipped specs and a stand-in for Docker Hub's Python, built as asked for."""

    workspace: Workspace
    platforms: tuple[str, ...]
    registry: Registry
    files: FileServer
    stack: ExitStack
    containers: dict[tuple[str, str], Container] = field(factory=dict)

    def build(self, *specs: str, platforms: tuple[str, ...] | None = None) -> None:
        chosen = self.platforms if platforms is None else platforms
        words = [word for each in chosen for word in ("--platform", each)]
        self.workspace.bic("build", *specs, *words, timeout=1800).check()

    def container(self, spec: str, platform: str) -> Container:
        """A container of the built image, kept for the session."""
        key = (spec, platform)
        if key not in self.containers:
            directory = self.workspace.root / f".store-{len(self.containers)}"
            opened = container(self.workspace.layout(spec), platform, directory)
            self.containers[key] = self.stack.enter_context(opened)
        return self.containers[key]

    def build_airbyte_python(self) -> None:
        """Pushes the stand-in, locks, builds the image for amd64 and a child that looks for NLTK's data."""
        self.workspace.spec("stand-in", STAND_IN.format(platforms=self._platforms()))
        self.build("stand-in")
        push_layout(self.workspace.layout("stand-in"), f"{self.registry.host}/{PYTHON_BASE}")
        nltk = self._serve_nltk()
        self._change(AIRBYTE_PYTHON, r"https://github\.com/nltk/[^\"]+", nltk)
        self.workspace.bic("lock", AIRBYTE_PYTHON).check()
        names = {"punkt": "tokenizers/punkt", "tagger": "taggers/averaged_perceptron_tagger"}
        self.workspace.spec("nltk-child", NLTK_CHILD.format(platforms=self._platforms(), **names))
        self.build(AIRBYTE_PYTHON, "nltk-child", platforms=(AMD64,))

    def _platforms(self) -> str:
        return json.dumps(self.platforms)

    def _serve_nltk(self) -> str:
        for folder, name in (("tokenizers", "punkt"), ("taggers", "averaged_perceptron_tagger")):
            (self.files.directory / folder).mkdir(exist_ok=True)
            self.files.put(f"{folder}/{name}.zip", nltk_zip(name))
        return self.files.url

    def _change(self, spec: str, pattern: str, replacement: str) -> None:
        path = self.workspace.root / f"specs/{spec}.toml"
        text, count = re.subn(pattern, replacement, path.read_text())
        if count == 0:
            raise RuntimeError(f"{path} does not hold {pattern} any more")
        self.workspace.write({f"specs/{spec}.toml": text})


def nltk_zip(name: str) -> bytes:
    """An archive in the form of NLTK's, its data a few bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, content in (("README", b"made by the tests\n"), ("PY3/english.pickle", b"\x80\x03N.")):
            # With its constructor's date, not the day's: the same bytes at each call.
            archive.writestr(zipfile.ZipInfo(f"{name}/{path}"), content)
    return target.getvalue()


def copy_specs(workspace: Workspace, platforms: tuple[str, ...]) -> None:
    """The repository's specs without their locks; where a platform cannot be run, without it."""
    listed = f"platforms   = {json.dumps(platforms)}"
    texts: dict[str, str | bytes] = {}
    for path in sorted((ROOT / "specs").rglob("*.toml")):
        if not path.name.endswith(".lock.toml"):
            text = re.sub(r"^platforms   = .*$", listed, path.read_text(), flags=re.MULTILINE)
            texts[f"specs/{path.relative_to(ROOT / 'specs')}"] = text
    workspace.write(texts)


@contextmanager
def shipped(
    workspace: Workspace, platforms: tuple[str, ...], registry: Registry, files: FileServer
) -> Iterator[Shipped]:
    copy_specs(workspace, platforms)
    with ExitStack() as stack:
        yield Shipped(workspace, platforms, registry, files, stack)


def environment(image_config: Mapping[str, object]) -> dict[str, str]:
    """The variables of an image's config."""
    entries = image_config.get("Env")
    assert isinstance(entries, list)
    return dict(entry.split("=", 1) for entry in entries)
