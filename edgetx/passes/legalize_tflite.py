"""Express a float graph in TFLite's built-ins, before calibration, so that what stands in between is calibrated too."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Hypot, L2Normalization, LayerNorm, Mean, Mul, RmsNorm, Sqrt, Square, Sub
from edgetx.passes.base import Pass, Repeat, Rule, Watcher, run_passes
from edgetx.passes.carry_residual import CarryResidual
from edgetx.passes.center_residual import CenterResidual
from edgetx.passes.convert_fully_connected import ConvertFullyConnected
from edgetx.passes.equalize_rows import EqualizeRows
from edgetx.passes.fold_affine import FoldGain, FoldShift
from edgetx.passes.fold_constant_rows import FoldConstantRows
from edgetx.passes.legalize_attention import LegalizeAttention, Peaks
from edgetx.passes.lower_lmu import UnfoldMemory
from edgetx.passes.merge_heads import MergeHeads
from edgetx.passes.promote_rank import PromoteRank
from edgetx.passes.simplify_movement import SimplifyMovement


def tflite_passes(peaks: Peaks | None = None) -> list[Pass]:
    """From normal form to built-ins; `peaks` are those of the graph's values over calibration inputs."""
    return [
        LegalizeHypot(),
        UnfoldMemory(),  # there is no built-in with a matrix of 16 bits
        FoldConstantRows(),
        CenterResidual(),  # before norms are split up: most then need no mean
        EqualizeRows(peaks or {}),  # after centring, which knows no gains of rows
        CarryResidual(),  # while it can tell centred rows by their norms
        LegalizeRmsNorm(),
        Repeat((FoldShift(), FoldGain())),  # while norms that do not see the size of their operand are whole
        LegalizeLayerNorm(),
        LegalizeRmsNorm(),
        LegalizeAttention(peaks or {}),
        Repeat((FoldShift(), FoldGain())),
        PromoteRank(),  # now that every op is a built-in, whose axes it knows
        ConvertFullyConnected(),
        MergeHeads(),
        SimplifyMovement(),
    ]


def legalize_tflite(graph: Graph, peaks: Peaks | None = None, watch: Watcher | None = None) -> Graph:
    """The graph in built-ins; what both forms compute bears the same names."""
    return run_passes(graph, tflite_passes(peaks), watch)


@dataclass(frozen=True)
class LegalizeHypot(Rule):
    """Store the squares.

    Given:   %y = hypot(%a, %b)
    Result:  %y = sqrt(add(square(%a), square(%b)))
    """

    name: ClassVar[str] = "legalize-hypot"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Hypot):
            return "not a magnitude"
        b = GraphBuilder.beside(graph, node)
        squares = [b.op(Square(), value, name=f"{node.name}.squares") for value in node.inputs]
        return _replaced(graph, node, b, b.op(Sqrt(), b.op(Add(), *squares, name=f"{node.name}.sum"), name=node.name))


@dataclass(frozen=True)
class LegalizeLayerNorm(Rule):
    """Take the mean out first.

    Given:   %y = layer_norm(%x, %gamma, %beta)
    Result:  %c = sub(%x, mean(%x))    %y = add(rms_norm(%c, %gamma), %beta)
    """

    name: ClassVar[str] = "legalize-layer-norm"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, LayerNorm):
            return "not a layer normalization"
        x, gamma, beta = node.inputs
        b = GraphBuilder.beside(graph, node)
        mean = b.op(Mean((x.type.rank - 1,), keepdims=True), x, name=f"{node.name}.mean")
        centred = b.op(Sub(), x, mean, name=f"{node.name}.centred")
        scaled = b.op(RmsNorm(node.op.epsilon), centred, gamma, name=f"{node.name}.scaled")
        return _replaced(graph, node, b, b.op(Add(), scaled, beta, name=node.name))


@dataclass(frozen=True)
class LegalizeRmsNorm(Rule):
    """Normalize to unit length and scale up; epsilon, which only matters to rows of next to nothing, is dropped.

    Given:   %y = rms_norm(%x, %gamma)
    Result:  %y = mul(l2_normalization(%x), sqrt(width) · %gamma)
    """

    name: ClassVar[str] = "legalize-rms-norm"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, RmsNorm):
            return "not a root-mean-square normalization"
        x, gamma = node.inputs
        b = GraphBuilder.beside(graph, node)
        unit = b.op(L2Normalization(), x, name=f"{node.name}.unit")
        gain = math.sqrt(x.shape[-1]) * graph.consts[gamma.name]
        return _replaced(graph, node, b, b.op(Mul(), unit, b.const(gain.astype(np.float32), "gain"), name=node.name))


def _replaced(graph: Graph, node: Node, b: GraphBuilder, value: Value) -> Graph:
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: value})
