"""What `bic compile` exports builds without bic, and gives the same image."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import everything
from support.exports import PlainBuildah, differences
from support.family import Family

# One worker builds the families for all of these tests.
pytestmark = pytest.mark.xdist_group("family")


UNLIKE = ("/srv/hostname", "/srv/interfaces")
"""A Dockerfile can neither name the host of its steps nor take their network away."""


@pytest.fixture
def plain(family: Family, tmp_path: Path) -> PlainBuildah:
    family.workspace.bic("compile", everything.NAME).check()
    family.workspace.write({".state/secrets/token": everything.SECRET})
    state = family.workspace.root / ".state"
    env = {"BIC_SECRETS": str(state / "secrets"), "BIC_CACHE": str(state / f"cache-{tmp_path.name}")}
    return PlainBuildah(family.workspace, env)


def test_the_script_builds_the_same_image(family: Family, plain: PlainBuildah, platform: str) -> None:
    made = plain.script(everything.NAME, platform)
    assert differences(family.layout, made, platform) == []


def test_the_dockerfile_builds_the_same_image(family: Family, plain: PlainBuildah, platform: str) -> None:
    plain.run("sh", family.folder / f"{platform.replace('/', '-')}.sh", "--prepare").check()
    given = ("--secret", "id=token,src=secret", "--build-arg", "BIC_TOOLS=docker.io/library/tiny:1")
    epoch = ("--build-arg", f"SOURCE_DATE_EPOCH={everything.EPOCH}")
    made = plain.dockerfile(everything.NAME, platform, *given, *epoch)
    assert differences(family.layout, made, platform, stubs=True, ignore=UNLIKE) == []


def test_no_export_holds_the_secret(family: Family, plain: PlainBuildah) -> None:
    texts = [family.folder / name for name in ("ir.json", "Dockerfile", "linux-amd64.sh", "linux-arm64.sh")]
    assert not any(everything.SECRET in path.read_text() for path in texts)
