"""Integer graphs of one op each, with random shapes and quantization parameters."""

from collections.abc import Callable

import numpy as np

from edgetx import ops
from edgetx.ir import Array, Graph, GraphBuilder, OpLike, QuantParams, TensorType, Value
from edgetx.ops.quant_rule import Bias, Weight

WIDTHS = (1, 3, 4, 5, 8, 15, 16, 17, 33)

Case = Callable[[np.random.Generator], Graph]


def any_quant(rng: np.random.Generator, low: float = 1e-3, high: float = 0.3) -> QuantParams:
    """A scale between the bounds, often a power of two, and any zero point."""
    scale = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if rng.random() < 0.4:
        scale = 2.0 ** np.round(np.log2(scale))
    return QuantParams((float(np.float32(scale)),), int(rng.choice([-128, 127, 0, rng.integers(-128, 128)])))


def finished(b: GraphBuilder, op: OpLike, *inputs: Value, quant: QuantParams) -> Graph:
    return b.graph(b.op(op, *inputs, quant=("int8", quant)))


def unary(op: OpLike, quant: QuantParams | None = None, low: float = 1e-3, high: float = 0.3) -> Case:
    def case(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("unary")
        x = b.input("x", (1, int(rng.choice(WIDTHS)), int(rng.choice(WIDTHS))), "int8", any_quant(rng, low, high))
        return finished(b, op, x, quant=quant or any_quant(rng))

    return case


def keeping(make: Callable[[tuple[int, ...]], OpLike]) -> Case:
    """An op whose result has the quantization of its operand."""

    def case(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("keeping")
        shape = (1, int(rng.choice(WIDTHS)), int(rng.choice(WIDTHS)), int(rng.choice(WIDTHS)))
        x = b.input("x", shape, "int8", any_quant(rng))
        return finished(b, make(shape), x, quant=x.type.per_tensor)

    return case


def binary(op: OpLike) -> Case:
    def case(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("binary")
        rows, width = int(rng.choice(WIDTHS)), int(rng.choice(WIDTHS))
        other = [(1, rows, width), (width,), (1, rows, 1), (1, 1, width)][rng.integers(4)]
        x = b.input("x", (1, rows, width), "int8", any_quant(rng))
        y = b.input("y", other, "int8", any_quant(rng))
        return finished(b, op, x, y, quant=any_quant(rng))

    return case


def weighted(op: OpLike, weight_shape: Callable[[int, int], tuple[int, ...]], rank: int, bias: bool = True) -> Case:
    def case(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("weighted")
        depth, channels = int(rng.choice(WIDTHS)), int(rng.choice(WIDTHS))
        x = b.input("x", (1, *[8] * (rank - 2), depth), "int8", any_quant(rng))
        return finished(b, op, x, *_weights(b, rng, op, x, weight_shape(depth, channels), bias), quant=any_quant(rng))

    return case


def _weights(
    b: GraphBuilder, rng: np.random.Generator, op: OpLike, x: Value, shape: tuple[int, ...], bias: bool
) -> list[Value]:
    axis = 3 if isinstance(op, ops.DepthwiseConv2D) else 0
    integers, quant = Weight(axis).quantize(rng.normal(0, rng.uniform(0.01, 2), shape), [], x.type)
    w = b.const(integers, "w", quant)
    if not bias:
        return [w]
    integers, quant = Bias().quantize(rng.normal(0, 1, shape[axis]), [x.type, w.type], x.type)
    return [w, b.const(integers, "b", quant)]


def matmul(op: ops.BatchMatmul) -> Case:
    def case(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("matmul")
        rows, depth, columns = (int(rng.choice(WIDTHS)) for _ in range(3))
        heads = int(rng.integers(1, 4))
        x = b.input("x", (heads, depth, rows) if op.adj_x else (heads, rows, depth), "int8", any_quant(rng))
        batch = heads if rng.random() < 0.7 else 1
        shape = (batch, columns, depth) if op.adj_y else (batch, depth, columns)
        return finished(b, op, x, b.input("y", shape, "int8", any_quant(rng)), quant=any_quant(rng, 0.01, 10))

    return case


def concatenation(rng: np.random.Generator) -> Graph:
    b = GraphBuilder("concatenation")
    quant, width = any_quant(rng), int(rng.choice(WIDTHS))
    x, y = (b.input(n, (1, int(rng.choice(WIDTHS)), width), "int8", quant) for n in "xy")
    return finished(b, ops.Concatenation(1), x, y, quant=quant)


def every_other(shape: tuple[int, ...]) -> ops.StridedSlice:
    return ops.StridedSlice((0,) * len(shape), shape, (1, 2, 1, 2))


def pool(op: OpLike) -> Case:
    def case(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("pool")
        x = b.input("x", (1, 9, 8, int(rng.choice(WIDTHS))), "int8", any_quant(rng))
        return finished(b, op, x, quant=x.type.per_tensor)

    return case


CASES: dict[str, Case] = {
    "add": binary(ops.Add()),
    "add_relu": binary(ops.Add("relu")),
    "average_pool_2d": pool(ops.AveragePool2D((3, 2), (2, 2), "same")),
    "batch_matmul": matmul(ops.BatchMatmul()),
    "batch_matmul_adj_x": matmul(ops.BatchMatmul(adj_x=True)),
    "batch_matmul_adj_y": matmul(ops.BatchMatmul(adj_y=True)),
    "concatenation": concatenation,
    "conv_2d": weighted(ops.Conv2D(), lambda depth, channels: (channels, 3, 2, depth), 4),
    "conv_2d_same": weighted(
        ops.Conv2D((2, 1), (1, 2), "same", "relu6"), lambda depth, channels: (channels, 3, 3, depth), 4
    ),
    "depthwise_conv_2d": weighted(ops.DepthwiseConv2D(padding="same"), lambda depth, _: (1, 3, 3, depth), 4),
    "depthwise_multiplier": weighted(ops.DepthwiseConv2D(), lambda depth, _: (1, 3, 3, 2 * depth), 4),
    "exp": unary(ops.Exp()),
    "fully_connected": weighted(ops.FullyConnected(), lambda depth, channels: (channels, depth), 3),
    "fully_connected_relu": weighted(ops.FullyConnected("relu"), lambda depth, channels: (channels, depth), 3),
    "fully_connected_no_bias": weighted(ops.FullyConnected(), lambda depth, channels: (channels, depth), 3, False),
    "gelu": unary(ops.Gelu()),
    "hard_swish": unary(ops.HardSwish(), high=0.03),
    "l2_normalization": unary(ops.L2Normalization(), QuantParams((1 / 128,))),
    "logistic": unary(ops.Logistic(), QuantParams((1 / 256,), -128)),
    "max_pool_2d": pool(ops.MaxPool2D((3, 2), (2, 2))),
    "mean_features": unary(ops.Mean((2,), keepdims=True)),
    "mean_tokens": unary(ops.Mean((1,))),
    "mul": binary(ops.Mul()),
    "pad": keeping(lambda shape: ops.Pad(((0, 0), (1, 2), (0, 3), (0, 0)))),
    "quantize": unary(ops.Quantize()),
    "relu": unary(ops.Relu()),
    "relu6": keeping(lambda shape: ops.Relu6()),
    "reshape": keeping(lambda shape: ops.Reshape((1, int(np.prod(shape))))),
    "rsqrt": unary(ops.Rsqrt()),
    "silu": unary(ops.Silu()),
    "softmax": unary(ops.Softmax(), QuantParams((1 / 256,), -128)),
    "softmax_beta": unary(ops.Softmax(0.37), QuantParams((1 / 256,), -128)),
    "sqrt": unary(ops.Sqrt()),
    "square": unary(ops.Square()),
    "strided_slice": keeping(every_other),
    "sub": binary(ops.Sub()),
    "tanh": unary(ops.Tanh(), QuantParams((1 / 128,))),
    "transpose": keeping(lambda shape: ops.Transpose((0, 3, 1, 2))),
}


def every_pair(op: OpLike, rng: np.random.Generator) -> Graph:
    """A binary op over all pairs of operands, between which random shapes leave gaps."""
    b = GraphBuilder("every_pair")
    x = b.input("x", (256, 1), "int8", any_quant(rng))
    y = b.input("y", (1, 256), "int8", any_quant(rng))
    reach = (
        x.type.scale * y.type.scale * 128
        if isinstance(op, ops.Mul | ops.BatchMatmul)
        else max(x.type.scale, y.type.scale)
    )
    scale = float(np.float32(reach * rng.uniform(0.01, 2)))
    return finished(b, op, x, y, quant=QuantParams((scale,), int(rng.integers(-128, 128))))


def matmul_with_sums(sums: Array, rng: np.random.Generator) -> tuple[Graph, list[Array]]:
    """A product of a row and a matrix, and operands for which the sums are those given, at most 16,000 in size."""
    b = GraphBuilder("matmul_with_sums")
    scales = [QuantParams((float(np.float32(rng.uniform(1e-3, 0.1))),)) for _ in range(3)]
    quotient, rest = np.divmod(sums, 127)
    parts = [np.clip(quotient - 127 * np.sign(quotient) * i, -127, 127) for i in range(2)]
    parts = [np.where(np.sign(part) == np.sign(quotient), part, 0) for part in parts]
    operands = [np.array([[127, 127, 1]]), np.stack([*parts, rest])]
    x, y = (b.input(n, q.shape, "int8", scale) for n, q, scale in zip("xy", operands, scales, strict=False))
    scale = float(np.float32(scales[0].scale[0] * scales[1].scale[0] * 16_000 / 127))
    return finished(b, ops.BatchMatmul(), x, y, quant=QuantParams((scale,))), [q.astype(np.int8) for q in operands]


def every_input(graph: Graph) -> list[Array]:
    """All integers for each input of 256 elements."""
    return [np.arange(-128, 128).astype(np.int8).reshape(value.shape) for value in graph.inputs]


def any_inputs(rng: np.random.Generator, graph: Graph) -> list[Array]:
    return [_any_input(rng, value.type) for value in graph.inputs]


def _any_input(rng: np.random.Generator, tensor: TensorType) -> Array:
    """Integers of the whole range, with runs of rails and of zero points."""
    x = rng.integers(-128, 128, tensor.shape)
    style = rng.integers(4)
    if style == 0:
        x = np.where(rng.random(tensor.shape) < 0.5, np.where(x > 0, 127, -128), x)
    elif style == 1:
        x = np.clip(tensor.zero_point + x // 32, -128, 127)
    elif style == 2:
        x[..., :1] = tensor.zero_point
    return x.astype(np.int8)
