"""Look-up of rows by computed indices: embeddings and code books."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType, Value
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import PLACES, PLACES_MAX, QuantRule, Result

INT64 = 7
"""The element type, in ONNX's numbering."""


@register
@dataclass(frozen=True)
class Lookup(Op):
    """Rows of a table [rows, …] in the shape of an index; beyond the ends, the end's.

    Attributes:
        wraps: Whether negative indices count from the end.
    """

    name: ClassVar[str] = "lookup"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    wraps: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        table, index = inputs
        if table.rank < 1 or not 0 < table.shape[0] <= PLACES_MAX:
            raise ModelError(f"look-up in a table {table.shape}; it has {PLACES_MAX} rows at most")
        return (table.with_shape(index.shape + table.shape[1:]),)

    def float_ref(self, *inputs: Array) -> Arrays:
        table, index = inputs
        return (table[self.rows(np.rint(index).astype(np.int64), len(table))],)

    def rows(self, index: Array, count: int) -> Array:
        """Which of `count` rows each of the whole numbers takes."""
        places = np.where(index < 0, index + count, index) if self.wraps else index
        return np.clip(places, 0, count - 1)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return QuantRule(Result.SAME_AS_INPUT, fixed_operands={1: PLACES}, own_widths=True)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """GATHER, which refuses indices beyond the ends; TFLite Micro has it for eight bits and for real numbers."""
        table, index = node.inputs
        rows = table.shape[0]

        def computed(builtin: str, x: Value, number: int | Value) -> Value:
            y = b.temporary(TensorType(index.shape, "int32"), f"{x.name}.{builtin.lower()}")
            other = b.const(np.array([number], np.int32), f"{y.name}.of") if isinstance(number, int) else number
            b.op(node, builtin, [x, other], outputs=[y])
            return y

        place = b.temporary(TensorType(index.shape, "int32"), f"{node.name}.index")
        b.op(node, "CAST", [index], {"InDataType": "int16", "OutDataType": "int32"}, outputs=[place])
        if self.wraps:
            below = computed("MINIMUM", computed("MAXIMUM", place, -1), 0)
            place = computed("ADD", place, computed("MUL", below, -rows))
        place = computed("MINIMUM", computed("MAXIMUM", place, 0), rows - 1)
        if table.type.dtype == "int8":
            b.op(node, "GATHER", [table, place])
            return
        real, found = (b.temporary(TensorType(v.shape), f"{v.name}.real") for v in (table, node.output))
        b.op(node, "DEQUANTIZE", [table], outputs=[real])
        b.op(node, "GATHER", [real, place], outputs=[found])
        b.op(node, "QUANTIZE", [found])

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        table, index = node.inputs
        rows = table.shape[0]
        ends = [b.const(np.array(end, np.float32)) for end in (-rows if self.wraps else 0, rows - 1)]
        inside = b.op("Cast", [b.op("Clip", [b.real(index), *ends])], {"to": INT64})
        b.result(node, b.op("Gather", [b.real(table), inside]))

    def to_c(self, node: Node) -> KernelCall:
        table, index = node.inputs
        rows = table.shape[0]
        params = {
            "rows": rows,
            "run": table.type.nbytes // rows,
            "count": index.type.size,
            "wrap": rows if self.wraps else 0,
        }
        return KernelCall("lookup_s8", params, node.inputs)
