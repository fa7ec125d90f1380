"""What handlers of every frontend build with: ops on values, evaluated at once where all operands are constants."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder import part
from edgetx.ir import Array, DType, Graph, GraphBuilder, QuantParams, Value
from edgetx.ops.quant_rule import Weight
from edgetx.reference import run_node

MAX_ELEMENTS = 1 << 26
MAX_COMPUTED = 1 << 24
"""Elements of one tensor, and of one that is computed; far more than any device that this is made for can hold."""
WIDTHS: Mapping[DType, int] = {"int8": 8, "int16": 16}

Note = Callable[[str], None]
"""Takes what users should know of an import that succeeded."""


def integer_or_real(attempt: Callable[[bool], Graph], *, is_quantized: bool, note: Note) -> Graph:
    """A model with its integers; where the integer contract has no place for them, the real numbers they stand for.

    Args:
        attempt: Imports the model: with its integers, or in real numbers if it is given True.
        is_quantized: Whether the model has a quantization of its own.
        note: Takes the reason why it was not kept.

    Raises:
        ModelError: If neither can be imported.
    """
    try:
        graph = attempt(False)
        _refuse_without_kernel(graph)
    except ModelError as refusal:
        if not is_quantized:
            raise
        graph = attempt(True)
        note(f"quantized anew, with other bits than the file has: {refusal.where}: {refusal.what}")
    return graph


def _refuse_without_kernel(graph: Graph) -> None:
    """Refuse integers for which an op has no arithmetic."""
    for node in graph.nodes:
        bits, op = WIDTHS.get(node.outputs[0].type.dtype), cast(ops.Op, node.op)
        if bits is not None and bits not in op.activation_bits:
            raise UnsupportedOpError(f"{op.name} in {bits} bits", where=node.name)
        weights = [node.inputs[i].type.quant for i, rule in op.quant_rule().consts.items() if isinstance(rule, Weight)]
        if any(quant and quant.zero_point for quant in weights):
            raise UnsupportedOpError("weights with a zero point", where=node.name)
        if bits is not None and op.has_form("c"):
            op.to_c(node)


@contextmanager
def damage_reported(what: str) -> Iterator[None]:
    """Turn what reading a damaged or inconsistent file raises into our error, whose text begins with `what`."""
    try:
        yield
    except (struct.error, LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as problem:
        raise ModelError(f"{what}: {problem}") from problem


def clean_name(name: str) -> str:
    """A name of TensorFlow or ONNX without the names of what was fused in, and without its colons."""
    return name.split(";")[0].removesuffix(":0").replace(":", "_")


def present(xs: Sequence[Value]) -> Sequence[Value]:
    """Those of the parts of a whole that have elements; one of them if none has."""
    return [x for x in xs if x.type.size] or xs[:1]


@dataclass
class BuilderScope:
    """The graph being built, and the place in the user's model at which it is being built.

    Attributes:
        builder: The graph being built.
        where: Place of the op in the user's model.
    """

    builder: GraphBuilder
    where: str

    def op(self, op: ops.Op, *inputs: Value, quant: tuple[DType, QuantParams | None] | None = None) -> Value:
        """Apply an op of ours; what does not depend on inputs or states becomes a constant.

        Raises:
            ModelError: If the operands do not fit, or the result is absurdly large.
        """
        value = self.builder.op(op, *inputs, name=self.where, quant=quant)
        operands = [self.builder.consts.get(x.name) for x in inputs]
        is_computed = any(data is None for data in operands)
        if value.type.size > (MAX_COMPUTED if is_computed else MAX_ELEMENTS):
            raise ModelError(f"absurd shape {value.shape}", where=self.where)
        if is_computed:
            return value
        (result,) = run_node(self.builder.nodes.pop(), [np.asarray(data) for data in operands])
        return self.builder.const(result, self.where, value.type.quant)

    def const(self, data: Array, suffix: str, quant: QuantParams | None = None) -> Value:
        """A constant named after the op."""
        return self.builder.const(np.asarray(data), f"{self.where}.{suffix}", quant)

    def known(self, value: Value) -> Array | None:
        """The data of a constant; None of what is computed."""
        return self.builder.consts.get(value.name)

    def scalar(self, number: float) -> Value:
        """A real number as an operand that broadcasts."""
        return self.const(np.array([number], np.float32), "scalar")

    def data(self, value: Value, what: str) -> Array:
        """The data of an operand that must be a constant.

        Raises:
            UnsupportedOpError: If it is computed.
        """
        data = self.builder.consts.get(value.name)
        if data is None:
            raise UnsupportedOpError(f"{what} is computed, but must be a constant", where=self.where)
        return data

    def integers(self, value: Value, what: str) -> tuple[int, ...]:
        """The data of a constant operand that lists axes, sizes or the like."""
        return tuple(map(int, self.data(value, what).ravel()))

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """The value in another shape."""
        return x if tuple(shape) == x.shape else self.op(ops.Reshape(tuple(shape)), x)

    def transpose(self, x: Value, order: Sequence[int]) -> Value:
        """The value with its axes in another order."""
        return x if list(order) == sorted(order) else self.op(ops.Transpose(tuple(order)), x)

    def slice(self, x: Value, axis: int, begin: int, end: int) -> Value:
        """The elements from `begin` up to but without `end` along an axis."""
        if begin == end:
            return self.empty(x, [0 if i == axis else n for i, n in enumerate(x.shape)])
        return part(self, x, axis, begin, end)

    def empty(self, x: Value, shape: Sequence[int]) -> Value:
        """No elements, of the type of x."""
        return self.const(np.zeros(shape, x.type.dtype), "empty", x.type.quant)

    def gather(self, x: Value, axis: int, indices: Sequence[int]) -> Value:
        """The elements at the given indices, which may count from the end; neighbours are a slice.

        Raises:
            ModelError: If there is no such element.
        """
        given, size = np.asarray(indices, np.int64), x.shape[axis]
        outside = given[(given < -size) | (given >= size)]
        if outside.size:
            raise ModelError(f"index {outside[0]} of {size}", where=self.where)
        found = np.where(given < 0, given + size, given)
        if not found.size:
            return self.slice(x, axis, 0, 0)
        if (np.diff(found) == 1).all():
            return self.slice(x, axis, int(found[0]), int(found[-1]) + 1)
        return self.op(ops.Gather(axis, tuple(found.tolist())), x)

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front.

        Raises:
            ModelError: If there is no such axis.
        """
        if not -rank <= axis < rank:
            raise ModelError(f"axis {axis} of {rank} axes", where=self.where)
        return axis % rank
