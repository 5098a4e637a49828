import pytest

from bic.oci import media_types


@pytest.mark.parametrize(
    ("media_type", "compression"),
    [
        (media_types.OCI_LAYER_TAR, "none"),
        (media_types.OCI_LAYER_GZIP, "gzip"),
        (media_types.OCI_LAYER_ZSTD, "zstd"),
        (media_types.DOCKER_LAYER_TAR, "none"),
        (media_types.DOCKER_LAYER, "gzip"),
        (media_types.DOCKER_LAYER_ZSTD, "zstd"),
    ],
)
def test_a_layer_says_how_it_is_compressed(media_type: str, compression: str) -> None:
    assert media_types.compression(media_type) == compression


def test_only_foreign_layers_may_be_kept_elsewhere() -> None:
    assert media_types.is_foreign(media_types.DOCKER_FOREIGN_LAYER)
    assert media_types.is_foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    assert not any(map(media_types.is_foreign, media_types.LAYERS))
