"""The tools that ask registries, and images in the forms that they meet."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bic.lock.registry import Crane, Skopeo, choose
from bic.oci.reference import Reference

from . import probes
from .registry import Registry
from .tiny_base import TinyBase

Tool = Crane | Skopeo
NAMES = ("crane", "skopeo")
FORMS = {"oci": (), "docker": ("--format", "v2s2")}
"""What skopeo is told to push an image in that form."""


def tool_named(name: str) -> Tool:
    """The tool; skips by its name where it is not installed."""
    probes.tool(name).require()
    found = choose(name)
    assert isinstance(found, Crane | Skopeo)
    return found


def push(base: TinyBase, registry: Registry, form: str) -> Reference:
    """The tiny image in that form, pushed to the registry."""
    target = Reference.parse(f"{registry.host}/forms/{form}:1")
    options = ("--dest-tls-verify=false", *FORMS[form])
    argv = [probes.program("skopeo"), "--insecure-policy", "copy", "--quiet", "--all", *options]
    subprocess.run([*argv, f"oci:{base.layout}", f"docker://{target}"], check=True, capture_output=True)
    return target


def content(root: Path) -> dict[str, bytes]:
    """All files below the folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
