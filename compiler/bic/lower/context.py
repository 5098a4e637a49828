"""The context: a directory beside the script and the Dockerfile with every file that they copy.

Entries are named by the content that they must hold, so that a stale one cannot be taken for another.
"""

from __future__ import annotations

from bic.ir.op import Bootstrap, Content, Download, Inline, Local
from bic.spec.plain import digest_of


def entry_name(op: Content | Bootstrap) -> str:
    """The name of an operation's result in the context."""
    match op:
        case Bootstrap():
            return f"{bootstrap_stem(op)}-{op.platform.slug}.tar"
        case Download():
            return f"download-{digest_of(op).short}"
        case Local() | Inline():
            return f"file-{digest_of(op).short}"


def bootstrap_stem(op: Bootstrap) -> str:
    """The platform-independent part of a bootstrap's name."""
    rest = digest_of((op.suite, op.variant, op.components, op.mirror)).short
    return f"{op.suite}-{op.variant}-{rest}"
