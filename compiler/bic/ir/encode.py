"""Definitions as plain data for ir.json: every field, with the derived digests and the origins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bic import COMPATIBILITY
from bic.ir.definition import Definition, Origin, digests
from bic.ir.op import Source
from bic.spec.plain import plain

VERSION = 1
"""Of the form of ir.json."""


def encode(name: str, definitions: Iterable[Definition]) -> dict[str, Any]:
    """All platforms of one spec."""
    return {
        "ir": VERSION,
        "compatibility": COMPATIBILITY,
        "spec": name,
        "platforms": {str(each.platform): _definition(each) for each in definitions},
    }


def _definition(definition: Definition) -> dict[str, Any]:
    found = [str(each) for each in digests(definition)]
    vertices = [
        {
            "digest": found[position],
            "inputs": [found[each] for each in vertex.inputs],
            "op": _op(vertex.op),
            "origins": [_origin(each) for each in vertex.origins if each != Origin()],
        }
        for position, vertex in enumerate(definition.vertices)
    ]
    return {"digest": found[-1], "vertices": vertices}


def _op(op: Any) -> dict[str, Any]:
    """The identity of an operation, and for people what stands outside it."""
    data: dict[str, Any] = plain(op)
    for name in ("reference", "source", "name"):
        if hasattr(op, name) and name not in data:
            data[name] = plain(getattr(op, name))
    if isinstance(op, Source):
        data["env"] = plain(op.env)
    return data


def _origin(origin: Origin) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if origin.span is not None:
        data["at"] = str(origin.span)
    if origin.title:
        data["title"] = origin.title
    return data
