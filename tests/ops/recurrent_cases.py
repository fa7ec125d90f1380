"""Graphs of one recurrence each, with random quantization and contents from a seed, and the same cut into hops."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgetx import ops
from edgetx.ir import Array, DType, Graph, GraphBuilder, QuantParams, Value
from edgetx.ops.lif import Gain, Shift
from edgetx.ops.linear_recurrence import DECAY

WIDTHS = (1, 3, 4, 5, 8, 17, 33)
DTYPES: tuple[DType, ...] = ("int8", "int16")


@dataclass(frozen=True)
class RecurrentCase:
    """A recurrence with everything but its numbers."""

    name: str
    make: Callable[[np.random.Generator], Graph]

    def __str__(self) -> str:
        return self.name

    def graph(self, seed: int) -> Graph:
        return self.make(np.random.default_rng(seed))


def any_input(b: GraphBuilder, rng: np.random.Generator, name: str, shape: tuple[int, ...], dtype: DType) -> Value:
    fine = 2.0**-8 if dtype == "int16" else 1.0
    scale = rng.choice([2.0 ** -rng.integers(3, 8), rng.uniform(0.005, 0.1)]) * fine
    zero_point = 0 if dtype == "int16" else int(rng.choice([0, -128, 127, rng.integers(-128, 128)]))
    return b.input(name, shape, dtype, QuantParams((float(np.float32(scale)),), zero_point))


def _named(quantized: tuple[Array, QuantParams], name: str) -> tuple[Array, str, QuantParams]:
    return quantized[0], name, quantized[1]


def lmu(steps: int, order: int, dtype: DType, theta: float = 24.0) -> RecurrentCase:
    def make(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("lmu")
        u = any_input(b, rng, "u", (1, steps, 1), dtype)
        span = u.type.scale * (2**15 if dtype == "int16" else 2**7)
        state = QuantParams((float(np.float32(span * rng.choice([0.1, 1.0, 4.0]) / 2**15)),))
        start = b.input("m0", (1, order), "int16", state)
        return b.graph(*b.ops(ops.Lmu(order, theta), u, start, quants=[("int16", state)] * 2))

    return RecurrentCase(f"lmu_{steps}x{order}_{dtype}", make)


def lif(
    steps: int, channels: int, dtype: DType, *, affine: bool = True, threshold: float = 1.0, tau: float = 2.0
) -> RecurrentCase:
    def make(rng: np.random.Generator) -> Graph:
        b, op = GraphBuilder("lif"), ops.Lif(threshold, tau)
        x = any_input(b, rng, "x", (1, steps, channels), dtype)
        real = rng.normal(0, rng.choice([0.3, 1.0, 10.0]), channels) if affine else np.ones(channels)
        gain = b.const(*_named(Gain(op.unit).quantize(real, [x.type], x.type), "gain"))
        offsets = rng.normal(0, 0.5, channels) * affine
        shift = b.const(*_named(Shift(op.unit).quantize(offsets, [x.type, gain.type], x.type), "shift"))
        fixed = op.quant_rule().fixed
        start = b.input("v0", (1, channels), "int16", fixed[1][1])
        quants = [("int8", fixed[0][1]), ("int16", fixed[1][1])]
        return b.graph(*b.ops(op, x, gain, shift, start, quants=quants))

    return RecurrentCase(f"lif_{steps}x{channels}_{affine}_{threshold}_{tau}_{dtype}", make)


def linear_recurrence(steps: int, shape: tuple[int, ...], repeated: int, dtype: DType) -> RecurrentCase:
    def make(rng: np.random.Generator) -> Graph:
        b = GraphBuilder("linear_recurrence")
        kept = shape[: len(shape) - repeated] + (1,) * repeated
        decay = b.input("decay", (1, steps, *kept), "int16", DECAY)
        x = any_input(b, rng, "x", (1, steps, *shape), dtype)
        span = x.type.scale * (2**15 if dtype == "int16" else 2**7)
        state = QuantParams((float(np.float32(span * rng.choice([0.5, 2.0, 30.0]) / 2**15)),))
        start = b.input("s0", (1, *shape), "int16", state)
        return b.graph(*b.ops(ops.LinearRecurrence(), decay, x, start, quants=[("int16", state)] * 2))

    return RecurrentCase(f"linear_recurrence_{steps}x{shape}_{repeated}_{dtype}", make)


def contents(graph: Graph, seed: int) -> list[Array]:
    """Integers for the inputs: noise, rails, one rail throughout, small values, and ties of the halving."""
    rng = np.random.default_rng(seed)
    made = []
    for value in graph.inputs:
        kind = value.type
        noise = rng.integers(kind.qmin, kind.qmax + 1, kind.shape)
        rail = kind.qmax if seed % 2 else kind.qmin
        styles = [noise, rng.choice([kind.qmin, kind.qmax], kind.shape), np.full(kind.shape, rail), noise // 64,
                  kind.zero_point + rng.integers(-2, 3, kind.shape)]  # fmt: skip
        made.append(np.clip(styles[seed % 5], kind.qmin, kind.qmax).astype(kind.dtype))
    return made


def one_step(graph: Graph) -> Graph:
    """The same recurrence over a single step."""
    (node,) = graph.nodes
    stepped = {v.name: replace(v, type=v.type.with_shape((1, 1, *v.shape[2:]))) for v in graph.inputs[:-1]}
    inputs = tuple(stepped.get(v.name, v) for v in graph.inputs)
    first, last = node.outputs
    outputs = (replace(first, type=first.type.with_shape((1, 1, *first.shape[2:]))), last)
    operands = tuple(stepped.get(v.name, v) for v in node.inputs)
    return Graph(graph.name, inputs, outputs, (replace(node, inputs=operands, outputs=outputs),), graph.consts)


CASES = [
    *(lmu(steps, order, dtype) for steps, order in [(1, 1), (9, 4), (7, 17), (30, 33)] for dtype in DTYPES),
    lmu(40, 64, "int8", 128.0),
    *(lif(6, channels, dtype) for channels in WIDTHS for dtype in DTYPES),
    *(lif(9, 5, dtype, affine=False) for dtype in DTYPES),
    lif(1, 4, "int8"),
    *(lif(12, 8, "int8", threshold=t, tau=tau) for t, tau in [(0.5, 2.0), (3.0, 1.0), (1.0, 1.5), (0.7, 20.0)]),
    *(linear_recurrence(5, (n,), 0, dtype) for n in WIDTHS for dtype in DTYPES),
    *(linear_recurrence(7, (2, 3, 5), n, "int16") for n in range(4)),
    linear_recurrence(1, (4, 4), 1, "int8"),
]
