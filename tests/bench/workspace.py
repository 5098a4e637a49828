"""Generated workspaces: as many specs as wanted, none equal to another, each of a usual size."""

from __future__ import annotations

from pathlib import Path

FRAGMENT = """\
[fragment.service-user]
params.name = { type = "string" }
params.uid  = { type = "integer", default = 1000 }

[[fragment.service-user.step]]
user = { name = "${with.name}", uid = "${with.uid}", system = true }

[[fragment.service-user.step]]
directory = { path = "/srv/${with.name}", owner = "${with.name}:${with.name}" }
"""

SPEC = """\
bic = 1
include = ["fragments/common.toml"]

[image]
name = "bench/image-{number}"
description = "Image {number} of a generated workspace"
platforms = ["linux/amd64", "linux/arm64"]
labels = {{ "io.example.number" = "{number}" }}

[base]
debian = {{ suite = "bookworm" }}

[vars]
name = "service{number}"
version = "1.{number}.0"

[env]
LANG = "C.UTF-8"
SERVICE_VERSION = "${{vars.version}}"

[config]
user = "${{vars.name}}"
workdir = "/srv/${{vars.name}}"
entrypoint = ["/srv/${{vars.name}}/run", "--version", "${{vars.version}}"]

[[step]]
timezone = "UTC"

[[step]]
use = "service-user"
with = {{ name = "${{vars.name}}", uid = {uid} }}

[[step]]
apt = {{ packages = ["ca-certificates", "python3", "python3-pip"] }}

[[step]]
pip = {{ packages = ["poetry==1.{number}.1"], break_system_packages = true }}

[[step]]
file = {{ path = "/etc/service.conf", content = "name = ${{vars.name}}\\n" }}

[[step]]
symlink = {{ path = "/srv/current", target = "${{vars.name}}" }}

[[step]]
shell = '''
set -x
python3 --version > /srv/${{vars.name}}/python
'''
user = "${{vars.name}}"
"""


def generate(root: Path, specs: int) -> Path:
    """A workspace of that many specs at `root`; its root."""
    (root / "specs/fragments").mkdir(parents=True)
    (root / "specs/fragments/common.toml").write_text(FRAGMENT)
    for number in range(specs):
        text = SPEC.format(number=number, uid=1000 + number)
        (root / f"specs/image-{number:04}.toml").write_text(text)
    return root
