"""`bic init`: what it writes builds as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from support.layout import image_config, image_tree, manifests
from support.workspace import Workspace

pytestmark = pytest.mark.network


def test_a_new_workspace_builds_out_of_the_box(workspace: Callable[..., Workspace]) -> None:
    place = workspace()
    place.bic("init").check()
    place.bic("lint", "--strict").check()
    place.bic("build").check()
    (platform,) = manifests(place.layout("base"))
    config = image_config(place.layout("base"), platform)["config"]
    assert (config["User"], config["WorkingDir"]) == ("app", "/app")
    text = b"Made by bic from specs/base.toml\n"
    about = image_tree(place.layout("base"), platform)["/app/about"]
    assert about.sha256 == hashlib.sha256(text).hexdigest()
