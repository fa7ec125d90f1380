"""Express a float graph in TFLite's built-ins, before calibration, so that what stands in between is calibrated too."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import (
    Add,
    Attention,
    BatchMatmul,
    L2Normalization,
    LayerNorm,
    Mean,
    Mul,
    Reshape,
    RmsNorm,
    Softmax,
    Sub,
    Transpose,
)
from edgetx.passes.base import Pass, Repeat, Rule, Watcher, run_passes
from edgetx.passes.center_residual import CenterResidual
from edgetx.passes.convert_fully_connected import ConvertFullyConnected
from edgetx.passes.fold_affine import FoldGain, FoldShift
from edgetx.passes.promote_rank import PromoteRank
from edgetx.passes.simplify_movement import SimplifyMovement


def tflite_passes() -> list[Pass]:
    """From normal form to built-ins."""
    return [
        CenterResidual(),  # before norms are split up: most then need no mean
        LegalizeRmsNorm(),
        Repeat((FoldShift(), FoldGain())),  # while norms that do not see the size of their operand are whole
        LegalizeLayerNorm(),
        LegalizeRmsNorm(),
        LegalizeAttention(),
        Repeat((FoldShift(), FoldGain())),
        PromoteRank(),  # now that every op is a built-in, whose axes it knows
        ConvertFullyConnected(),
        SimplifyMovement(),
    ]


def legalize_tflite(graph: Graph, watch: Watcher | None = None) -> Graph:
    """The graph in built-ins; what both forms compute bears the same names."""
    return run_passes(graph, tflite_passes(), watch)


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


@dataclass(frozen=True)
class LegalizeAttention(Rule):
    """Attention by matrix products over heads.

    Values are transposed, because TFLite Micro otherwise keeps a transposed copy for as long as it lives.

    Given:   %y = attention(%q, %k, %v)
    Result:  %w = softmax(batch_matmul(%q, %k'))    %y = batch_matmul(%w, %v')
    """

    name: ClassVar[str] = "legalize-attention"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Attention):
            return "not an attention"
        q, k, v = node.inputs
        b = GraphBuilder.beside(graph, node)
        heads = node.op.heads
        queries, keys, values = _rows(b, q, heads), _rows(b, k, heads), _columns(b, v, heads)
        scores = b.op(BatchMatmul(adj_y=True), queries, keys, name=f"{node.name}.scores")
        weights = b.op(Softmax(node.op.scale), scores, name=f"{node.name}.weights")
        if heads == 1:
            return _replaced(graph, node, b, b.op(BatchMatmul(adj_y=True), weights, values, name=node.name))
        y = b.op(BatchMatmul(adj_y=True), weights, values, name=f"{node.name}.heads")
        merged = b.op(Transpose((0, 2, 1, 3)), y, name=f"{node.name}.merged")
        return _replaced(graph, node, b, b.op(Reshape(node.output.shape), merged, name=node.name))


def _rows(b: GraphBuilder, x: Value, heads: int) -> Value:
    """[1, T, heads·d] to [1, heads, T, d]."""
    return x if heads == 1 else b.op(Transpose((0, 2, 1, 3)), _split(b, x, heads), name=f"{x.name}.heads")


def _columns(b: GraphBuilder, x: Value, heads: int) -> Value:
    """[1, T, heads·d] to [1, heads, d, T]."""
    if heads == 1:
        return b.op(Transpose((0, 2, 1)), x, name=f"{x.name}.transposed")
    return b.op(Transpose((0, 2, 3, 1)), _split(b, x, heads), name=f"{x.name}.transposed")


def _split(b: GraphBuilder, x: Value, heads: int) -> Value:
    return b.op(Reshape((1, x.shape[-2], heads, x.shape[-1] // heads)), x, name=f"{x.name}.split")


def _replaced(graph: Graph, node: Node, b: GraphBuilder, value: Value) -> Graph:
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: value})
