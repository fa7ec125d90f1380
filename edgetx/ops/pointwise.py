"""Base of functions of one variable; in 8 bits each becomes a table of 256 entries, of 8 or 16 bits."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, Arrays, Node, QuantParams, TensorType
from edgetx.ops.op import Cost, KernelCall, Op, TfliteBuilder

INT8_VALUES = np.arange(-128, 128)


@dataclass(frozen=True)
class Pointwise(Op):
    """y = f(x), element by element."""

    @abstractmethod
    def function(self, x: Array) -> Array:
        """f in floating point."""

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (self.function(x).astype(np.float32),)

    def table(self, node: Node) -> Array:
        """The result for each int8 operand from -128 to 127: f rounded to nearest, ties to even."""
        x, y = node.inputs[0].type, node.output.type
        real = dequantize(INT8_VALUES, x.scale, x.zero_point).astype(np.float64)
        return quantize(self.function(real), y.scale, y.zero_point, y.dtype)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (self.table(node)[x.astype(np.int64) + 128],)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """GATHER from the table at q + 128, made by two QUANTIZE at scale 1: LiteRT has no single one to int32.

        CAST and ADD make the same index in a third more memory. TFLite Micro gathers no 16 bits: their table is one
        of whole real numbers.
        """
        x, y = node.inputs[0], node.output
        wide = x.type.with_quant("int16", QuantParams((x.type.scale,)))
        offset = x.type.with_quant("int32", QuantParams((x.type.scale,), 128 + x.type.zero_point))
        centred, index = b.temporary(wide, f"{node.name}.centred"), b.temporary(offset, f"{node.name}.index")
        b.op(node, "QUANTIZE", [x], outputs=[centred])
        b.op(node, "QUANTIZE", [centred], outputs=[index])
        if y.type.dtype == "int8":
            b.op(node, "GATHER", [b.const(self.table(node), f"{node.name}.table", y.type.quant), index])
            return
        numbers = b.temporary(TensorType(y.shape, "float32"), f"{node.name}.numbers")
        table = b.const(self.table(node).astype(np.float32), f"{node.name}.table")
        b.op(node, "GATHER", [table, index], outputs=[numbers])
        b.op(node, "CAST", [numbers], {"InDataType": "float32", "OutDataType": y.type.dtype})

    def to_c(self, node: Node) -> KernelCall:
        x, y = node.inputs[0], node.output
        if y.type.dtype == "int16":
            return KernelCall("lut_s8_s16", {"size": x.type.size}, (x, self.table(node)), "lut")
        return KernelCall("lut_s8", {"size": x.type.size}, (x, self.table(node)), in_place=0)
