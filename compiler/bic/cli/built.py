"""What a build made: the images' layouts, put together and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click
from attrs import frozen

from bic.cli.sources import Compiled
from bic.engine.assemble import assemble
from bic.engine.places import Places
from bic.oci.descriptor import Descriptor
from bic.oci.digest import Digest
from bic.oci.layout import Layout
from bic.spec.model import Spec

DESCRIPTION = "org.opencontainers.image.description"


@frozen
class BuiltPlatform:
    platform: str
    digest: str
    size: int


@frozen
class BuiltImage:
    """`size` of a platform is what a pull downloads, in bytes."""

    spec: str
    image: str
    digest: str
    layout: str
    platforms: tuple[BuiltPlatform, ...]


def collect(done: Compiled, places: Places, manifests: Mapping[Digest, Descriptor]) -> tuple[BuiltImage, ...]:
    """Write out/build/<spec>/image for each selected spec whose platforms were all made."""
    made = [
        name
        for name in done.selected
        if all(each.digest in manifests for each in done.definitions[name].values())
    ]
    return tuple(_image(done, done.specs[name], places) for name in made)


def _image(done: Compiled, spec: Spec, places: Places) -> BuiltImage:
    parts = {
        platform: places.images / definition.digest.hex
        for platform, definition in done.definitions[spec.name].items()
    }
    target = done.workspace.build_dir(spec.name) / "image"
    index = assemble(target, parts, _annotations(spec))
    platforms = []
    for platform, path in sorted(parts.items()):
        # Read where nobody else writes: another build of the spec may replace the one in out/ at any time.
        layout = Layout.open(path)
        found = layout.resolve(platform)
        size = layout.read_manifest(found).download_size
        platforms.append(BuiltPlatform(str(platform), str(found.digest), size))
    return BuiltImage(spec.name, spec.image.name, str(index.digest), str(target), tuple(platforms))


def _annotations(spec: Spec) -> tuple[tuple[str, str], ...]:
    described = ((DESCRIPTION, str(spec.image.description)),) if spec.image.description else ()
    table: dict[str, str] = {**dict(described), **dict(spec.image.annotations)}
    return tuple(sorted(table.items()))


def show(images: tuple[BuiltImage, ...], pushed: str | None, as_json: bool) -> None:
    """The result on stdout: JSON, or lines for people."""
    if as_json:
        click.echo(json.dumps([_data(each, pushed) for each in images], indent=2))
        return
    for image in images:
        click.echo(f"{image.spec}: {image.image}@{image.digest}")
        for each in image.platforms:
            click.echo(f"  {each.platform:<14} {each.digest}  {each.size / 1e6:.1f} MB")
        click.echo(f"  oci:{image.layout}")
    if pushed:
        click.echo(f"pushed {pushed}")


def _data(image: BuiltImage, pushed: str | None) -> dict[str, object]:
    platforms = [{"platform": p.platform, "digest": p.digest, "size": p.size} for p in image.platforms]
    data: dict[str, object] = {
        "spec": image.spec,
        "image": image.image,
        "digest": image.digest,
        "layout": image.layout,
        "platforms": platforms,
    }
    return {**data, "pushed": pushed} if pushed else data
