"""Small clip models of every kind that streams, quantized, with their streaming form."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from architectures import recipe

from edgetx.compiler.quantized import quantize_model
from edgetx.frontends.torch import export_module
from edgetx.ir import Array, Arrays, Graph, GraphBuilder, Value
from edgetx.nn import build
from edgetx.ops import (
    Add,
    Attention,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Gather,
    MaxPool2D,
    Mean,
    Pad,
    Relu,
    Reshape,
)
from edgetx.passes.streaming import Stream, Streamed
from edgetx.quant import QuantRecipe
from edgetx.reference import execute, initial_state

FRAMES, FEATURES, CLASSES = 24, 6, 3


@dataclass(frozen=True)
class Pair:
    """A clip model in integers, and the same hop by hop."""

    clip: Graph
    streamed: Streamed

    def cut(self, x: Array) -> list[Array]:
        """Frames [1, N, …] as hops."""
        return cut(self.streamed, x)


def conv_model(kind: str) -> Graph:
    """A float graph [1, frames, features] to logits by convolutions along time."""
    rng = np.random.default_rng(0)
    b = GraphBuilder(kind)

    def weight(*shape: int) -> Value:
        return b.const(rng.normal(0, 0.4, shape).astype(np.float32), "w")

    def padded(x: Value, before: int, after: int) -> Value:
        return b.op(Pad(((0, 0), (before, after), (0, 0), (0, 0))), x)

    x = b.op(Reshape((1, FRAMES, 1, FEATURES)), b.input("x", (1, FRAMES, FEATURES)))
    match kind:
        case "causal":
            x = b.op(Conv2D(activation="relu"), padded(x, 2, 0), weight(8, 3, 1, FEATURES))
            x = b.op(Add(), x, b.op(Conv2D(dilation=(2, 1)), padded(x, 4, 0), weight(8, 3, 1, 8)))
        case "valid":
            x = b.op(Conv2D(activation="relu"), x, weight(8, 3, 1, FEATURES))
            x = b.op(AveragePool2D((2, 1), (1, 1)), b.op(DepthwiseConv2D(), x, weight(1, 4, 1, 8)))
        case "same":
            x = b.op(Conv2D(padding="same", activation="relu"), x, weight(8, 3, 1, FEATURES))
            x = b.op(Add(), x, b.op(Conv2D(padding="same", dilation=(2, 1)), x, weight(8, 3, 1, 8)))
        case "strided":
            x = b.op(Conv2D(stride=(2, 1)), x, weight(8, 5, 1, FEATURES))
            x = b.op(Relu(), b.op(MaxPool2D((3, 1), (2, 1)), x))
        case "stacked":
            x = b.op(
                Reshape((1, FRAMES // 4, 1, 4 * FEATURES)), b.op(Conv2D(), padded(x, 1, 0), weight(FEATURES, 2, 1, 6))
            )
            x = b.op(Conv2D(), padded(x, 1, 0), weight(8, 2, 1, 4 * FEATURES))
        case "repeated":
            x = b.op(Conv2D(stride=(2, 1), activation="relu"), padded(x, 1, 0), weight(8, 2, 1, FEATURES))
            x = b.op(Gather(1, tuple(i // 2 for i in range(2 * x.shape[1]))), x)
        case "spread":
            x = b.op(Conv2D(stride=(2, 1), activation="relu"), padded(x, 1, 0), weight(8, 2, 1, FEATURES))
            x = b.op(Reshape((1, 2 * x.shape[1], 1, 4)), x)
        case "continued":
            x = b.op(Gather(1, (0, 0, *range(FRAMES), FRAMES - 1)), x)
            x = b.op(Conv2D(activation="relu"), x, weight(8, 4, 1, FEATURES))
    x = b.op(Reshape((1, x.shape[1], x.shape[3])), x)
    if kind == "attention":
        q, k, v = (b.op(FullyConnected(), x, weight(8, FEATURES)) for _ in range(3))
        x = b.op(Attention(2, 0.5, (5, 1)), q, k, v)
    y = b.op(FullyConnected(), b.op(Mean((1,)), x), weight(CLASSES, x.shape[-1]))
    return b.graph(y)


_SMALL = {"width": 16, "layers": 1, "mlp": 24}
_ENCODERS = {
    "encoder": ("poolformer-micro", {**_SMALL, "positions": "none", "causal": True}),
    "window": ("masformer-micro", {**_SMALL, "mixer": ["window(3)"], "positions": "none", "causal": True}),
    "lmu": ("lmuformer-causal", {**_SMALL, "mixer": ["lmu(8, 12)"]}),
    "spiking": ("spiking-lmuformer-causal", {**_SMALL, "mixer": ["spiking_lmu(8, 12)"]}),
}


def _encoder(kind: str) -> Graph:
    """A causal encoder without positions, exported from torch."""
    name, options = _ENCODERS[kind]
    r = recipe(name, options, clip_ms=500.0)
    return export_module(build(r).eval(), np.zeros((1, *r.input_shape), np.float32), "encoder")


SMALL = (
    "causal", "valid", "same", "strided", "stacked", "repeated", "spread", "continued", "attention", "encoder",
    "window", "lmu", "spiking",
)  # fmt: skip


@cache
def pair_of(kind: str) -> Pair:
    """A model by its kind."""
    graph = _encoder(kind) if kind in _ENCODERS else conv_model(kind)
    x = np.random.default_rng(1).normal(size=(16, *graph.inputs[0].shape[1:])).astype(np.float32)
    clip = quantize_model(graph, x, QuantRecipe()).graph
    return Pair(clip, Stream().streamed(clip))


def audio_frames(clip: Graph, frames: int, seed: int = 0) -> Array:
    """Quantized noise [1, frames, features] in the range of the input."""
    (value,) = clip.inputs
    return np.random.default_rng(seed).integers(-128, 128, (1, frames, *value.shape[2:])).astype(value.type.dtype)


def cut(streamed: Streamed, x: Array) -> list[Array]:
    """Frames [1, N, …] as hops."""
    return [x[:, i : i + streamed.hop] for i in range(0, x.shape[1] - streamed.hop + 1, streamed.hop)]


def hops(streamed: Streamed, x: Array, observed: Value | None = None) -> Iterator[Arrays]:
    """What the integer reference gives for each hop of [1, N, …], from a reset on."""
    graph = streamed.graph if observed is None else replace(streamed.graph, outputs=(observed,))
    state = initial_state(graph)
    for hop in cut(streamed, x):
        yield execute(graph, [hop], state)
