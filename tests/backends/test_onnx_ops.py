"""Every op in ONNX Runtime, from the reference's own operands: at most one step away, whatever the scales."""

from dataclasses import dataclass

import numpy as np
import pytest

from edgetx import ops
from edgetx.backends.onnx import write_onnx
from edgetx.ir import Arrays, Graph, GraphBuilder, OpLike
from edgetx.quant import QuantRecipe, apply_plan, calibrate, make_plan
from edgetx.runtimes.onnxruntime import tensor_differences

pytestmark = pytest.mark.runtimes

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One op, the shapes of its operands, and those of its constants."""

    op: OpLike
    inputs: tuple[Shape, ...]
    consts: tuple[Shape, ...] = ()

    def __str__(self) -> str:
        return str(self.op)


def elementwise(op: OpLike) -> Case:
    return Case(op, ((1, 5, 17),))


CASES = [
    elementwise(ops.Abs()),
    elementwise(ops.ArgMax(1)),
    elementwise(ops.ArgMax(2)),
    Case(ops.Lookup(), ((9, 4), (1, 7))),
    Case(ops.Lookup(wraps=True), ((9, 4), (1, 7))),
    elementwise(ops.Clip(-0.5, 1.25)),
    elementwise(ops.Elu()),
    elementwise(ops.Gather(1, (4, 0, 0, 2))),
    elementwise(ops.LeakyRelu(0.1)),
    elementwise(ops.Log()),
    Case(ops.Maximum(), ((1, 5, 8), (1, 5, 8))),
    Case(ops.Minimum(), ((1, 5, 8), (1, 5, 8))),
    elementwise(ops.Power(3.0)),
    elementwise(ops.ReduceMax((2,), keepdims=True)),
    Case(ops.Add(), ((1, 5, 8), (1, 5, 8))),
    Case(ops.Add("relu"), ((1, 5, 8), (8,))),
    Case(ops.Add("relu6"), ((1, 5, 8),), ((1, 5, 8),)),
    Case(ops.Attention(1, 0.3), ((1, 7, 5), (1, 7, 5), (1, 7, 5))),
    Case(ops.Attention(4, 0.5), ((1, 1, 16), (1, 33, 16), (1, 33, 16))),
    Case(ops.AveragePool2D((3, 2), (2, 2), "same"), ((1, 9, 8, 3),)),
    Case(ops.AveragePool2D((2, 2), (2, 2)), ((1, 8, 8, 4),)),
    Case(ops.BatchMatmul(), ((2, 5, 9), (2, 9, 7))),
    Case(ops.BatchMatmul(adj_x=True), ((2, 9, 5), (2, 9, 7))),
    Case(ops.BatchMatmul(adj_y=True), ((2, 5, 9), (2, 7, 9))),
    Case(ops.Concatenation(1), ((1, 3, 4), (1, 1, 4))),
    Case(ops.Concatenation(1), ((1, 3, 4),), ((1, 1, 4),)),
    Case(ops.Conv2D(), ((1, 8, 9, 3),), ((5, 3, 2, 3), (5,))),
    Case(ops.Conv2D((2, 1), (1, 2), "same", "relu6"), ((1, 8, 9, 3),), ((5, 3, 3, 3), (5,))),
    Case(ops.DepthwiseConv2D(padding="same"), ((1, 8, 9, 4),), ((1, 3, 3, 4), (4,))),
    Case(ops.DepthwiseConv2D((2, 2), activation="relu"), ((1, 8, 9, 4),), ((1, 3, 3, 8), (8,))),
    elementwise(ops.Atan()),
    elementwise(ops.Erf()),
    elementwise(ops.Round()),
    elementwise(ops.Exp()),
    elementwise(ops.Floor()),
    elementwise(ops.Sin()),
    Case(ops.FullyConnected(), ((1, 5, 40),), ((17, 40), (17,))),
    Case(ops.FullyConnected("relu"), ((3, 33),), ((8, 33),)),
    Case(ops.FullyConnected("relu6"), ((1, 1, 1),), ((1, 1), (1,))),
    elementwise(ops.Gelu()),
    elementwise(ops.Gelu("tanh")),
    elementwise(ops.HardSwish()),
    Case(ops.Hypot(), ((1, 5, 8), (1, 5, 8))),
    elementwise(ops.L2Normalization()),
    Case(ops.LayerNorm(), ((1, 5, 40),), ((40,), (40,))),
    Case(ops.LayerNorm(1e-3), ((4, 3),), ((3,), (3,))),
    elementwise(ops.Logistic()),
    Case(ops.MaxPool2D((3, 2), (2, 2), "same"), ((1, 9, 8, 3),)),
    elementwise(ops.Mean((1,))),
    elementwise(ops.Mean((2,), keepdims=True)),
    Case(ops.Mul(), ((1, 5, 8), (1, 5, 8))),
    Case(ops.Mul("relu"), ((1, 5, 8),), ((8,),)),
    elementwise(ops.Neg()),
    elementwise(ops.Pad(((0, 0), (1, 2), (0, 3)))),
    elementwise(ops.Quantize()),
    elementwise(ops.Relu()),
    elementwise(ops.Relu6()),
    elementwise(ops.Reshape((17, 5))),
    Case(ops.RmsNorm(), ((1, 5, 40),), ((40,),)),
    Case(ops.ResizeBilinear((9, 4)), ((1, 7, 5, 3),)),
    elementwise(ops.Rsqrt()),
    elementwise(ops.Silu()),
    elementwise(ops.Softmax()),
    elementwise(ops.Softmax(0.37)),
    elementwise(ops.Softplus()),
    elementwise(ops.Sqrt()),
    elementwise(ops.Square()),
    elementwise(ops.Step()),
    elementwise(ops.StridedSlice((0, 1, 2), (1, 5, 16), (1, 2, 3))),
    Case(ops.Sub("relu"), ((1, 5, 8), (1, 5, 8))),
    elementwise(ops.TableSoftmax(1.0)),
    elementwise(ops.Tanh()),
    elementwise(ops.Transpose((2, 0, 1))),
]

RUNS = [(case, bits) for case in CASES for bits in sorted(case.op.activation_bits & {8, 16})]
WITHOUT_CASE = {"wide_exp", "wide_softmax", "lif", "linear_recurrence", "lmu", "shift_in"}
"""Only imported integer graphs hold the first, 8 bits in and 16 out; tests/frontends runs those. Recurrences are exact:
tests/ops/test_recurrences.py. Rings are states: tests/compiler/test_stream.py."""
MORE_STEPS = {("layer_norm", 16): 3, ("rms_norm", 16): 3, ("table_softmax", 16): 4, ("resize_bilinear", 16): 288}
"""How far the integer arithmetic of 16 bits is itself from exact: norms keep 16 bits of the normalized row, the softmax
reads tables of 513 entries, and resizing keeps 10 fraction bits of a ratio, which nine rows multiply (4.5 / 1024 of the
range)."""


def quantized(case: Case, rng: np.random.Generator, bits: int) -> Graph:
    """The op on operands of random magnitude, often a power of two."""
    b = GraphBuilder("case")
    inputs = [b.input(f"in{i}", shape) for i, shape in enumerate(case.inputs)]
    consts = [b.const((magnitude(rng) * rng.normal(size=shape)).astype(np.float32)) for shape in case.consts]
    graph = b.graph(b.op(case.op, *inputs, *consts, name="y"))
    scales = [magnitude(rng) for _ in inputs]
    samples = [
        tuple((s * rng.normal(size=v.shape)).astype(np.float32) for s, v in zip(scales, inputs, strict=True))
        for _ in range(4)
    ]
    return apply_plan(graph, make_plan(graph, calibrate(graph, samples, "minmax"), QuantRecipe(bits, "minmax")))


def magnitude(rng: np.random.Generator) -> float:
    exponent = rng.uniform(-3, 3)
    return float(2.0 ** (np.round(exponent) if rng.random() < 0.5 else exponent))


def steps(graph: Graph, rng: np.random.Generator) -> list[Arrays]:
    """Random integers, both rails, rails mixed at random, and all zero points."""

    def each(make: object) -> Arrays:
        return tuple(make(v.type).astype(v.type.dtype) for v in graph.inputs)  # type: ignore[operator]

    return [
        each(lambda t: rng.integers(t.qmin, t.qmax + 1, t.shape)),
        each(lambda t: np.full(t.shape, t.qmin)),
        each(lambda t: np.full(t.shape, t.qmax)),
        each(lambda t: rng.choice([t.qmin, t.qmax], t.shape)),
        each(lambda t: np.full(t.shape, t.zero_point)),
    ]


@pytest.mark.parametrize(("case", "bits"), RUNS, ids=str)
def test_op_is_within_one_step(case: Case, bits: int) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        graph = quantized(case, rng, bits)
        differences = tensor_differences(graph, write_onnx(graph), steps(graph, rng))
        assert [*differences] == [*(v.name for v in graph.inputs), "y"]
        assert max(differences.values()) <= MORE_STEPS.get((case.op.name, bits), 1), (seed, differences)


def test_every_op_with_an_onnx_form_has_a_case() -> None:
    with_form = {name for name, op in ops.REGISTRY.items() if op.has_form("onnx")}
    assert {case.op.name for case in CASES} == with_form - WITHOUT_CASE
