"""The environment that commands see: an allow-list, so that nothing of the host slips into a build."""

from __future__ import annotations

import os
from collections.abc import Mapping

IDENTITY = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR")

# storage: pkg/unshare, types/options; image: sysregistriesv2, pkg/docker/config; common: pkg/config.
CONTAINERS = (
    "CONTAINERS_CONF",
    "CONTAINERS_CONF_OVERRIDE",
    "CONTAINERS_REGISTRIES_CONF",
    "CONTAINERS_REGISTRIES_CONF_DIR",
    "CONTAINERS_STORAGE_CONF",
    "DOCKER_CONFIG",
    "REGISTRIES_CONFIG_PATH",
    "REGISTRY_AUTH_FILE",
    "STORAGE_DRIVER",
    "STORAGE_OPTS",
    "_CONTAINERS_ROOTLESS_GID",
    "_CONTAINERS_ROOTLESS_UID",
    "_CONTAINERS_USERNS_CONFIGURED",
)

PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

ALLOWED = frozenset(
    (*IDENTITY, *CONTAINERS, *PROXIES, *(name.upper() for name in PROXIES), *CERTIFICATES),
)


def environment(
    extra: Mapping[str, str] | None = None, *, host: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What a command sees: the allowed variables of the host, LANG=C.UTF-8, and `extra` on top.

    Left out on purpose: TZ, LC_*, SOURCE_DATE_EPOCH and BUILDAH_* would change what is built without a trace
    in the spec (`BUILDAH_ISOLATION=chroot` even switches off `--network none`: notes on rootless builds,
    iso-net).
    """
    source = os.environ if host is None else host
    allowed = {name: value for name, value in source.items() if name in ALLOWED}
    return {"PATH": os.defpath, **_runtime(allowed), **allowed, "LANG": "C.UTF-8", **(extra or {})}


def _runtime(allowed: Mapping[str, str]) -> dict[str, str]:
    """A runtime folder for who has none, where the one that the container tools would take is closed to them.

    Without XDG_RUNTIME_DIR they look for credentials in /run/containers/UID, and fail where root's tools have
    made /run/containers for root alone. The folder need not exist.
    """
    uid = int(allowed.get("_CONTAINERS_ROOTLESS_UID") or os.geteuid())
    if uid == 0 or "XDG_RUNTIME_DIR" in allowed:
        return {}
    try:
        os.stat(f"/run/containers/{uid}/auth.json")  # noqa: PTH116
    except PermissionError:
        return {"XDG_RUNTIME_DIR": f"{allowed.get('HOME') or '/nonexistent'}/.cache/bic/runtime"}
    except OSError:
        pass
    return {}
