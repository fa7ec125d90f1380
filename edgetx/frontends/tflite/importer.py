"""TFLite files to graphs: float graphs as they are, int8 graphs with their quantization and their bits.

Every operator has one small handler that writes it with `GraphBuilder`. Where a float model wraps an integer body,
the QUANTIZE and DEQUANTIZE at its border fall away: the graph takes and gives the integers, and the border's parameters
are the quantization of its inputs and outputs. A model that computes in floating point between integers, or in integers
that have no kernel here, is imported as the real numbers that it stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import tflite

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import Note, damage_reported, integer_or_real
from edgetx.frontends.tflite.dilation import ELEMENTWISE, RESHAPING, WITH_CONSTANT, Spread
from edgetx.frontends.tflite.file import ABSENT, DAMAGED, Operator, Subgraph, Tensor, read_file
from edgetx.frontends.tflite.folding import folded
from edgetx.frontends.tflite.open_axes import with_sizes
from edgetx.frontends.tflite.places import WHOLE
from edgetx.frontends.tflite.scope import HANDLERS, Scope, tensor_type
from edgetx.frontends.tflite.state import variable_name
from edgetx.frontends.tflite.unsigned import signed
from edgetx.frontends.tflite.variables import Contents, Variables
from edgetx.ir import Array, Graph, GraphBuilder, TensorType, Value
from edgetx.output import explained
from edgetx.reference import execute

RESOURCE = "RESOURCE"
INTEGERS = ("INT8", "UINT8", "INT16", "INT32")
"""Element types of activations that are quantized."""
NESTED = 8
"""Loops within loops at most."""
HINTS: Mapping[str, str] = {
    "ATAN2": "compute with the real and imaginary parts, or with both over their magnitude, in place of angles",
    "TOPK_V2": "end the model with the scores and take the largest in your own code, or the single largest by ARG_MAX",
}


def load_tflite(path: Path, settings: Mapping[str, str] | None = None, note: Note = lambda _: None) -> Graph:
    """Read a `.tflite` file.

    Args:
        path: The file.
        settings: Sizes of the open axes of inputs, by name of the input.
        note: Takes what users should know of an import that succeeded.

    Raises:
        ModelError: If the file is damaged or inconsistent.
        UnsupportedOpError: If it contains an operator without integer form.
    """
    with explained(path, OSError):
        content = path.read_bytes()
    try:
        return import_tflite(content, path.stem, note, settings)
    except ModelError as error:
        raise type(error)(
            error.what, where=": ".join(filter(None, (path.name, error.where))), hint=error.hint
        ) from error


def import_tflite(
    content: bytes, name: str, note: Note = lambda _: None, settings: Mapping[str, str] | None = None
) -> Graph:
    """The graph in the bytes of a file."""
    return import_subgraphs(read_file(content), name, note, settings)


def import_subgraphs(
    read: Sequence[Subgraph], name: str, note: Note = lambda _: None, settings: Mapping[str, str] | None = None
) -> Graph:
    """The graph of the first of the subgraphs of a file."""
    subgraphs = [*map(signed, (with_sizes(read[0], settings or {}), *read[1:]))]

    def attempt(real: bool) -> Graph:
        held = [_in_reals(subgraph) for subgraph in subgraphs] if real else subgraphs
        builder = GraphBuilder(name)
        variables = Variables(builder, _initial_contents(held, real), _assigned_names(held))
        return _Importer(held, 0, builder, variables, real).run()

    with damage_reported(DAMAGED):
        quantized = any(t.data is None and t.scale and t.type in INTEGERS for t in subgraphs[0].tensors)
        return integer_or_real(attempt, is_quantized=quantized, note=note)


def _initial_contents(subgraphs: Sequence[Subgraph], real: bool) -> Mapping[str, Contents]:
    """What the subgraphs that are called once assign to variables."""
    initial: dict[str, Contents] = {}
    for operator in subgraphs[0].operators:
        if operator.builtin == "CALL_ONCE":
            index = _called_once(operator)
            if not 0 < index < len(subgraphs):
                raise ModelError(f"damaged TFLite file: CALL_ONCE of subgraph {index}")
            builder = GraphBuilder("initialization")
            initial.update(_Importer(subgraphs, index, builder, Variables(builder, {}), real).assigned())
    return initial


def _called_once(operator: Operator) -> int:
    options = tflite.CallOnceOptions()
    options.Init(operator.options.Bytes, operator.options.Pos)
    return int(options.InitSubgraphIndex())


def _assigned_names(subgraphs: Sequence[Subgraph]) -> set[str] | None:
    """Variables that an invocation changes; None if subgraphs of loops do, too, which know them by other handles."""
    main = subgraphs[0]
    once = {_called_once(operator) for operator in main.operators if operator.builtin == "CALL_ONCE"}
    within = [s for i, s in enumerate(subgraphs) if i and i not in once]
    if any(operator.builtin == "ASSIGN_VARIABLE" for subgraph in within for operator in subgraph.operators):
        return None
    names = {o.outputs[0]: variable_name(o) for o in main.operators if o.builtin == "VAR_HANDLE" and o.outputs}
    changed = [o.inputs[0] for o in main.operators if o.builtin == "ASSIGN_VARIABLE" and o.inputs]
    return {names[handle] for handle in changed if handle in names}


def _in_reals(subgraph: Subgraph) -> Subgraph:
    """What is computed as the real numbers that it stands for; constants keep their integers until they are read."""

    def real(tensor: Tensor) -> Tensor:
        is_computed = tensor.data is None and tensor.scale and tensor.type in INTEGERS
        return replace(tensor, type="FLOAT32", scale=(), zero_point=()) if is_computed else tensor

    return replace(subgraph, tensors=tuple(map(real, subgraph.tensors)))


class _Importer:
    def __init__(
        self,
        subgraphs: Sequence[Subgraph],
        index: int,
        builder: GraphBuilder,
        variables: Variables,
        real: bool,
        depth: int = 0,
    ) -> None:
        self.subgraphs, self.subgraph, self.depth = subgraphs, subgraphs[index], depth
        self.builder, self.variables, self.real = builder, variables, real
        self.values: dict[int, Value] = {}
        self.spread: dict[str, Spread] = {}

    def run(self) -> Graph:
        for index in self.subgraph.inputs:
            self.values[index] = self._input(index)
        self._operators()
        outputs = [self._output(index) for index in self.subgraph.outputs]
        self.variables.close()
        if not outputs:
            raise ModelError("the model has no output")
        return self.builder.graph(*outputs)

    def assigned(self) -> Mapping[str, Contents]:
        """Contents of the variables after the subgraph, which takes no inputs, has run."""
        self._operators()
        names, values = [*self.variables.current], [*self.variables.current.values()]
        contents = execute(self.builder.graph(*values), [])
        return {n: (c, v.type.quant) for n, c, v in zip(names, contents, values, strict=True)}

    def called(self, operands: Sequence[Value | str | None]) -> list[Value | str | None]:
        """The results for these operands; a variable is its name."""
        for index, operand in zip(self.subgraph.inputs, operands, strict=True):
            if isinstance(operand, Value):
                self.values[index] = operand
        self._operators()
        return [
            self.variables.handles.get(index) or self._operand(index, is_float=False) for index in self.subgraph.outputs
        ]

    def _call(self, index: int, operands: Sequence[Value | str | None]) -> list[Value | str | None]:
        """Import another subgraph into the same graph."""
        if not 0 < index < len(self.subgraphs) or self.depth >= NESTED:
            raise ModelError(f"damaged TFLite file: subgraph {index} of {len(self.subgraphs)}")
        taken = zip(self.subgraphs[index].inputs, operands, strict=True)
        variables = self.variables.within({i: name for i, name in taken if isinstance(name, str)})
        return _Importer(self.subgraphs, index, self.builder, variables, self.real, self.depth + 1).called(operands)

    def _input(self, index: int) -> Value:
        """An input; where a float one is only quantized, it is that integer."""
        tensor = self.subgraph.tensors[index]
        declared = self._border(index) if tensor.type == "FLOAT32" else tensor_type(tensor)
        if not declared.quant:
            declared = self._whole(index) if tensor.type == "INT32" else TensorType(declared.shape)
        return self.builder.input(tensor.name, declared.shape, declared.dtype, declared.quant)

    def _whole(self, index: int) -> TensorType:
        """Whole numbers that are not quantized are real ones of that size, but places where they look up integers."""
        shape = self.subgraph.tensors[index].shape
        readers = [op for op in self.subgraph.operators if index in op.inputs]
        integers = all(
            op.builtin in ("GATHER", "EMBEDDING_LOOKUP") and self.subgraph.tensors[op.outputs[0]].scale
            for op in readers
        )
        return TensorType(shape, *WHOLE) if readers and integers else TensorType(shape)

    def _border(self, index: int) -> TensorType:
        readers = [op for op in self.subgraph.operators if index in op.inputs]
        declared = tensor_type(self.subgraph.tensors[index])
        types = {tensor_type(self.subgraph.tensors[op.outputs[0]]) for op in readers if op.builtin == "QUANTIZE"}
        if len(types) == 1 and all(op.builtin == "QUANTIZE" for op in readers):
            (quantized,) = types
            return quantized.with_shape(declared.shape)
        return declared

    def _output(self, index: int) -> Value:
        value = self._operand(index, is_float=False)
        if value is None or value.name in self.builder.consts:
            raise ModelError("an output does not depend on the input", where=self.subgraph.tensors[index].name)
        return value

    def _operators(self) -> None:
        for operator in self.subgraph.operators:
            where = self._place(operator)
            try:
                self._operator(operator, where)
            except ModelError as error:
                raise type(error)(error.what, where=error.where or where, hint=error.hint) from error

    def _operator(self, operator: Operator, where: str) -> None:
        tensors = [self.subgraph.tensors[index] for index in operator.outputs]
        results = tuple(tensor_type(t) for t in tensors if t.type != RESOURCE)
        is_float = any(t.is_float for t in results)
        operands = [self._operand(index, is_float) for index in operator.inputs]
        self._refuse_mixed(operator, results, operands)
        kept = {i: self.subgraph.tensors[index] for i, index in enumerate(operator.inputs) if index != ABSENT}
        scope = Scope(
            self.builder, where, operator, results, self.variables, kept, self.spread, self._call
        )  # fmt: skip
        made = self._made(scope, operands)
        values = made if isinstance(made, tuple) else (made,)
        for index, value in zip(operator.outputs, values, strict=False):
            if isinstance(value, str):
                self.variables.handles[index] = value
            elif value is not None:
                self.values[index] = value

    def _made(self, scope: Scope, operands: Sequence[Value | None]) -> Value | tuple[Value | str | None, ...] | None:
        """Results of an operator: evaluated over constants, else by its handler."""
        name = scope.operator.builtin
        known = [self.builder.consts.get(x.name) for x in operands if x is not None and x.type.quant is None]
        arrays = [data for data in known if data is not None]
        if arrays and len(arrays) == len(operands) and (result := folded(scope, arrays)) is not None:
            return scope.const(result, "folded")
        if name not in HANDLERS:
            raise UnsupportedOpError(
                f"operator {name} is not supported",
                hint=HINTS.get(
                    name, "`edgetx list ops` shows what is; express it by those or leave it outside the model"
                ),
            )
        spread = next((self.spread[x.name] for x in operands if x is not None and x.name in self.spread), None)
        if spread is not None and name in RESHAPING:
            return operands[0]
        made = HANDLERS[name](scope, *operands)
        if name == "BATCH_TO_SPACE_ND" and isinstance(made, Value):
            self.spread.pop(made.name, None)
        if spread is not None and name != "BATCH_TO_SPACE_ND":
            others = [x for x in operands if x is not None and x.name not in self.spread]
            fits = name in ELEMENTWISE or (name in WITH_CONSTANT and all(x.name in self.builder.consts for x in others))
            if not fits or not isinstance(made, Value):
                raise UnsupportedOpError(f"{name} between space to batch and batch to space")
            self.spread[made.name] = spread
        return made

    def _refuse_mixed(
        self, operator: Operator, results: Sequence[TensorType], operands: Sequence[Value | None]
    ) -> None:
        """Nothing computes in floating point between integers."""
        integers = [v for v in operands if v is not None and v.type.quant and v.name not in self.builder.consts]
        if operator.builtin != "DEQUANTIZE" and any(t.is_float for t in results) and integers:
            raise UnsupportedOpError(
                f"{operator.builtin} computes in floating point within an integer model",
                hint="quantize the whole model to int8, or leave it in floating point throughout",
            )

    def _operand(self, index: int, is_float: bool) -> Value | None:
        """A value, or a constant; integer weights of an operator in floating point are restored.

        None stands for an operand that is absent, or whose contents the operator keeps itself.
        """
        if index == ABSENT:
            return None
        tensor = self.subgraph.tensors[index]
        if index in self.values:
            return self.values[index]
        if tensor.data is None and (tensor.is_variable or tensor.type == RESOURCE):
            return None
        data, declared = self._constant(tensor, is_float or self.real)
        value = self.builder.const(data, f"{tensor.name}.const", declared.quant)
        if not is_float or self.real:
            self.values[index] = value
        return value

    def _constant(self, tensor: Tensor, real: bool) -> tuple[Array, TensorType]:
        if tensor.data is None and 0 not in tensor.shape:
            raise ModelError("is read before anything has made it", where=tensor.name)
        if tensor.type in ("FLOAT16", "FLOAT64"):
            return tensor.array().astype(np.float32), TensorType(tensor.shape)
        if real and tensor.scale and tensor.type.startswith(("INT", "UINT")):
            return tensor.real(), TensorType(tensor.shape)
        return tensor.array(), tensor_type(tensor)

    def _place(self, operator: Operator) -> str:
        """Name of the first result, without the names of what was fused into it."""
        if not operator.outputs:
            return operator.builtin.lower()
        return self.subgraph.tensors[operator.outputs[0]].name
