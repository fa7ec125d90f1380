"""Operators of ONNX Runtime's own domain in real numbers, which its optimizers make of standard ones.

Contracts: `ContribOperators.md` of ONNX Runtime. The quantized ones are in `qoperator`.
"""

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.attention import attention, causal, merge_heads, split_heads
from edgetx.frontends.onnx.activation import layer_norm, sigmoid_line
from edgetx.frontends.onnx.arithmetic import gemm
from edgetx.frontends.onnx.convolution import conv
from edgetx.frontends.onnx.scope import MICROSOFT, Scope, operator
from edgetx.ir import Value
from edgetx.ops.attention import HIDDEN


def _activated(s: Scope, y: Value) -> Value:
    """What `activation` says behind a fused layer."""
    kind = s.text("activation", "")
    listed = s.attributes.get("activation_params", ())
    first, second = ([*listed, s.real("activation_alpha", 0), s.real("activation_beta", 0)])[:2]
    match kind:
        case "" | "Relu":
            return s.result(ops.Relu(), y) if kind else y
        case "Tanh":
            return s.result(ops.Tanh(), y)
        case "Sigmoid":
            return s.result(ops.Logistic(), y)
        case "LeakyRelu":
            return s.result(ops.LeakyRelu(float(first)), y)
        case "Clip":
            return s.result(ops.Clip(float(first), float(second)), y)
        case "HardSigmoid":
            return sigmoid_line(s, y, float(first), float(second))
    raise UnsupportedOpError(f"{s.node.op_type} with activation '{kind}'", hint="optimize at the basic level")


@operator("FusedConv", domain=MICROSOFT)
def _fused_conv(s: Scope, x: Value, w: Value, b: Value | None = None, z: Value | None = None) -> Value:
    y = conv(s, x, w, b)
    return _activated(s, y if z is None else s.result(ops.Add(), y, z))


@operator("FusedGemm", domain=MICROSOFT)
def _fused_gemm(s: Scope, a: Value, b: Value, c: Value | None = None) -> Value:
    return _activated(s, gemm(s, a, b, c))


@operator("FusedMatMul", "TransposeMatMul", domain=MICROSOFT)
def _fused_matmul(s: Scope, a: Value, b: Value) -> Value:
    a, b = (_rows_inside(s, x) if s.integer(f"transBatch{side}", 0) else x for side, x in (("A", a), ("B", b)))
    swapped = ops.BatchMatmul(adj_x=bool(s.integer("transA", 0)), adj_y=bool(s.integer("transB", 0)))
    alpha, y = s.real("alpha", 1), s.result(swapped, a, b)
    return y if alpha == 1 else s.result(ops.Mul(), y, s.scalar(alpha))


def _rows_inside(s: Scope, x: Value) -> Value:
    """[rows, batches, columns] to [batches, rows, columns]."""
    return s.transpose(x, [*range(1, x.type.rank - 1), 0, x.type.rank - 1])


@operator("Gelu", "BiasGelu", "FastGelu", domain=MICROSOFT)
def _gelu(s: Scope, x: Value, bias: Value | None = None) -> Value:
    y = x if bias is None else s.result(ops.Add(), x, bias)
    return s.result(ops.Gelu("tanh" if s.node.op_type == "FastGelu" else "none"), y)


@operator("QuickGelu", domain=MICROSOFT)
def _quick_gelu(s: Scope, x: Value) -> Value:
    inner = s.result(ops.Mul(), x, s.scalar(s.real("alpha", 1.702)))
    return s.result(ops.Mul(), x, s.result(ops.Logistic(), inner))


@operator("SimplifiedLayerNormalization")
def _simplified(s: Scope, x: Value, gamma: Value) -> Value:
    if s.axis(s.integer("axis", -1), x.type.rank) != x.type.rank - 1:
        raise UnsupportedOpError("normalization over several axes", hint="normalize the last axis")
    return s.result(ops.RmsNorm(s.real("epsilon", 1e-5)), x, gamma)


@operator("SkipLayerNormalization", domain=MICROSOFT)
def _skip_layer_norm(
    s: Scope, x: Value, skip: Value, gamma: Value, beta: Value | None = None, bias: Value | None = None
) -> tuple[Value, ...]:
    total = _skipped(s, x, skip, bias)
    return layer_norm(s, total, gamma, beta), total, total, total


@operator("SkipSimplifiedLayerNormalization", domain=MICROSOFT)
def _skip_simplified(s: Scope, x: Value, skip: Value, gamma: Value, bias: Value | None = None) -> tuple[Value, ...]:
    total = _skipped(s, x, skip, bias)
    return s.result(ops.RmsNorm(s.real("epsilon", 1e-5)), total, gamma), total, total, total


def _skipped(s: Scope, x: Value, skip: Value, bias: Value | None) -> Value:
    """The sum under the normalization, which is the fourth result; the second and third are of training."""
    if any(s.node.output[1:3]):
        raise UnsupportedOpError(f"mean and deviation as results of {s.node.op_type}", hint="leave them out")
    inner = x if bias is None else s.result(ops.Add(), x, bias)
    return s.result(ops.Add(), inner, skip)


@operator("Attention", domain=MICROSOFT)
def _attention(
    s: Scope, x: Value, w: Value, b: Value | None = None, mask: Value | None = None, past: Value | None = None,
    added: Value | None = None, *_: Value,
) -> Value:  # fmt: skip
    """x [1, rows, width], w [width, queries + keys + values]."""
    heads, weight = s.integer("num_heads", 1), s.data(s.restored(w), "a weight of attention")
    sizes = s.listed("qkv_hidden_sizes") or (weight.shape[1] // 3,) * 3
    if past is not None or heads < 1 or sum(sizes) != weight.shape[1] or any(n % heads for n in sizes):
        raise UnsupportedOpError("Attention with a past, or whose heads do not fit", hint="optimize at the basic level")
    layer = s.const(weight.T, "weight")
    y = s.op(ops.FullyConnected(), x, layer, *([] if b is None else [s.restored(b)]))
    ends = np.cumsum(sizes).tolist()
    q, k, v = (split_heads(s, s.slice(y, 2, end - n, end), heads) for n, end in zip(sizes, ends, strict=True))
    return _weighed(s, q, k, v, _masks(s, x.shape[1], mask, added))


@operator("MultiHeadAttention", domain=MICROSOFT)
def _multi_head(
    s: Scope, q: Value, k: Value | None = None, v: Value | None = None, bias: Value | None = None,
    mask: Value | None = None, added: Value | None = None, *past: Value,
) -> Value:  # fmt: skip
    """q, k and v [1, rows, width], or k and v [1, heads, rows, size]."""
    if k is None or v is None or any(x is not None for x in past):
        raise UnsupportedOpError("MultiHeadAttention of packed operands or with a past", hint="optimize less")
    heads, operands = s.integer("num_heads", 1), [q, k, v]
    if bias is not None:
        data, widths = s.data(bias, "a bias"), [x.shape[-1] for x in operands]
        parts = np.split(data, np.cumsum(widths)[:2])
        operands = [s.result(ops.Add(), x, s.const(d, "bias")) for x, d in zip(operands, parts, strict=True)]
    split = [x if x.type.rank == 4 else split_heads(s, x, heads) for x in operands]
    return _weighed(s, split[0], split[1], split[2], _masks(s, split[1].shape[2], mask, added))


def _masks(s: Scope, keys: int, mask: Value | None, added: Value | None) -> Value | None:
    """What is added to the scores: a mask of truths over keys hides those that are 0."""
    if mask is None:
        return added
    data = s.data(mask, "a mask of attention")
    if data.size == 1:
        data = np.arange(keys) < data.item()
    if data.size != keys:
        raise UnsupportedOpError(f"a mask {data.shape} over {keys} keys", hint="mask with what is added to the scores")
    hidden = s.const(np.where(data.ravel() > 0, 0, HIDDEN).astype(np.float32), "mask")
    return hidden if added is None else s.op(ops.Add(), added, hidden)


def _weighed(s: Scope, q: Value, k: Value, v: Value, added: Value | None) -> Value:
    if s.integer("unidirectional", 0):
        later = s.const(causal(q.shape[2], k.shape[2], HIDDEN), "causal")
        added = later if added is None else s.op(ops.Add(), added, later)
    scale = s.real("scale", 0) or q.shape[-1] ** -0.5
    return merge_heads(s, attention(s, q, k, v, scale, added))


@operator("RotaryEmbedding", domain=MICROSOFT)
def _rotary(s: Scope, x: Value, positions: Value, cos: Value, sin: Value) -> Value:
    """x [1, rows, width] or [1, heads, rows, size]; each pair of elements is turned."""
    tables = [s.data(v, "a table of rotations") for v in (cos, sin)]
    size, rows = 2 * tables[0].shape[-1], x.shape[-2]
    if s.integer("rotary_embedding_dim", 0) not in (0, size) or x.shape[-1] % size:
        raise UnsupportedOpError("rotation of a part of each head", hint="optimize at the basic level")
    at = s.integers(positions, "positions")
    chosen = np.arange(rows) + at[0] if len(at) == 1 else np.asarray(at)
    if len(chosen) != rows or chosen.min() < 0 or chosen.max() >= len(tables[0]):
        raise ModelError(f"positions of {rows} rows in tables of {len(tables[0])}")
    heads = x if x.type.rank == 4 else split_heads(s, x, x.shape[-1] // size)
    c, d = (s.const(t[chosen].astype(np.float32), "turn") for t in tables)
    pairs = bool(s.integer("interleaved", 0))
    first, second = (
        s.gather(heads, 3, range(i, size, 2) if pairs else range(i * size // 2, (i + 1) * size // 2)) for i in (0, 1)
    )
    turned = (
        s.op(ops.Sub(), s.op(ops.Mul(), first, c), s.op(ops.Mul(), second, d)),
        s.op(ops.Add(), s.op(ops.Mul(), first, d), s.op(ops.Mul(), second, c)),
    )
    y = s.op(ops.Concatenation(3), *turned)
    if pairs:
        y = s.gather(y, 3, np.arange(size).reshape(2, -1).T.ravel().tolist())
    return y if x.type.rank == 4 else merge_heads(s, y)


@operator("MatMulNBits", domain=MICROSOFT)
def _matmul_bits(
    s: Scope, x: Value, packed: Value, scales: Value, zeros: Value | None = None, groups: Value | None = None,
    bias: Value | None = None,
) -> Value:  # fmt: skip
    """A weight [outputs, blocks, bytes] of a few bits each, with a scale for every block."""
    bits, block = s.integer("bits", 4), s.integer("block_size", 32)
    rows, width = s.integer("N", 0), s.integer("K", 0)
    if bits not in (2, 4, 8) or groups is not None:
        raise UnsupportedOpError(f"MatMulNBits of {bits} bits, or with indices of groups", hint="use 4 or 8 bits")
    blocks = -(-width // block)
    stored = _unpacked(s.data(packed, "a weight"), bits).reshape(rows, blocks, block)
    points = np.full((rows, blocks), 1 << (bits - 1), np.float32)
    if zeros is not None:
        held = s.data(zeros, "zero points")
        unpacked = held if held.dtype.kind == "f" else _unpacked(held.reshape(rows, -1), bits)
        points = unpacked.reshape(rows, -1)[:, :blocks]
    factors = s.data(scales, "scales").reshape(rows, blocks, 1)
    weight = ((stored - points[..., None]) * factors).reshape(rows, -1)[:, :width]
    operands = [] if bias is None else [bias]
    return s.op(ops.FullyConnected(), x, s.const(weight.astype(np.float32), "weight"), *operands)


def _unpacked(data: np.ndarray, bits: int) -> np.ndarray:
    """Integers of a few bits, the lowest first, of bytes along the last axis."""
    shifts = np.arange(0, 8, bits)
    split = (data.astype(np.uint8)[..., None] >> shifts) & ((1 << bits) - 1)
    return split.reshape(*data.shape[:-1], -1).astype(np.float32)
