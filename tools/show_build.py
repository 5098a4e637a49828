"""Renders what `bic build --json` prints on stdin: what was built, where it lies, how to run it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """`--from` is the workspace that the layouts' paths are in, when it is a copy of this one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="workspace", type=Path, default=ROOT)
    workspace: Path = parser.parse_args().workspace
    images = json.load(sys.stdin)
    # Wide enough for a digest where nobody's terminal says otherwise.
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(table(images))
    for image in images:
        show_place(console, image, workspace)


def table(images: list[dict[str, Any]]) -> Table:
    drawn = Table("image", "platform", "digest", "size", title="What was built")
    for column in drawn.columns:
        column.no_wrap = True
    for image in images:
        drawn.add_row(image["image"], "index", image["digest"], "", style="bold")
        for platform in image["platforms"]:
            drawn.add_row("", platform["platform"], platform["digest"], megabytes(platform["size"]))
    return drawn


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def show_place(console: Console, image: dict[str, Any], workspace: Path) -> None:
    layout = Path(image["layout"])
    if layout.is_absolute():
        layout = layout.relative_to(workspace.resolve())
    console.print(f"\n[bold]{image['image']}[/bold] lies in {layout}, an OCI layout. To run it:")
    lines = (
        f'c=$(buildah from oci:{layout}) && buildah run --isolation chroot "$c" -- sh',
        f"podman run --rm -it oci:{layout} sh",
        f"skopeo copy --all oci:{layout} docker://REGISTRY/{image['image']}:TAG",
    )
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    main()
