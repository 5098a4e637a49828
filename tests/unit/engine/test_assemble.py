from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bic.engine.assemble import assemble
from bic.oci import media_types
from bic.oci.config import ImageConfig
from bic.oci.descriptor import Descriptor
from bic.oci.index import Index
from bic.oci.layout import Layout
from bic.oci.manifest import Manifest
from bic.oci.platform import Platform

AMD64 = Platform("linux", "amd64")
WRITERS = 4
TIMES = 20


def image(path: Path, content: str) -> Path:
    """The layout of an image with many layers: the more, the longer it takes to put it together."""
    layout = Layout.create(path)

    def put(data: bytes, media_type: str) -> Descriptor:
        layout.write_blob(data)
        return Descriptor.of(data, media_type)

    config = put(ImageConfig(AMD64.architecture, AMD64.os).to_bytes(), media_types.OCI_CONFIG)
    layers = tuple(put(f"{content} {each}".encode(), media_types.OCI_LAYER_TAR) for each in range(20))
    manifest = Manifest(config=config, layers=layers)
    layout.write_blob(manifest.to_bytes())
    layout.write_index(Index((manifest.descriptor(AMD64),)))
    return path


def test_of_writers_at_the_same_time_each_leaves_a_whole_image(tmp_path: Path) -> None:
    parts = [image(tmp_path / str(each), str(each)) for each in range(WRITERS)]
    target = tmp_path / "together"

    def write(number: int) -> None:
        for _ in range(TIMES):
            assemble(target, {AMD64: parts[number]}, ())

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert Layout.open(target).verify() == ()
    assert len(list(Layout.open(target).blobs())) == 23
    assert list(target.rglob(".bic-*")) == []
