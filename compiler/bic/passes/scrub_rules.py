"""What package managers and builders leave behind that no image should hold: one table, no code.

Each path is removed at the end of an image that used the manager; patterns are shell patterns. Package
databases are kept: scanners need them. docs/reproducibility.md is written from this table.
"""

from __future__ import annotations

RULES: dict[str, tuple[str, ...]] = {
    "any": (
        "/etc/.pwd.lock",
        "/etc/group-",
        "/etc/gshadow-",
        "/etc/passwd-",
        "/etc/shadow-",
        "/etc/subgid-",
        "/etc/subuid-",
        "/var/cache/ldconfig/aux-cache",
    ),
    "apt": (
        "/var/cache/apt/*.bin",
        "/var/cache/apt/archives/*.deb",
        "/var/cache/apt/archives/lock",
        "/var/cache/apt/archives/partial/*",
        "/var/cache/debconf/*-old",
        "/var/cache/fontconfig/*",
        "/var/lib/apt/lists/*_*",
        "/var/lib/apt/lists/lock",
        "/var/lib/apt/lists/partial/*",
        "/var/lib/dpkg/*-old",
        "/var/lib/dpkg/lock",
        "/var/lib/dpkg/lock-frontend",
        "/var/lib/dpkg/triggers/Lock",
        "/var/log/alternatives.log",
        "/var/log/apt/*",
        "/var/log/bootstrap.log",
        "/var/log/dpkg.log",
        "/var/log/fontconfig.log",
    ),
    "apk": ("/lib/apk/db/lock", "/var/cache/apk/*"),
    "dnf": (
        "/var/cache/dnf/*",
        "/var/cache/libdnf5/*",
        "/var/cache/yum/*",
        "/var/lib/dnf/history*",
        "/var/lib/rpm/.rpm.lock",
        "/var/log/dnf*.log",
        "/var/log/hawkey.log",
        "/var/log/yum.log",
    ),
    "pip": ("/root/.cache/pip",),
}
"""Paths by who leaves them; `any` holds for every image in which something was executed."""
