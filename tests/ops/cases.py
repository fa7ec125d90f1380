"""One op each, with shapes around the boundaries of kernels; scales, zero points and contents come from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from edgetx import ops
from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, DType, Graph, GraphBuilder, QuantParams, TensorType, Value
from edgetx.ops import Op
from edgetx.ops.quant_rule import Result

Shape = tuple[int, ...]
WIDTHS = (1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33)


@dataclass(frozen=True)
class Case:
    """An op, the shapes of its activations and of its constants, and the width of activations."""

    name: str
    op: Op
    inputs: tuple[Shape, ...]
    consts: tuple[Shape, ...] = ()
    dtype: DType = "int8"

    def __str__(self) -> str:
        return f"{self.name}-{self.dtype}"

    def graph(self, seed: int) -> Graph:
        """An integer graph of the one op."""
        return _Maker(self, np.random.default_rng(seed)).graph()

    def float_graph(self, seed: int) -> Graph:
        """A float graph of the one op."""
        rng = np.random.default_rng(seed)
        b = GraphBuilder(self.name)
        xs = [b.input("x", shape) for shape in self.inputs]
        consts = [b.const(rng.normal(0, 1, shape).astype(np.float32)) for shape in self.consts]
        return b.graph(b.op(self.op, *xs, *consts))


@dataclass(frozen=True)
class WideCase(Case):
    """A case whose result is of 16 bits."""

    def graph(self, seed: int) -> Graph:
        rng = np.random.default_rng(seed)
        b = GraphBuilder(self.name)
        xs = [b.input("x", shape, self.dtype, any_quant(rng, self.dtype)) for shape in self.inputs]
        result = cast(Mapping[int, QuantParams], self.op.quant_rule().result)[16]
        return b.graph(b.op(self.op, *xs, quant=("int16", result)))


@dataclass(frozen=True)
class LowestCase(Case):
    """A case some of whose weights are -128."""

    def graph(self, seed: int) -> Graph:
        graph, rng = super().graph(seed), np.random.default_rng(seed)
        consts = {
            name: np.where(rng.random(x.shape) < 0.1, -128, x).astype(np.int8) if x.dtype == np.int8 else x
            for name, x in graph.consts.items()
        }
        return replace(graph, consts=consts)


def contents(graph: Graph, seed: int) -> list[Array]:
    """Integers for the inputs: noise, rails, equal rows and rows of one spike in turn."""
    rng = np.random.default_rng(seed)
    return [_content(value.type, rng, seed % 5) for value in graph.inputs]


def _content(kind: TensorType, rng: np.random.Generator, style: int) -> Array:
    low, high = kind.qmin, kind.qmax
    noise = rng.integers(low, high + 1, kind.shape)
    rows = rng.integers(low, high + 1, (*kind.shape[:-1], 1))
    spike = np.where(np.arange(kind.shape[-1]) == kind.shape[-1] // 2, high, low)
    made = [noise, rng.choice([low, high], kind.shape), noise * 0 + rows, noise * 0 + spike, noise // 16]
    return made[style].astype(kind.dtype)


def any_quant(rng: np.random.Generator, dtype: DType, *, symmetric: bool = False) -> QuantParams:
    """Any scale and zero point; ratios of scales often make ties, exactly or but for the precision of the scales."""
    fine = 1 / 256 if dtype == "int16" else 1
    scale = fine * rng.choice([np.exp(rng.uniform(np.log(2e-3), np.log(0.2))), 2.0 ** -rng.integers(2, 9), tenth(rng)])
    zero_point = 0 if symmetric or dtype == "int16" else rng.choice([-128, 127, 0, rng.integers(-128, 128)])
    return QuantParams((float(np.float32(scale)),), int(zero_point))


def tenth(rng: np.random.Generator) -> float:
    """A scale with few decimals."""
    return float(rng.choice([0.15, 0.1, 0.3, 0.25, 0.05, 0.07, 0.03]) * 2.0 ** -rng.integers(0, 4))


class _Maker:
    def __init__(self, case: Case, rng: np.random.Generator) -> None:
        self.case, self.rng, self.b = case, rng, GraphBuilder(case.name)
        self.rule = case.op.quant_rule()

    def graph(self) -> Graph:
        case, rule = self.case, self.rule
        shared = any_quant(self.rng, case.dtype, symmetric=bool(rule.symmetric))
        quants = [
            shared if rule.shared else any_quant(self.rng, case.dtype, symmetric=index in rule.symmetric)
            for index in range(len(case.inputs))
        ]
        xs = [self.b.input("x", s, case.dtype, q) for s, q in zip(case.inputs, quants, strict=True)]
        reals = [self.rng.normal(0, self.rng.uniform(0.1, 2), shape).astype(np.float32) for shape in case.consts]
        out = TensorType((1,), case.dtype, self._result(xs, reals))
        types = [x.type for x in xs]
        consts: list[Value] = []
        for index, real in enumerate(reals, len(xs)):
            data, params = self._const(index, real, types, out)
            consts.append(self.b.const(data, "c", params))
            types.append(consts[-1].type)
        return self.b.graph(self.b.op(case.op, *xs, *consts, quant=(case.dtype, out.quant)))

    def _const(self, index: int, real: Array, types: list[TensorType], out: TensorType) -> tuple[Array, QuantParams]:
        if index in self.rule.consts:
            return self.rule.consts[index].quantize(real, types, out)
        quant = any_quant(self.rng, self.case.dtype)
        return quantize(real, quant.scale[0], quant.zero_point, self.case.dtype), quant

    def _result(self, xs: list[Value], reals: list[Array]) -> QuantParams:
        rule, dtype = self.rule, self.case.dtype
        if isinstance(rule.result, Mapping):
            return cast(Mapping[int, QuantParams], rule.result)[8 if dtype == "int8" else 16]
        if rule.result is Result.SAME_AS_INPUT or rule.shared:
            return xs[0].type.per_tensor
        noise = (_content(x.type, self.rng, 0) for x in xs)
        floats = [dequantize(q, x.type.scale, x.type.zero_point) for q, x in zip(noise, xs, strict=True)]
        (y,) = self.case.op.float_ref(*floats, *reals)
        low, high = min(0.0, float(y.min())), max(0.0, float(y.max()), 1e-3)
        spread = self.rng.choice([0.7, 1.0, 1.5])
        exact = max(-low, high) / 32767 if dtype == "int16" else (high - low) / 255
        octave = 2.0 ** np.round(np.log2(exact))
        scale = float(np.float32(self.rng.choice([exact * spread, octave, octave * 1.2])))
        if dtype == "int16":
            return QuantParams((scale,))
        return QuantParams((scale,), int(np.clip(round(-128 - low / scale), -128, 127)))


def _both(name: str, op: Op, inputs: tuple[Shape, ...], consts: tuple[Shape, ...] = ()) -> list[Case]:
    return [Case(name, op, inputs, consts, dtype) for dtype in ("int8", "int16")]


def _fully_connected() -> list[Case]:
    sizes = [*((n, 5) for n in WIDTHS), *((7, n) for n in WIDTHS)]
    op = ops.FullyConnected
    cases = [Case(f"fully_connected_{i}x{o}", op(), ((1, 3, i),), ((o, i), (o,))) for i, o in sizes]
    once = op(rounding="once")
    cases += [Case(f"fully_connected_once_{i}x{o}", once, ((1, 3, i),), ((o, i), (o,))) for i, o in sizes]
    cases += _both("fully_connected_relu", op("relu"), ((1, 3, 16),), ((8, 16), (8,)))
    return cases + _both("fully_connected_bare", op("relu6"), ((2, 33),), ((9, 33),))


def _elementwise() -> list[Case]:
    pairs = [((1, n), (1, n)) for n in WIDTHS]
    pairs += [
        ((1, 3, 8), (8,)),
        ((1, 3, 8), (1, 3, 1)),
        ((1, 1, 8), (1, 3, 1)),
        ((2, 3, 4, 5), (3, 1, 5)),
        ((5,), (1,)),
    ]
    made = []
    for op in (ops.Add, ops.Sub, ops.Mul):
        for a, b in pairs:
            made += _both(f"{op.name}_{'x'.join(map(str, a))}_{'x'.join(map(str, b))}", op(), (a, b))
        made += _both(f"{op.name}_relu", op("relu"), ((1, 3, 8), (8,)))
        made += _both(f"{op.name}_const", op("relu6"), ((1, 3, 8),), ((8,),))
    for larger in (ops.Maximum, ops.Minimum):
        for a, b in pairs:
            made += _both(f"{larger.name}_{'x'.join(map(str, a))}_{'x'.join(map(str, b))}", larger(), (a, b))
    return made


def _pointwise() -> list[Case]:
    unary = (
        ops.Relu, ops.Relu6, ops.Gelu, ops.Silu, ops.HardSwish, ops.Logistic, ops.Tanh, ops.Exp, ops.Neg, ops.Sqrt,
        ops.Rsqrt, ops.Square, ops.Erf, ops.Abs, ops.Elu, ops.Softplus, ops.Log, ops.Step,
        ops.Floor, ops.Sin, ops.Atan, ops.Round,
    )  # fmt: skip
    made: list[tuple[str, Op]] = [(op.name, op()) for op in unary]
    made += [("gelu_tanh", ops.Gelu("tanh")), ("clip", ops.Clip(-0.5, 1.25))]
    made += [(f"leaky_relu_{alpha}", ops.LeakyRelu(alpha)) for alpha in (0.01, 0.3, 1.5, -0.5)]
    made += [(f"power_{exponent}", ops.Power(exponent)) for exponent in (-1.0, 3.0, 0.5, -1.5)]
    wide = Case("log", ops.Log(), ((1, 16, 64),), dtype="int16")
    hypots = _both("hypot", ops.Hypot(), ((1, 16, 64), (1, 16, 64)))
    return [wide, *hypots, *(Case(name, op, ((1, 16, 16),)) for name, op in made)]


def _rows() -> list[Case]:
    made = [Case(f"softmax_{n}", ops.Softmax(beta), ((1, 5, n),)) for n in WIDTHS for beta in (1.0, 0.5)]
    made += [Case(f"softmax_long_{rows}", ops.Softmax(0.01), ((1, rows, 600),)) for rows in (1, 3)]
    made += [Case(f"softmax_rows_{n}", ops.Softmax(beta), ((1, 140, n),)) for n in (8, 33) for beta in (1.0, 0.01)]
    made += [WideCase(f"wide_softmax_{n}", ops.WideSoftmax(beta), ((1, 5, n),)) for n in WIDTHS for beta in (1.0, 0.5)]
    made += [
        Case(f"table_softmax_{n}", ops.TableSoftmax(beta), ((1, 5, n),), dtype="int16")
        for n in WIDTHS
        for beta in (1.0, 0.5)
    ]
    made += [Case(f"l2_normalization_{n}", ops.L2Normalization(), ((1, 5, n),)) for n in WIDTHS]
    for n in (*WIDTHS, 64, 129, 257):
        made += _both(f"layer_norm_{n}", ops.LayerNorm(), ((1, 5, n),), ((n,), (n,)))
        made += _both(f"rms_norm_{n}", ops.RmsNorm(), ((1, 5, n),), ((n,),))
    return made


def _attention() -> list[Case]:
    lengths = [((n, n), 2, 8) for n in WIDTHS] + [((3, n), 1, 5) for n in (1, 64, 255, 256, 257, 512, 513)]
    made = [
        Case(f"attention_{s}x{t}_{h}x{d}", ops.Attention(h, d**-0.5), ((1, s, h * d), (1, t, h * d), (1, t, h * d)))
        for (s, t), h, d in lengths
    ]
    for span, first, s, t in [((2, 0), 0, 9, 9), ((0, 3), 0, 7, 7), ((4, 1), 4, 2, 7), ((300, 0), 0, 5, 5)]:
        op, shapes = ops.Attention(2, 0.4, span, first), ((1, s, 8), (1, t, 8), (1, t, 8))
        made.append(Case(f"attention_span_{span[0]}_{span[1]}", op, shapes))
    return made


def _windows() -> list[Case]:
    made = []
    for stride, dilation, padding in [((1, 1), (1, 1), "valid"), ((2, 1), (1, 2), "same"), ((3, 2), (2, 1), "same")]:
        name = f"{stride[0]}{stride[1]}_{dilation[0]}{dilation[1]}_{padding}"
        conv = ops.Conv2D(stride, dilation, padding, "relu")
        depthwise = ops.DepthwiseConv2D(stride, dilation, padding)
        made += _both(f"conv_2d_{name}", conv, ((1, 9, 7, 5),), ((3, 3, 2, 5), (3,)))
        made += _both(f"depthwise_conv_2d_{name}", depthwise, ((1, 9, 7, 5),), ((1, 3, 2, 10), (10,)))
        made += _both(f"depthwise_conv_2d_each_{name}", depthwise, ((1, 9, 7, 5),), ((1, 3, 2, 5), (5,)))
        made += _both(f"depthwise_conv_2d_of_one_{name}", depthwise, ((1, 9, 7, 1),), ((1, 3, 2, 6), (6,)))
    made += _both("conv_2d_single", ops.Conv2D(), ((1, 1, 8, 3),), ((1, 1, 3, 3),))
    for size, stride, padding in [((2, 2), (2, 2), "valid"), ((3, 2), (1, 2), "same"), ((7, 5), (2, 1), "same")]:
        name = f"{size[0]}{size[1]}_{padding}"
        made += _both(f"average_pool_2d_{name}", ops.AveragePool2D(size, stride, padding), ((1, 7, 5, 3),))
        made += _both(f"max_pool_2d_{name}", ops.MaxPool2D(size, stride, padding, "relu"), ((1, 7, 5, 3),))
    for size, align, centred in [((14, 10), False, True), ((5, 9), True, False), ((3, 2), False, False)]:
        name = f"resize_bilinear_{size[0]}{size[1]}"
        made += _both(name, ops.ResizeBilinear(size, align, centred), ((1, 7, 5, 3),))
    return made


def _matmul() -> list[Case]:
    made = []
    for n in WIDTHS:
        made += _both(f"batch_matmul_{n}", ops.BatchMatmul(), ((2, 3, n), (2, n, 4)))
    made += _both("batch_matmul_transposed", ops.BatchMatmul(True, True), ((2, 5, 3), (2, 4, 5)))
    return made + _both("batch_matmul_repeated", ops.BatchMatmul(adj_y=True), ((2, 3, 5), (1, 4, 5)))


def _reductions() -> list[Case]:
    made = []
    for axes, keepdims in [((1,), False), ((2,), True), ((1, 2), True), ((1, 2), False), ((3,), False)]:
        made += _both(f"mean_{axes}_{keepdims}", ops.Mean(axes, keepdims), ((1, 7, 5, 9),))
        made += _both(f"reduce_max_{axes}_{keepdims}", ops.ReduceMax(axes, keepdims), ((1, 7, 5, 9),))
    for n in WIDTHS:
        made += _both(f"mean_{n}", ops.Mean((1,)), ((1, n, 4),))
    return made


def _movement() -> list[Case]:
    made = _both("reshape", ops.Reshape((1, 6, 10)), ((1, 3, 4, 5),))
    for order in [(0, 2, 1, 3), (0, 3, 1, 2), (0, 1, 3, 2), (3, 2, 1, 0)]:
        made += _both(f"transpose_{order}", ops.Transpose(order), ((2, 3, 4, 5),))
    for begin, end, strides in [((0, 1, 2), (1, 5, 7), (1, 1, 1)), ((0, 0, 1), (1, 7, 9), (1, 3, 2))]:
        made += _both(f"strided_slice_{begin}", ops.StridedSlice(begin, end, strides), ((1, 7, 9),))
    for axis, (window, x) in enumerate((((5, 3, 4), (2, 3, 4)), ((2, 7, 4), (2, 3, 4)), ((1, 3, 9), (1, 3, 1)))):
        made += _both(f"shift_in_{axis}", ops.ShiftIn(axis), (window, x))
    for axis in range(3):
        made += _both(f"concatenation_{axis}", ops.Concatenation(axis), ((1, 3, 4), (1, 3, 4), (1, 3, 4)))
    made += _both("concatenation_uneven", ops.Concatenation(1), ((1, 1, 5), (1, 8, 5)))
    for axis, indices in [(1, (2, 0, 2, 1)), (2, (3,)), (0, (0, 0))]:
        made += _both(f"gather_{axis}", ops.Gather(axis, indices), ((1, 3, 4, 5),))
    made += _both("pad", ops.Pad(((0, 1), (1, 2), (3, 1), (2, 1))), ((1, 3, 4, 5),))
    return [*made, *_both("pad_1d", ops.Pad(((2, 3),)), ((4,),))]


CASES = [
    *_fully_connected(),
    *_elementwise(),
    *_pointwise(),
    *_rows(),
    *_attention(),
    *_windows(),
    *_matmul(),
    *_reductions(),
    *_movement(),
    *_both("quantize", ops.Quantize(), ((1, 7, 9),)),
]
