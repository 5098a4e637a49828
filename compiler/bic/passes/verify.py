"""verify: the rules that every definition keeps; a violation is a fault of bic, not of the user."""

from __future__ import annotations

from typing import get_args

from bic.ir.definition import Definition, Vertex
from bic.ir.op import Change, Content, CopyFrom, Exec, Image, Install, Root, Tree

_ROOTS = get_args(Root)
_CHANGES = get_args(Change)
_CONTENTS = get_args(Content)
_STATES = _ROOTS + _CHANGES


class BrokenDefinition(AssertionError):
    """A pass made a definition that breaks a rule."""


def verify(definition: Definition) -> None:
    """Raise `BrokenDefinition` unless all rules hold."""
    if not definition.vertices:
        raise BrokenDefinition("a definition without vertices")
    if not isinstance(definition.vertices[-1].op, Image):
        raise BrokenDefinition("the result is no image")
    for position, vertex in enumerate(definition.vertices):
        _vertex(definition, position, vertex)


def _vertex(definition: Definition, position: int, vertex: Vertex) -> None:
    for each in vertex.inputs:
        _require(0 <= each < position, position, f"input {each} does not come before")
    if not isinstance(vertex.op, _CHANGES):
        _require(not vertex.inputs, position, "a source has inputs")
        return
    _require(bool(vertex.inputs), position, "a change of nothing")
    _require(_is_state(definition, vertex.inputs[0]), position, "a change of what is no root file system")
    match vertex.op:
        case Tree(actions=actions):
            used = [each for each in actions if isinstance(each, CopyFrom)]
            _require(len(vertex.origins) == len(actions), position, "not one origin an action")
            for action in used:
                _copy(definition, position, vertex, action)
        case Exec() as run:
            _binds(definition, position, vertex, run)
        case Install(run=run, requirements=requirements):
            _binds(definition, position, vertex, run)
            if requirements is not None:
                _content(definition, position, vertex, requirements)
        case _:
            _require(len(vertex.inputs) == 1, position, "more than one input")


def _binds(definition: Definition, position: int, vertex: Vertex, run: Exec) -> None:
    for _, slot in run.binds:
        _content(definition, position, vertex, slot)


def _content(definition: Definition, position: int, vertex: Vertex, slot: int) -> None:
    _require(0 < slot < len(vertex.inputs), position, f"there is no input {slot}")
    op = definition.vertices[vertex.inputs[slot]].op
    _require(isinstance(op, _CONTENTS), position, f"input {slot} is no content")


def _copy(definition: Definition, position: int, vertex: Vertex, action: CopyFrom) -> None:
    _require(0 < action.input < len(vertex.inputs), position, f"there is no input {action.input}")
    if action.source:
        _require(
            _is_state(definition, vertex.inputs[action.input]),
            position,
            "a path copied from what has no paths",
        )
    else:
        _content(definition, position, vertex, action.input)


def _is_state(definition: Definition, position: int) -> bool:
    return isinstance(definition.vertices[position].op, _STATES)


def _require(holds: bool, position: int, rule: str) -> None:
    if not holds:
        raise BrokenDefinition(f"vertex {position}: {rule}")
