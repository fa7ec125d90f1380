"""The integer arithmetic stays within one step of the real function of the very integers it is given."""

import numpy as np
import pytest
from cases import CASES, Case, contents

from edgetx.fixedpoint import quantize
from edgetx.ir import Array, Graph, QuantParams
from edgetx.ops.normalize import NormFormat
from edgetx.reference import execute

SEEDS = range(5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_integers_are_within_one_step_of_reals(case: Case) -> None:
    for seed in SEEDS:
        graph = case.graph(seed)
        inputs = contents(graph, seed)
        (found,) = execute(graph, inputs)
        out = graph.outputs[0].type
        exact = quantize(real_result(graph, inputs), out.scale, out.zero_point, out.dtype)
        assert np.abs(found.astype(int) - exact.astype(int)).max() <= 1 + blur(graph), f"seed {seed}"


def blur(graph: Graph) -> float:
    """What 16 bits may miss beyond one step.

    Of normalization half a unit of the normalized row, and of its 15-bit root; of softmax half a unit in 2**-19 for
    each term of the sum, and where both are read from tables two steps for each term, and four for the reciprocal;
    of images half a unit in 2**-10 for each place of a neighbour.
    """
    (node,) = graph.nodes
    out = node.output.type
    if node.op.name == "wide_softmax":
        return out.shape[-1] * 2.0**-20 / out.scale
    if node.op.name == "resize_bilinear" and out.dtype == "int16":
        return 2**16 / 2**10
    if node.op.name == "table_softmax":
        return 4 + 2 * out.shape[-1]
    if out.dtype == "int8" or node.op.name not in ("layer_norm", "rms_norm"):
        return 0
    gamma = np.abs(graph.consts[node.inputs[1].name]).max() * node.inputs[1].type.scale
    normal_bits = NormFormat.of(node.inputs[0].type).normal_bits
    largest = gamma * node.inputs[0].shape[-1] ** 0.5
    return float((gamma * 2.0 ** -(normal_bits + 1) + largest * 2.0**-15) / out.scale)


def real_result(graph: Graph, inputs: list[Array]) -> Array:
    """The real function, in double precision, of the real numbers that the integers stand for."""
    (node,) = graph.nodes
    integers = {**graph.consts, **{v.name: x for v, x in zip(graph.inputs, inputs, strict=True)}}
    operands = [real_numbers(integers[v.name], v.type.quant) for v in node.inputs]
    if node.op.name == "log" and node.output.type.dtype == "int16":  # 0 and below count as half a step
        operands = [np.maximum(x, node.inputs[0].type.scale / 2) for x in operands]
    (y,) = node.op.float_ref(*operands)
    return y


def real_numbers(q: Array, quant: QuantParams | None) -> Array:
    assert quant is not None
    shape = [1] * q.ndim
    if quant.axis is not None:
        shape[quant.axis] = -1
    return (q.astype(np.float64) - quant.zero_point) * np.reshape(quant.scale, shape if quant.axis is not None else ())
