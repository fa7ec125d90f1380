"""Look-up of rows by computed indices: embeddings and code books."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import PLACES, PLACES_MAX, QuantRule, Result

INT64 = 7
"""The element type, in ONNX's numbering."""


@register
@dataclass(frozen=True)
class Lookup(Op):
    """table [rows, …] and an index to its rows at each index, in the shape of the index; beyond the ends, the end's."""

    name: ClassVar[str] = "lookup"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        table, index = inputs
        if table.rank < 1 or not 0 < table.shape[0] <= PLACES_MAX:
            raise ModelError(f"look-up in a table {table.shape}; it has {PLACES_MAX} rows at most")
        return (table.with_shape(index.shape + table.shape[1:]),)

    def float_ref(self, *inputs: Array) -> Arrays:
        table, index = inputs
        return (table[np.clip(np.rint(index), 0, len(table) - 1).astype(np.int64)],)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return QuantRule(Result.SAME_AS_INPUT, fixed_operands={1: PLACES}, own_widths=True)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """GATHER, which refuses indices beyond the ends; TFLite Micro has it for eight bits and for real numbers."""
        table, index = node.inputs
        inside = TensorType(index.shape, "int32")
        values = [b.temporary(inside, f"{node.name}.{part}") for part in ("index", "above", "inside")]
        ends = [
            b.const(np.array([end], np.int32), f"{node.name}.{name}")
            for name, end in (("first", 0), ("last", table.shape[0] - 1))
        ]
        b.op(node, "CAST", [index], {"InDataType": "int16", "OutDataType": "int32"}, outputs=values[:1])
        b.op(node, "MAXIMUM", [values[0], ends[0]], outputs=values[1:2])
        b.op(node, "MINIMUM", [values[1], ends[1]], outputs=values[2:])
        if table.type.dtype == "int8":
            b.op(node, "GATHER", [table, values[2]])
            return
        real, rows = (b.temporary(TensorType(v.shape), f"{v.name}.real") for v in (table, node.output))
        b.op(node, "DEQUANTIZE", [table], outputs=[real])
        b.op(node, "GATHER", [real, values[2]], outputs=[rows])
        b.op(node, "QUANTIZE", [rows])

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        table, index = node.inputs
        ends = [b.const(np.array(end, np.float32)) for end in (0, table.shape[0] - 1)]
        inside = b.op("Cast", [b.op("Clip", [b.real(index), *ends])], {"to": INT64})
        b.result(node, b.op("Gather", [b.real(table), inside]))

    def to_c(self, node: Node) -> KernelCall:
        table, index = node.inputs
        params = {"rows": table.shape[0], "run": table.type.nbytes // table.shape[0], "count": index.type.size}
        return KernelCall("lookup_s8", params, node.inputs)
