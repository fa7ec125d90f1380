"""PyTorch to float graphs, through `torch.export`.

Every ATen op has one small handler that writes it with `GraphBuilder`. Convolutions and batch normalization are written
channels-last between transposes; the passes remove those again. An op without a handler is first decomposed by torch
itself into core ATen ops; what is still unknown then is an error that names the op and its module.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram
from torch.fx import Node as FxNode

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.ir import Array, Graph, GraphBuilder, Value

Handler = Callable[..., "Value | tuple[Value, ...]"]
HANDLERS: dict[str, Handler] = {}


def aten(*targets: str) -> Callable[[Handler], Handler]:
    """Register the handler of ATen ops, named as in `torch.ops.aten`."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(targets, handler))
        return handler

    return register


def load_pt2(path: Path) -> Graph:
    """Read a program saved by `torch.export.save`.

    Raises:
        ModelError: If the file is not such a program, or its shapes are dynamic.
        UnsupportedOpError: If it contains an op without integer form.
    """
    try:
        program = torch.export.load(str(path))
    except Exception as problem:  # torch raises whatever its unpickler and its schema checks raise
        raise ModelError(
            f"not a program saved by torch.export.save ({type(problem).__name__}: {str(problem).splitlines()[0]})",
            where=str(path),
            hint="torch.export.save(torch.export.export(model.eval(), (example_input,)), 'model.pt2')",
        ) from problem
    return import_program(program, path.stem)


def export_module(module: torch.nn.Module, example: torch.Tensor, name: str) -> Graph:
    """Import a torch module, traced with an example input of batch size 1."""
    return import_program(torch.export.export(module.eval(), (example,)), name)


def import_program(program: ExportedProgram, name: str) -> Graph:
    """The float graph of an exported program."""
    return _Importer(_decomposed(program), GraphBuilder(name)).run()


def _decomposed(program: ExportedProgram) -> ExportedProgram:
    """Let torch decompose the ops that have no handler, as far as it can."""
    table = torch.export.default_decompositions()
    while unknown := {n.target for n in program.graph.nodes if n.op == "call_function" and not _handler(n)}:
        usable = {target: table[target] for target in unknown if target in table}
        if not usable:
            break
        program = program.run_decompositions(usable)
    return program


def _handler(node: FxNode) -> Handler | None:
    return HANDLERS.get(str(node.target).removeprefix("aten.").removeprefix("<built-in function ").rstrip(">"))


@dataclass
class _Importer:
    program: ExportedProgram
    builder: GraphBuilder

    def __post_init__(self) -> None:
        self.values: dict[str, Any] = {}

    def run(self) -> Graph:
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self.values[node.name] = self._placeholder(node)
            elif node.op == "call_function":
                self.values[node.name] = self._call(node)
        signature = self.program.graph_signature
        outputs = [self.values[name] for name in signature.user_outputs]
        if not all(isinstance(value, Value) for value in outputs):
            raise ModelError("an output does not depend on the input", where=self.builder.name)
        return self.builder.graph(*outputs)

    def _placeholder(self, node: FxNode) -> Value | None:
        signature = self.program.graph_signature
        stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        constants = {**self.program.state_dict, **self.program.constants}
        path = stored.get(node.name) or signature.inputs_to_lifted_tensor_constants.get(node.name)
        if path is not None:
            return self.builder.const(_numpy(constants[path]), path)
        tensor = node.meta["val"]
        if not isinstance(tensor, torch.Tensor):
            return None
        return self.builder.input(node.name, _static_shape(node, tensor))

    def _call(self, node: FxNode) -> Any:
        _static_shape(node, node.meta.get("val"))
        handler = _handler(node)
        where = _place(node)
        if handler is None:
            raise UnsupportedOpError(
                f"op '{node.target}' is not supported",
                where=where,
                hint="`edgetx list ops` shows what is; express it by those or leave it outside the model",
            )
        args = [self._argument(a) for a in node.args]
        kwargs = {key: self._argument(a) for key, a in node.kwargs.items()}
        try:
            return handler(_Scope(self.builder, where, node), *args, **kwargs)
        except ModelError as error:
            raise type(error)(error.what, where=error.where or where, hint=error.hint) from error

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, FxNode):
            return self.values[argument.name]
        if isinstance(argument, list | tuple):
            return [self._argument(a) for a in argument]
        return argument


@dataclass
class _Scope:
    """What a handler works with: the builder, a name, and the traced node."""

    builder: GraphBuilder
    where: str
    node: FxNode

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the node's result."""
        return tuple(int(n) for n in self.node.meta["val"].shape)

    def op(self, op: ops.Op, *inputs: Value) -> Value:
        return self.builder.op(op, *inputs, name=self.where)

    def const(self, data: Array, suffix: str) -> Value:
        return self.builder.const(np.asarray(data, np.float32), f"{self.where}.{suffix}")

    def data(self, value: Value, what: str) -> Array:
        """The data of an operand that must be a constant."""
        data = self.builder.consts.get(value.name)
        if data is None:
            raise UnsupportedOpError(f"{what} is computed, but must be a parameter", where=self.where)
        return data


def _numpy(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _place(node: FxNode) -> str:
    """Dotted path of the module that the op belongs to, and the op's name."""
    stack = node.meta.get("nn_module_stack") or {}
    path = next(reversed(stack.values()), ("",))[0] if stack else ""
    op = str(node.target).removeprefix("aten.").split(".")[0]
    return f"{path.removeprefix('L__self__.')}.{op}" if path and path != "L__self__" else node.name


def _static_shape(node: FxNode, tensor: Any) -> tuple[int, ...]:
    if not isinstance(tensor, torch.Tensor):
        return ()
    if any(not isinstance(n, int) for n in tensor.shape):
        raise ModelError(
            f"dynamic shape {tuple(map(str, tensor.shape))}",
            where=_place(node),
            hint="export with fixed shapes and batch size 1: leave out dynamic_shapes",
        )
    if node.op == "placeholder" and tensor.ndim and tensor.shape[0] != 1:
        raise ModelError(
            f"batch size {tensor.shape[0]}, expected 1", where=node.name, hint="export with an example of batch size 1"
        )
    return tuple(tensor.shape)


def _axis(axis: int, rank: int) -> int:
    return axis % rank


def _reshape(s: _Scope, x: Value, shape: Sequence[int]) -> Value:
    return x if tuple(shape) == x.shape else s.op(ops.Reshape(tuple(shape)), x)


def _transpose(s: _Scope, x: Value, order: Sequence[int]) -> Value:
    return x if list(order) == sorted(order) else s.op(ops.Transpose(tuple(order)), x)


# Data movement


@aten("view.default", "reshape.default", "_unsafe_view.default", "flatten.using_ints", "unflatten.int",
      "unsqueeze.default", "squeeze.dim", "squeeze.dims", "squeeze.default", "view_as.default")  # fmt: skip
def _view(s: _Scope, x: Value, *_: object, **__: object) -> Value:
    return _reshape(s, x, s.shape)


@aten("contiguous.default", "clone.default", "dropout.default", "alias.default", "detach.default", "detach_.default",
      "to.dtype", "to.device", "_to_copy.default", "lift_fresh_copy.default", "feature_dropout.default",
      "native_dropout.default", "to.dtype_layout")  # fmt: skip
def _identity(_: _Scope, x: Value, *__: object, **___: object) -> Value:
    return x


@aten("permute.default")
def _permute(s: _Scope, x: Value, order: Sequence[int]) -> Value:
    return _transpose(s, x, [_axis(i, x.type.rank) for i in order])


@aten("transpose.int", "swapaxes.default")
def _swap(s: _Scope, x: Value, a: int, b: int) -> Value:
    order = list(range(x.type.rank))
    order[a], order[b] = order[b], order[a]
    return _transpose(s, x, order)


@aten("t.default", "numpy_T.default", "mT.default")
def _t(s: _Scope, x: Value) -> Value:
    return _swap(s, x, -1, -2) if x.type.rank > 1 else x


@aten("expand.default", "expand_as.default")
def _expand(s: _Scope, x: Value, *_: object, **__: object) -> Value:
    if x.type.size == int(np.prod(s.shape)):
        return _reshape(s, x, s.shape)
    return s.const(np.broadcast_to(s.data(x, "what is expanded"), s.shape), "expanded")


def _slice_axis(s: _Scope, x: Value, axis: int, start: int, end: int, step: int = 1) -> Value:
    if (start, end, step) == (0, x.shape[axis], 1):
        return x
    begin, stop, strides = [0] * x.type.rank, list(x.shape), [1] * x.type.rank
    begin[axis], stop[axis], strides[axis] = start, end, step
    return s.op(ops.StridedSlice(tuple(begin), tuple(stop), tuple(strides)), x)


@aten("slice.Tensor")
def _slice(
    s: _Scope, x: Value, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Value:
    axis = _axis(axis, x.type.rank)
    return _slice_axis(s, x, axis, *slice(start, end, step).indices(x.shape[axis]))


@aten("narrow.default")
def _narrow(s: _Scope, x: Value, axis: int, start: int, length: int) -> Value:
    return _slice(s, x, axis, start, start + length)


@aten("select.int")
def _select(s: _Scope, x: Value, axis: int, index: int) -> Value:
    axis = _axis(axis, x.type.rank)
    start = index % x.shape[axis]
    return _reshape(s, _slice_axis(s, x, axis, start, start + 1), s.shape)


def _pieces(s: _Scope, x: Value, sizes: Sequence[int], axis: int) -> tuple[Value, ...]:
    ends = np.cumsum(sizes)
    starts = ends - np.asarray(sizes)
    return tuple(_slice_axis(s, x, axis, int(a), int(b)) for a, b in zip(starts, ends, strict=True))


@aten("chunk.default", "split.Tensor", "split_with_sizes.default", "split.sizes", "tensor_split.sections")
def _split(s: _Scope, x: Value, _: object, axis: int = 0) -> tuple[Value, ...]:
    axis = _axis(axis, x.type.rank)
    return _pieces(s, x, [int(t.shape[axis]) for t in s.node.meta["val"]], axis)


@aten("unbind.int")
def _unbind(s: _Scope, x: Value, axis: int = 0) -> tuple[Value, ...]:
    axis = _axis(axis, x.type.rank)
    pieces = _pieces(s, x, [1] * x.shape[axis], axis)
    return tuple(_reshape(s, p, x.shape[:axis] + x.shape[axis + 1 :]) for p in pieces)


@aten("getitem")
def _getitem(_: _Scope, values: Sequence[Value], index: int) -> Value:
    return values if isinstance(values, Value) else values[index]


@aten("cat.default", "concat.default", "concatenate.default")
def _cat(s: _Scope, values: Sequence[Value], axis: int = 0) -> Value:
    return s.op(ops.Concatenation(_axis(axis, values[0].type.rank)), *values)


@aten("stack.default")
def _stack(s: _Scope, values: Sequence[Value], axis: int = 0) -> Value:
    axis = _axis(axis, values[0].type.rank + 1)
    shape = (*values[0].shape[:axis], 1, *values[0].shape[axis:])
    return s.op(ops.Concatenation(axis), *(_reshape(s, v, shape) for v in values))


@aten("constant_pad_nd.default", "pad.default")
def _pad(s: _Scope, x: Value, pads: Sequence[int], mode: str | float = "constant", value: float | None = 0.0) -> Value:
    fill = mode if isinstance(mode, int | float) else value
    if isinstance(mode, str) and mode != "constant":
        raise UnsupportedOpError(f"padding mode '{mode}'", hint="pad with zeros")
    if fill not in (0.0, None):
        raise UnsupportedOpError(f"padding with {fill}", hint="pad with zeros")
    pairs = [(0, 0)] * (x.type.rank - len(pads) // 2)
    pairs += [(pads[i], pads[i + 1]) for i in range(len(pads) - 2, -1, -2)]
    if any(p < 0 for pair in pairs for p in pair):
        raise UnsupportedOpError("negative padding", hint="slice instead")
    return s.op(ops.Pad(tuple(pairs)), x)


# Arithmetic


def _operand(s: _Scope, x: Value | float) -> Value:
    return x if isinstance(x, Value) else s.const(np.array([x]), "scalar")


@aten("add.Tensor", "add_.Tensor", "add.Scalar")
def _add(s: _Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    b = _operand(s, b)
    return s.op(ops.Add(), _operand(s, a), b if alpha == 1 else _mul(s, b, alpha))


@aten("sub.Tensor", "sub.Scalar", "sub_.Tensor")
def _sub(s: _Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    b = _operand(s, b)
    return s.op(ops.Sub(), _operand(s, a), b if alpha == 1 else _mul(s, b, alpha))


@aten("rsub.Scalar")
def _rsub(s: _Scope, a: Value, b: float, alpha: float = 1) -> Value:
    return _sub(s, b, a, alpha)


@aten("mul.Tensor", "mul.Scalar", "mul_.Tensor")
def _mul(s: _Scope, a: Value | float, b: Value | float) -> Value:
    return s.op(ops.Mul(), _operand(s, a), _operand(s, b))


@aten("div.Tensor", "div.Scalar", "div_.Tensor")
def _div(s: _Scope, a: Value | float, b: Value | float) -> Value:
    divisor = b if not isinstance(b, Value) else s.data(b, "the divisor")
    return s.op(ops.Mul(), _operand(s, a), s.const(np.atleast_1d(1.0 / np.asarray(divisor)), "reciprocal"))


@aten("neg.default")
def _neg(s: _Scope, x: Value) -> Value:
    return _mul(s, x, -1.0)


@aten("mean.dim", "mean.default")
def _mean(s: _Scope, x: Value, axes: Sequence[int] | None = None, keepdim: bool = False, **_: object) -> Value:
    axes = axes or range(x.type.rank)
    return s.op(ops.Mean(tuple(sorted(_axis(a, x.type.rank) for a in axes)), keepdim), x)


@aten("linear.default")
def _linear(s: _Scope, x: Value, w: Value, b: Value | None = None) -> Value:
    s.data(w, "the weight of linear")
    return s.op(ops.FullyConnected(), x, w, *([b] if b else []))


@aten("addmm.default")
def _addmm(s: _Scope, bias: Value, x: Value, w: Value) -> Value:
    return _add(s, _matmul(s, x, w), bias)


@aten("matmul.default", "bmm.default", "mm.default")
def _matmul(s: _Scope, a: Value, b: Value) -> Value:
    return s.op(ops.BatchMatmul(), a, b)


# Convolution and pooling: torch's channels-first layout is left and entered again around each op


def _channels_last(s: _Scope, x: Value) -> Value:
    """[N, C, T] or [N, C, H, W] to [N, H, W, C], with H = 1 for one spatial axis."""
    last = _transpose(s, x, [0, *range(2, x.type.rank), 1])
    return _reshape(s, last, (last.shape[0], *([1] * (4 - last.type.rank)), *last.shape[1:]))


def _channels_first(s: _Scope, x: Value, rank: int) -> Value:
    last = _reshape(s, x, (x.shape[0], *x.shape[1 + 4 - rank :]))
    return _transpose(s, last, [0, rank - 1, *range(1, rank - 1)])


def _pair(values: Sequence[int] | int, rank: int, fill: int) -> tuple[int, int]:
    listed = [values] * (rank - 2) if isinstance(values, int) else list(values)
    listed = listed * (rank - 2) if len(listed) == 1 else listed
    first, second = [fill] * (4 - rank) + listed
    return first, second


def _padded(s: _Scope, x: Value, padding: tuple[int, int]) -> Value:
    if padding == (0, 0):
        return x
    (h, w) = padding
    return s.op(ops.Pad(((0, 0), (h, h), (w, w), (0, 0))), x)


@aten("conv1d.default", "conv2d.default")
def _conv(
    s: _Scope, x: Value, w: Value, b: Value | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Value:  # fmt: skip
    rank = x.type.rank
    weight = s.data(w, "the weight of a convolution")
    bias = s.data(b, "the bias") if b else np.zeros(weight.shape[0])
    weight = weight.reshape(*weight.shape[:2], *([1] * (4 - rank)), *weight.shape[2:])
    image = _padded(s, _channels_last(s, x), _pair(padding, rank, 0))
    strides, dilations = _pair(stride, rank, 1), _pair(dilation, rank, 1)
    if groups == 1:
        kernel = s.const(weight.transpose(0, 2, 3, 1), "weight")
        y = s.op(ops.Conv2D(strides, dilations), image, kernel, s.const(bias, "bias"))
    elif groups == image.shape[-1]:
        kernel = s.const(weight.transpose(1, 2, 3, 0).reshape(1, *weight.shape[2:], -1), "weight")
        y = s.op(ops.DepthwiseConv2D(strides, dilations), image, kernel, s.const(bias, "bias"))
    else:
        raise UnsupportedOpError(f"convolution with {groups} groups over {image.shape[-1]} channels")
    return _channels_first(s, y, rank)


@aten("conv1d.padding", "conv2d.padding")
def _conv_padding(
    s: _Scope, x: Value, w: Value, b: Value | None = None, stride: Any = 1, padding: str = "valid", dilation: Any = 1,
    groups: int = 1,
) -> Value:  # fmt: skip
    if padding == "valid":
        return _conv(s, x, w, b, stride, 0, dilation, groups)
    spans = [(k - 1) * d for k, d in zip(w.shape[2:], np.broadcast_to(dilation, w.type.rank - 2), strict=True)]
    pads = [(0, 0), (0, 0), *((n // 2, n - n // 2) for n in spans)]
    padded = s.op(ops.Pad(tuple((int(a), int(b)) for a, b in pads)), x) if any(spans) else x
    return _conv(s, padded, w, b, stride, 0, dilation, groups)


@aten("batch_norm.default")
def _batch_norm(
    s: _Scope, x: Value, gamma: Value | None, beta: Value | None, mean: Value, var: Value, training: bool,
    _: float, epsilon: float, *__: object,
) -> Value:  # fmt: skip
    if training:
        raise ModelError("batch normalization in training mode", hint="export model.eval()")
    gain = 1 / np.sqrt(s.data(var, "the variance") + epsilon)
    gain = gain * s.data(gamma, "gamma") if gamma else gain
    shift = -s.data(mean, "the mean") * gain + (s.data(beta, "beta") if beta else 0)
    last = _transpose(s, x, [0, *range(2, x.type.rank), 1])
    y = s.op(ops.Add(), s.op(ops.Mul(), last, s.const(gain, "gain")), s.const(shift, "shift"))
    return _transpose(s, y, [0, x.type.rank - 1, *range(1, x.type.rank - 1)])


@aten("_native_batch_norm_legit_no_training.default")
def _batch_norm_inference(
    s: _Scope, x: Value, gamma: Value | None, beta: Value | None, mean: Value, var: Value, _: float, epsilon: float
) -> Value:
    return _batch_norm(s, x, gamma, beta, mean, var, False, 0.0, epsilon)


def _pool(s: _Scope, x: Value, kind: type[ops.AveragePool2D | ops.MaxPool2D], kernel: Any, stride: Any) -> Value:
    rank = x.type.rank
    pool = kind(_pair(kernel, rank, 1), _pair(stride if stride not in ([], None) else kernel, rank, 1))
    return _channels_first(s, s.op(pool, _channels_last(s, x)), rank)


@aten("avg_pool2d.default", "avg_pool1d.default")
def _avg_pool(
    s: _Scope, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, ceil: bool = False, *_: object
) -> Value:
    if ceil or any(np.ravel(padding)):
        raise UnsupportedOpError("average pooling with padding or ceil_mode", hint="pad before, or use stride only")
    return _pool(s, x, ops.AveragePool2D, kernel, stride)


@aten("max_pool2d.default", "max_pool1d.default")
def _max_pool(
    s: _Scope, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil: bool = False
) -> Value:
    if ceil or any(np.ravel(padding)) or any(np.ravel(dilation) != 1):
        raise UnsupportedOpError("max pooling with padding, dilation or ceil_mode", hint="use kernel and stride only")
    return _pool(s, x, ops.MaxPool2D, kernel, stride)


@aten("adaptive_avg_pool1d.default", "adaptive_avg_pool2d.default", "_adaptive_avg_pool2d.default")
def _adaptive_avg_pool(s: _Scope, x: Value, size: Any) -> Value:
    if any(np.ravel(size) != 1):
        raise UnsupportedOpError(f"adaptive pooling to {size}", hint="pool to 1, or with a fixed kernel")
    return s.op(ops.Mean(tuple(range(2, x.type.rank)), True), x)


# Normalization, attention, activations


@aten("layer_norm.default")
def _layer_norm(
    s: _Scope, x: Value, shape: Sequence[int], gamma: Value | None = None, beta: Value | None = None,
    epsilon: float = 1e-5, *_: object,
) -> Value:  # fmt: skip
    if len(shape) != 1:
        raise UnsupportedOpError(f"layer normalization over {len(shape)} axes", hint="normalize the last axis")
    gain = gamma or s.const(np.ones(shape), "gamma")
    return s.op(ops.LayerNorm(epsilon), x, gain, beta or s.const(np.zeros(shape), "beta"))


@aten("rms_norm.default")
def _rms_norm(
    s: _Scope, x: Value, shape: Sequence[int], gamma: Value | None = None, epsilon: float | None = None
) -> Value:
    if len(shape) != 1:
        raise UnsupportedOpError(f"RMS normalization over {len(shape)} axes", hint="normalize the last axis")
    default = float(np.finfo(np.float32).eps)
    return s.op(ops.RmsNorm(default if epsilon is None else epsilon), x, gamma or s.const(np.ones(shape), "gamma"))


@aten("scaled_dot_product_attention.default")
def _attention(
    s: _Scope, q: Value, k: Value, v: Value, mask: Value | None = None, dropout: float = 0.0, causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Value:  # fmt: skip
    if mask is not None or causal or enable_gqa:
        raise UnsupportedOpError("masked or grouped attention", hint="use full self-attention")
    factor = q.shape[-1] ** -0.5 if scale is None else scale
    scores = s.op(ops.BatchMatmul(adj_y=True), q, k)
    return s.op(ops.BatchMatmul(), s.op(ops.Softmax(), _mul(s, scores, factor)), v)


@aten("softmax.int", "_softmax.default")
def _softmax(s: _Scope, x: Value, axis: int, *_: object) -> Value:
    if _axis(axis, x.type.rank) != x.type.rank - 1:
        raise UnsupportedOpError(f"softmax over axis {axis}", hint="softmax over the last axis")
    return s.op(ops.Softmax(), x)


@aten("gelu.default")
def _gelu(s: _Scope, x: Value, approximate: str = "none") -> Value:
    return s.op(ops.Gelu("tanh" if approximate == "tanh" else "none"), x)


@aten("hardtanh.default", "hardtanh_.default", "clamp.default")
def _clamp(s: _Scope, x: Value, low: float | None = -1.0, high: float | None = 1.0) -> Value:
    if (low, high) == (0.0, 6.0):
        return s.op(ops.Relu6(), x)
    if low == 0.0 and high is None:
        return s.op(ops.Relu(), x)
    raise UnsupportedOpError(f"clamp to [{low}, {high}]", hint="ReLU and ReLU6 are supported")


def _unary(op: Callable[[], ops.Op], *targets: str) -> None:
    @aten(*targets)
    def handler(s: _Scope, x: Value, *_: object) -> Value:
        return s.op(op(), x)


_unary(ops.Relu, "relu.default", "relu_.default")
_unary(ops.Relu6, "relu6.default")
_unary(ops.Silu, "silu.default", "silu_.default")
_unary(ops.HardSwish, "hardswish.default", "hardswish_.default")
_unary(ops.Logistic, "sigmoid.default", "sigmoid_.default")
_unary(ops.Tanh, "tanh.default", "tanh_.default")
