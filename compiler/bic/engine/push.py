"""Pushing a layout's index with everything it names to a registry, digests unchanged."""

from __future__ import annotations

from pathlib import Path

from bic.engine.session import Session
from bic.errors import Fault, WorkFailed
from bic.lock.registry import skopeo
from bic.oci.layout import Layout
from bic.oci.reference import Reference
from bic.process import Command, ProcessFailed, run


def push(layout: Path, target: Reference, session: Session) -> str:
    """Copy the image to `target`; the reference by digest under which it can be pulled."""
    if target.digest is not None:
        raise WorkFailed(f"an image is pushed to a tag, not to a digest: `{target}`")
    options = ("--all", "--preserve-digests", "--retry-times", "3", "--quiet")
    argv = (*skopeo(), "copy", *options, f"oci:{layout}", f"docker://{target}")
    try:
        run(Command(argv, session.env), cancel=session.cancel, timeout=3600)
    except ProcessFailed as error:
        last = error.completed.stderr_tail.strip().splitlines()[-1:] or ["no message"]
        hint = f"`skopeo login {target.domain}`, or look at the network; what was pushed is found again"
        raise WorkFailed(Fault(f"cannot push to `{target}`", hint=hint, notes=tuple(last))) from error
    digest = Layout.open(layout).index().manifests[0].digest
    return str(target.with_digest(digest))
