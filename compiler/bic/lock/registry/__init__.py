"""Registries: one protocol, two tools that speak it, and a cache before either.

`choose()` gives the tool that is there; `Remembering` keeps what it says. Retries, mirrors, logins and CAs
are the same for both, and so are the answers.
"""

from __future__ import annotations

from bic.lock.registry.answers import Answers
from bic.lock.registry.choose import choose
from bic.lock.registry.protocol import Registry
from bic.lock.registry.remembering import Remembering, Told
from bic.lock.registry.retry import Clock, Policy
from bic.lock.registry.with_crane import Crane
from bic.lock.registry.with_skopeo import Skopeo, skopeo

__all__ = [
    "Answers",
    "Clock",
    "Crane",
    "Policy",
    "Registry",
    "Remembering",
    "Skopeo",
    "Told",
    "choose",
    "skopeo",
]
