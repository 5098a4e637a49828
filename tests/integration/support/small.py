"""Small specs on the tiny base."""

from __future__ import annotations

from textwrap import dedent


def spec(name: str, steps: str = "", platforms: str = '"linux/amd64"', base: str = "") -> str:
    """A spec of that name; `base` is the tiny image unless it says something else."""
    return f"""\
bic = 1
[image]
name = "tests/{name}"
platforms = [{platforms}]
[base]
{base or 'image = "docker.io/library/tiny:1"'}
{dedent(steps)}"""


BOTH = '"linux/amd64", "linux/arm64"'
