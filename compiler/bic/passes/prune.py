"""prune: drop what changes nothing: empty configs, and vertices that the result does not need."""

from __future__ import annotations

from bic.ir.definition import Definition
from bic.ir.op import Config, Tree
from bic.passes.rewrite import Rewriter


def prune(definition: Definition) -> Definition:
    rewriter = Rewriter()
    for position, vertex in enumerate(definition.vertices):
        if vertex.op in (Config(), Tree(())):
            rewriter.moved[position] = rewriter.moved[vertex.inputs[0]]
        else:
            rewriter.keep(position, vertex)
    return rewriter.result(definition)
