"""What each op computes, in torch; for one sample, since batches come from `torch.vmap`."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.ir import TensorType
from edgetx.ops import Op
from edgetx.ops.window import Window
from edgetx.train.graph.recurrences import RECURRENCES

Function = Callable[..., Tensor]
"""Called with the op and its operands."""


def torch_function(op: Op) -> Callable[..., tuple[Tensor, ...]]:
    """The function that computes an op's results from its operands.

    Raises:
        UnsupportedOpError: If the op has none.
    """
    if op.name in RECURRENCES:
        recurrence = RECURRENCES[op.name]
        return lambda *operands: recurrence(op, *operands)
    if op.name not in FUNCTIONS:
        raise UnsupportedOpError(f"op '{op.name}' cannot be trained", hint="train the model before it is exported")
    function = FUNCTIONS[op.name]
    return lambda *operands: (function(op, *operands),)


def _activated(y: Tensor, activation: str) -> Tensor:
    if activation == "none":
        return y
    return F.relu(y) if activation == "relu" else F.relu6(y)


def _elementwise(function: Callable[[Tensor, Tensor], Tensor]) -> Function:
    return lambda op, a, b: _activated(function(a, b), op.activation)


def _pointwise(function: Callable[[Tensor], Tensor]) -> Function:
    return lambda op, x: function(x)


def _fully_connected(op: ops.FullyConnected, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    return _activated(F.linear(x, w, b), op.activation)


def _conv_2d(op: ops.Conv2D, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    image = _channels_first(x, op.window(tuple(w.shape)))
    y = F.conv2d(image, w.permute(0, 3, 1, 2), b, op.stride, dilation=op.dilation)
    return _activated(y.permute(0, 2, 3, 1), op.activation)


def _depthwise_conv_2d(op: ops.DepthwiseConv2D, x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    image = _channels_first(x, op.window(tuple(w.shape)))
    y = F.conv2d(image, w.permute(3, 0, 1, 2), b, op.stride, dilation=op.dilation, groups=x.shape[-1])
    return _activated(y.permute(0, 2, 3, 1), op.activation)


def _channels_first(x: Tensor, window: Window, fill: float = 0.0) -> Tensor:
    """[1, H, W, C] as a padded [1, C, H, W]."""
    (top, bottom), (left, right) = _pads(x, window)
    return F.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom), value=fill)


def _pads(x: Tensor, window: Window) -> tuple[tuple[int, int], tuple[int, int]]:
    return window.pads(TensorType(tuple(x.shape)))


def _average_pool_2d(op: ops.AveragePool2D, x: Tensor) -> Tensor:
    def total(image: Tensor) -> Tensor:
        return F.avg_pool2d(_channels_first(image, op.window), op.size, op.stride, divisor_override=1)

    mean = total(x) / total(torch.ones_like(x))
    return _activated(mean.permute(0, 2, 3, 1), op.activation)


def _max_pool_2d(op: ops.MaxPool2D, x: Tensor) -> Tensor:
    y = F.max_pool2d(_channels_first(x, op.window, -torch.inf), op.size, op.stride)
    return _activated(y.permute(0, 2, 3, 1), op.activation)


def _resize_bilinear(op: ops.ResizeBilinear, x: Tensor) -> Tensor:
    rows, columns = (torch.from_numpy(matrix).to(x) for matrix in op.matrices(tuple(x.shape[1:3])))
    return torch.einsum("ih,jw,bhwc->bijc", rows, columns, x)


def _batch_matmul(op: ops.BatchMatmul, a: Tensor, b: Tensor) -> Tensor:
    return (a.mT if op.adj_x else a) @ (b.mT if op.adj_y else b)


def _attention(op: ops.Attention, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = (_heads(x, op.heads) for x in (q, k, v))
    scores = q @ k.mT * op.scale
    if (visible := op.visible(q.shape[-2], k.shape[-2])) is not None:
        scores = scores.masked_fill(~torch.from_numpy(visible).to(q.device), -torch.inf)
    weights = scores.softmax(-1)
    return (weights @ v).transpose(-2, -3).flatten(-2)


def _heads(x: Tensor, heads: int) -> Tensor:
    """[1, S, heads·d] to [1, heads, S, d]."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(-2, -3)


def _softmax(op: ops.Softmax, x: Tensor) -> Tensor:
    return (op.beta * x).softmax(-1)


def _pad(op: ops.Pad, x: Tensor) -> Tensor:
    return F.pad(x, [n for pair in reversed(op.paddings) for n in pair])


def _strided_slice(op: ops.StridedSlice, x: Tensor) -> Tensor:
    return x[tuple(map(slice, op.begin, op.end, op.strides))]


def _gather(op: ops.Gather, x: Tensor) -> Tensor:
    return x.index_select(op.axis, torch.tensor(op.indices, device=x.device))


def _lookup(op: ops.Lookup, table: Tensor, index: Tensor) -> Tensor:
    place = index.round().long()
    place = torch.where(place < 0, place + len(table), place) if op.wraps else place
    return table[place.clamp(0, len(table) - 1)]


def _rms_norm(op: ops.RmsNorm, x: Tensor, gamma: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), gamma, op.epsilon)


def _layer_norm(op: ops.LayerNorm, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return F.layer_norm(x, (x.shape[-1],), gamma, beta, op.epsilon)


def _power(op: ops.Power, x: Tensor) -> Tensor:
    y = x**op.exponent
    return torch.where(torch.isfinite(y), y, torch.zeros_like(y))


def _positive(x: Tensor) -> Tensor:
    return x.clamp_min(torch.finfo(torch.float32).tiny)


FUNCTIONS: dict[str, Any] = {
    "abs": _pointwise(torch.abs),
    "add": _elementwise(torch.add),
    "arg_max": lambda op, x: x.argmax(op.axis).to(x.dtype),
    "atan": _pointwise(torch.atan),
    "attention": _attention,
    "average_pool_2d": _average_pool_2d,
    "batch_matmul": _batch_matmul,
    "clip": lambda op, x: x.clamp(op.low, op.high),
    "concatenation": lambda op, *xs: torch.cat(xs, op.axis),
    "conv_2d": _conv_2d,
    "depthwise_conv_2d": _depthwise_conv_2d,
    "elu": _pointwise(F.elu),
    "erf": _pointwise(torch.erf),
    "exp": _pointwise(torch.exp),
    "floor": _pointwise(torch.floor),
    "fully_connected": _fully_connected,
    "gather": _gather,
    "gelu": lambda op, x: F.gelu(x, approximate=op.approximate),
    "hard_swish": _pointwise(F.hardswish),
    "hypot": lambda op, a, b: torch.hypot(a, b),
    "l2_normalization": lambda op, x: F.normalize(x, dim=-1),
    "layer_norm": _layer_norm,
    "leaky_relu": lambda op, x: F.leaky_relu(x, op.alpha),
    "log": lambda op, x: _positive(x).log(),
    "logistic": _pointwise(torch.sigmoid),
    "lookup": _lookup,
    "max_pool_2d": _max_pool_2d,
    "maximum": _elementwise(torch.maximum),
    "mean": lambda op, x: x.mean(op.axes, op.keepdims),
    "minimum": _elementwise(torch.minimum),
    "mul": _elementwise(torch.mul),
    "neg": _pointwise(torch.neg),
    "pad": _pad,
    "power": _power,
    "quantize": _pointwise(lambda x: x),
    "reduce_max": lambda op, x: x.amax(op.axes, op.keepdims),
    "relu": _pointwise(F.relu),
    "relu6": _pointwise(F.relu6),
    "reshape": lambda op, x: x.reshape(op.shape),
    "resize_bilinear": _resize_bilinear,
    "rms_norm": _rms_norm,
    "round": _pointwise(torch.round),
    "rsqrt": lambda op, x: _positive(x).rsqrt(),
    "silu": _pointwise(F.silu),
    "sin": _pointwise(torch.sin),
    "softmax": _softmax,
    "softplus": _pointwise(F.softplus),
    "sqrt": lambda op, x: x.clamp_min(0).sqrt(),
    "square": _pointwise(torch.square),
    "step": lambda op, x: (x > 0).to(x.dtype),
    "strided_slice": _strided_slice,
    "sub": _elementwise(torch.sub),
    "table_softmax": _softmax,
    "tanh": _pointwise(torch.tanh),
    "transpose": lambda op, x: x.permute(op.permutation),
    "wide_exp": _pointwise(torch.exp),
    "wide_softmax": _softmax,
}
"""By the op's name; called with the op and its operands."""
