"""ONNX files to graphs: float graphs as they are, QDQ graphs as the integers they stand for.

Every operator has one small handler that writes it with `GraphBuilder`; operators over constants are evaluated. In a
graph with QuantizeLinear and DequantizeLinear values are the integers between the two, uint8 shifted to int8; where not
everything is between the two, the graph is imported as the real numbers that it stands for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx

from edgetx.config import did_you_mean
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import quantize
from edgetx.frontends.builder_scope import MAX_ELEMENTS, Note, clean_name, damage_reported, integer_or_real
from edgetx.frontends.onnx import subgraphs
from edgetx.frontends.onnx.file import read_model
from edgetx.frontends.onnx.folding import FOLDED, folded
from edgetx.frontends.onnx.movement import REAL
from edgetx.frontends.onnx.quantization import clamp_of, integers, parameters, quantization_behind, real_numbers
from edgetx.frontends.onnx.scope import HANDLERS, Scope, Stored, handler_name
from edgetx.frontends.onnx.sequences import SEQUENCES
from edgetx.frontends.onnx.tensors import tensor_array
from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.output import explained

QUANTIZERS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
UNKNOWN = "`edgetx list ops` shows what is; express it by those or leave it outside the model"
HINTS: Mapping[str, str] = {"TopK": "end the model with the scores, and take the largest in your own code"}
WHOLE = (
    "And", "ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not",
    "Or", "Xor",
)  # fmt: skip
"""Operators whose results are truths or whole numbers."""
REAL_NUMBER = np.zeros(1, np.float32)
LARGEST_EVALUATED = 1 << 28
"""Elements that operators over constants read and make, loops included."""
GRAPHS: Mapping[str, Callable[[subgraphs.Importer, onnx.NodeProto, int], Sequence[Value]]] = {
    "If": subgraphs.branch,
    "Loop": subgraphs.loop,
    "Scan": subgraphs.scan,
}


def load_onnx(path: Path, settings: Mapping[str, str] | None = None, note: Note = lambda _: None) -> Graph:
    """Read an `.onnx` file.

    Args:
        path: The file.
        settings: Values of symbolic axes and of inputs that are constants, by name; `@output` for an input that takes
            what that output gave at the invocation before.
        note: Takes what users should know of an import that succeeded.

    Raises:
        ModelError: If the file is damaged or inconsistent, or a shape is not known.
        UnsupportedOpError: If it contains an operator without integer form.
    """
    with explained(path, OSError):
        content = path.read_bytes()
    try:
        return import_onnx(content, path.stem, settings or {}, note, path.parent)
    except ModelError as error:
        raise type(error)(
            error.what, where=": ".join(filter(None, (path.name, error.where))), hint=error.hint
        ) from error


def import_onnx(
    content: bytes, name: str, settings: Mapping[str, str], note: Note = lambda _: None, folder: Path | None = None
) -> Graph:
    """The graph in the bytes of a file; `folder` is where the contents of tensors lie that it keeps elsewhere."""
    with damage_reported("damaged ONNX file"):
        graph, opset = read_model(content, folder)
        quantized = any(node.op_type in QUANTIZERS for node in graph.node)
        return integer_or_real(
            lambda real: _Importer(GraphBuilder(name), opset, settings, real).run(graph),
            is_quantized=quantized,
            note=note,
        )


@dataclass(frozen=True)
class _Constants(Mapping[str, Array]):
    """Those of the values of a file that are constants, by their names in the file."""

    named: Mapping[str, Value]
    held: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.held[self.named[name].name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self.named.items() if value.name in self.held)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass
class _Importer:
    builder: GraphBuilder
    opset: int
    settings: Mapping[str, str]
    real: bool
    values: dict[str, Value] = field(default_factory=dict)
    sequences: dict[str, list[Value]] = field(default_factory=dict)
    readers: dict[str, list[onnx.NodeProto]] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    evaluated: int = 0

    def run(self, graph: onnx.GraphProto) -> Graph:
        self.enter(graph)
        initialized = {tensor.name for tensor in graph.initializer}
        inputs = [info for info in graph.input if info.name not in initialized]
        for info in inputs:
            self._input(info)
        self._refuse_unknown_settings(inputs)
        self.nodes(graph.node, 0)
        fed = {self.settings.get(info.name, "").removeprefix("@"): info.name for info in inputs}
        outputs = [info.name for info in graph.output]
        for output in outputs:
            if output in fed:
                self.builder.write_state(self.value(fed[output]), self.value(output))
        results = [self.value(output) for output in outputs if output not in fed]
        if not results or any(value.name in self.builder.consts for value in results):
            raise ModelError("an output does not depend on the input")
        for node in self.builder.nodes:
            _refuse_wide_points(node)
        return self.builder.graph(*results)

    def enter(self, graph: onnx.GraphProto) -> None:
        """Constants, and who reads what."""
        for tensor in graph.initializer:
            self._const(tensor.name, tensor_array(tensor))
        if graph.sparse_initializer:
            raise UnsupportedOpError("sparse tensors", hint="store weights densely")
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def _const(self, name: str, data: Array) -> None:
        try:
            self.values[name] = self.builder.const(data, f"{clean_name(name)}.const")
        except KeyError:
            raise UnsupportedOpError(f"element type {data.dtype}", where=name) from None

    def _input(self, info: onnx.ValueInfoProto) -> None:
        """An input: of the model, a constant that the settings give, or what an output gave before."""
        setting = self.settings.get(info.name)
        if setting is not None and not setting.startswith("@"):
            self._const(info.name, _number(info, setting))
            return
        shape = self._shape(info)
        if setting is not None:
            self.values[info.name] = self.builder.state(clean_name(info.name), np.zeros(shape, np.float32))
            return
        if info.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
            kind = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type).name
            raise UnsupportedOpError(
                f"an input of {kind}", where=info.name, hint=f"fix its value: --set input.{info.name}=VALUE"
            )
        stored = self._stored(info.name, self._consts())
        dtype, quant = stored or ("float32", None)
        self.values[info.name] = self.builder.input(clean_name(info.name), shape, dtype, quant)
        self.inputs.add(self.values[info.name].name)

    def _shape(self, info: onnx.ValueInfoProto) -> tuple[int, ...]:
        """The shape of an input, its batch specialised to 1."""
        sizes = []
        for axis, dim in enumerate(info.type.tensor_type.shape.dim):
            size = dim.dim_value if dim.HasField("dim_value") else self._symbol(info.name, dim.dim_param, axis)
            sizes.append(size)
        if min(sizes, default=1) < 1 or int(np.prod(sizes, dtype=object)) > MAX_ELEMENTS:
            raise ModelError(f"absurd shape {tuple(sizes)}", where=info.name)
        return tuple(sizes)

    def _refuse_unknown_settings(self, inputs: Sequence[onnx.ValueInfoProto]) -> None:
        symbols = [dim.dim_param for info in inputs for dim in info.type.tensor_type.shape.dim if dim.dim_param]
        names = [*(info.name for info in inputs), *symbols]
        for name in self.settings:
            if name not in names:
                raise ModelError(f"no input and no axis is called '{name}'", hint=did_you_mean(name, names))

    def _symbol(self, name: str, symbol: str, axis: int) -> int:
        if symbol in self.settings:
            return int(_integer(symbol, self.settings[symbol]))
        if axis == 0 or "batch" in symbol.lower():
            return 1
        key = symbol or name
        raise ModelError(
            f"axis {axis} has no fixed size ('{symbol}')", where=name, hint=f"fix it: --set input.{key}=SIZE"
        )

    def _consts(self) -> Mapping[str, Array]:
        return _Constants(self.values, self.builder.consts)

    def nodes(self, nodes: Sequence[onnx.NodeProto], depth: int) -> None:
        """Import operators, in their order."""
        for node in nodes:
            where = clean_name(node.output[0] if node.output else node.name)
            try:
                with damage_reported(f"{node.op_type} cannot take these operands"):
                    self._node(node, where, depth)
            except ModelError as error:
                raise type(error)(error.what, where=error.where or where, hint=error.hint) from error

    def _node(self, node: onnx.NodeProto, where: str, depth: int) -> None:
        if node.op_type in SEQUENCES:
            self._sequence(node, where)
            return
        operands = [self.value(name) if name else None for name in node.input]
        results = self._special(node, operands, depth)
        if results is None:
            results = self._handled(node, where, operands)
        for name, value in zip(node.output, results, strict=False):
            self.values[name] = value

    def _sequence(self, node: onnx.NodeProto, where: str) -> None:
        parts = [self.sequences[n] if n in self.sequences else self.value(n) if n else None for n in node.input]
        made = SEQUENCES[node.op_type](Scope(self.builder, where, node, self.opset, [None]), *parts)
        if isinstance(made, list):
            self.sequences[node.output[0]] = made
        else:
            self.values[node.output[0]] = made

    def _special(self, node: onnx.NodeProto, operands: Sequence[Value | None], depth: int) -> Sequence[Value] | None:
        """Results of operators that are evaluated, or that hold graphs; None for all others."""
        known = [v for v in operands if v is not None]
        consts = [self.builder.consts.get(v.name) for v in known]
        constant = all(data is not None for data in consts) and not any(v.type.quant for v in known)
        match node.op_type:
            case "Constant":
                return self._given(node)
            case "Shape":
                part = {a.name: a.i for a in node.attribute}
                return self._numbers(node, [np.array(known[0].shape[part.get("start", 0) : part.get("end")], np.int64)])
            case "Size":
                return self._numbers(node, [np.array(known[0].type.size, np.int64)])
            case "If" | "Loop" | "Scan":
                return GRAPHS[node.op_type](self, node, depth)
            case "QuantizeLinear" if self.real:
                return [self._clamped(node, known[0])]
            case "QuantizeLinear" if consts[0] is not None and consts[0].dtype.kind == "f":
                return [self._stored_constant(node, consts[0])]
            case "DynamicQuantizeLinear" if self.real:
                return [known[0], *self._numbers(node, [np.ones((), np.float32), np.zeros((), np.int64)], 1)]
            case "DequantizeLinear" if not known[0].type.quant:
                return self._dequantized(node, known[0])
        if constant and node.op_type in FOLDED:
            names = [name for name in node.input if name]
            arrays = {name: np.asarray(data) for name, data in zip(names, consts, strict=True)}
            results = folded(node, arrays, self.opset)
            self.evaluated += sum(data.size for data in (*arrays.values(), *results))
            if self.evaluated > LARGEST_EVALUATED:
                raise ModelError("constants that take too long to evaluate", hint="fold them: onnxsim does")
            return self._numbers(node, results)
        return None

    def _numbers(self, node: onnx.NodeProto, results: Sequence[Array], first: int = 0) -> Sequence[Value]:
        for name, data in zip(node.output[first:], results, strict=False):
            self._const(name, data)
        return [self.values[name] for name in node.output[first:]]

    def _given(self, node: onnx.NodeProto) -> Sequence[Value]:
        (attribute,) = node.attribute
        value = onnx.helper.get_attribute_value(attribute)
        data = tensor_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
        return self._numbers(node, [data.astype(np.float32) if data.dtype == np.float64 else data])

    def _dequantized(self, node: onnx.NodeProto, x: Value) -> Sequence[Value]:
        """A constant with its quantization."""
        data = self.builder.consts.get(x.name)
        if data is None:
            if self.real:
                return [x]
            raise UnsupportedOpError("DequantizeLinear of what was not quantized")
        if data.dtype.kind == "f":
            return [x]
        if self.real:
            return self._numbers(node, [real_numbers(node, self._consts(), data)])
        _, quant = parameters(node, self._consts(), x.type.rank)
        stored = integers(data)
        return [self.builder.const(stored, f"{clean_name(node.output[0])}.const", quant)]

    def _stored_constant(self, node: onnx.NodeProto, data: Array) -> Value:
        """A constant that the file quantizes when it runs."""
        dtype, quant = parameters(node, self._consts(), data.ndim)
        shape = [1] * data.ndim
        if quant.axis is not None:
            shape[quant.axis] = len(quant.scale)
        stored = quantize(data, np.reshape(quant.scale, shape), quant.zero_point, dtype)
        return self.builder.const(stored, f"{clean_name(node.output[0])}.const", quant)

    def _clamped(self, node: onnx.NodeProto, x: Value) -> Value:
        """What stays of a QuantizeLinear in real numbers: quantizers leave out the clamps that it makes needless."""
        clamp = None if x.name in self.inputs else clamp_of(*parameters(node, self._consts()))
        return x if clamp is None else self.builder.op(clamp, x, name=clean_name(node.output[0]))

    def _handled(self, node: onnx.NodeProto, where: str, operands: Sequence[Value | None]) -> Sequence[Value]:
        name = handler_name(node)
        if name not in HANDLERS:
            raise UnsupportedOpError(
                f"operator {node.op_type} is not supported",
                hint=HINTS.get(node.op_type, UNKNOWN),
            )
        consts = self._consts()
        stored = [self._stored(name, consts) for name in node.output]
        if node.op_type == "QuantizeLinear" and not self.real:
            stored = [parameters(node, consts)]
        made = HANDLERS[name](Scope(self.builder, where, node, self.opset, stored, self.whole), *operands)
        results = made if isinstance(made, tuple) else (made,)
        if node.op_type in WHOLE or (not _is_real_cast(node) and self._are_whole(operands)) or _is_whole_cast(node):
            self.whole.update(value.name for value in results)
        return results

    def _are_whole(self, operands: Sequence[Value | None]) -> bool:
        """Whether operands are whole numbers throughout, as then the results are: ONNX does not mix types."""
        return all(
            value.name in self.whole or self.builder.consts.get(value.name, REAL_NUMBER).dtype.kind in "iub"
            for value in operands
            if value is not None
        )

    def _stored(self, name: str, consts: Mapping[str, Array]) -> Stored | None:
        return None if self.real else quantization_behind(name, self.readers, consts)

    def name(self, name: str, value: Value) -> None:
        """Let a name stand for a value from now on."""
        self.values[name] = value

    def value(self, name: str) -> Value:
        """What a name stands for."""
        if name not in self.values:
            raise ModelError(f"'{name}' is read before anything has made it")
        return self.values[name]


def _refuse_wide_points(node: Node) -> None:
    """Refuse zero points in 16 bits, which ONNX Runtime's quantizer gives and kernels for 16 bits lack."""
    for value in (*node.inputs, *node.outputs):
        if value.type.dtype == "int16" and value.type.quant and value.type.quant.zero_point:
            raise UnsupportedOpError(
                "16 bits with a zero point", where=node.name, hint="quantize 16-bit activations symmetrically"
            )


def _is_real_cast(node: onnx.NodeProto) -> bool:
    return any(a.name == "to" and a.i in REAL for a in node.attribute)


def _is_whole_cast(node: onnx.NodeProto) -> bool:
    return any(a.name == "to" and a.i not in REAL for a in node.attribute)


def _number(info: onnx.ValueInfoProto, text: str) -> Array:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
    try:
        return np.array(float(text)).astype(dtype)
    except ValueError:
        raise ModelError(f"'{text}' is not a number", where=f"input.{info.name}") from None


def _integer(name: str, text: str) -> int:
    if not text.isdigit():
        raise ModelError(f"'{text}' is not a size", where=f"input.{name}")
    return int(text)
