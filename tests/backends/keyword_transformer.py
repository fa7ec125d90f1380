"""A keyword transformer as a float graph, with random weights."""

from dataclasses import dataclass

import numpy as np

from edgetx import ops
from edgetx.ir import Array, Graph, GraphBuilder, Value


@dataclass(frozen=True)
class Shape:
    """Of the whole network; the defaults have 58k parameters."""

    tokens: int = 48
    features: int = 40
    width: int = 40
    heads: int = 1
    mlp: int = 80
    layers: int = 4
    classes: int = 12
    pre_norm: bool = True
    qkv_bias: bool = True
    class_token: bool = False
    trained_norms: bool = False


def keyword_transformer(shape: Shape, seed: int = 0) -> Graph:
    return _Network(shape, np.random.default_rng(seed)).graph()


class _Network:
    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        self.shape, self.rng = shape, rng
        self.b = GraphBuilder("kwt")

    def graph(self) -> Graph:
        s = self.shape
        x = self.b.input("x", (1, s.tokens, s.features))
        x = self.linear(x, s.width)
        if s.class_token:
            x = self.b.op(ops.Concatenation(1), self.const(self.normal(1, 1, s.width)), x)
        x = self.b.op(ops.Add(), x, self.const(0.1 * self.normal(*x.shape)))
        for _ in range(s.layers):
            x = self.block(x)
        x = self.norm(x) if s.pre_norm else x
        x = self.first_row(x) if s.class_token else self.b.op(ops.Mean((1,)), x)
        return self.b.graph(self.linear(x, s.classes))

    def block(self, x: Value) -> Value:
        for branch in (self.attention, self.perceptron):
            if self.shape.pre_norm:
                x = self.b.op(ops.Add(), x, branch(self.norm(x)))
            else:
                x = self.norm(self.b.op(ops.Add(), x, branch(x)))
        return x

    def attention(self, x: Value) -> Value:
        s = self.shape
        q, k, v = (self.linear(x, s.width, s.qkv_bias) for _ in range(3))
        y = self.b.op(ops.Attention(s.heads, (s.width // s.heads) ** -0.5), q, k, v)
        return self.linear(y, s.width)

    def perceptron(self, x: Value) -> Value:
        return self.linear(self.b.op(ops.Gelu(), self.linear(x, self.shape.mlp)), self.shape.width)

    def norm(self, x: Value) -> Value:
        width = self.shape.width
        spread = 0.1 if self.shape.trained_norms else 0.0
        gamma, beta = 1 + spread * self.normal(width), spread * self.normal(width)
        return self.b.op(ops.LayerNorm(), x, self.const(gamma), self.const(beta))

    def linear(self, x: Value, width: int, bias: bool = True) -> Value:
        """Weights and biases as torch draws them."""
        bound = x.shape[-1] ** -0.5
        w = self.const(self.rng.uniform(-bound, bound, (width, x.shape[-1])))
        biases = [self.const(self.rng.uniform(-bound, bound, width))] if bias else []
        return self.b.op(ops.FullyConnected(), x, w, *biases)

    def first_row(self, x: Value) -> Value:
        row = self.b.op(ops.StridedSlice((0, 0, 0), (1, 1, x.shape[-1]), (1, 1, 1)), x)
        return self.b.op(ops.Reshape((1, x.shape[-1])), row)

    def normal(self, *shape: int) -> Array:
        return self.rng.normal(0, 1, shape)

    def const(self, data: Array) -> Value:
        return self.b.const(data.astype(np.float32))
