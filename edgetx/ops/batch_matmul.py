"""Product of two computed matrices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import integer_matmul
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.multiplier import output_multipliers, rescale, rescale_params
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register


@register
@dataclass(frozen=True)
class BatchMatmul(Op):
    """z = x · y over the last two axes, either of them transposed first if adj_x or adj_y; the others broadcast."""

    name: ClassVar[str] = "batch_matmul"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    adj_x: bool = False
    adj_y: bool = False

    def matrices(self, x: Array, y: Array) -> tuple[Array, Array]:
        """The operands as they are multiplied."""
        return (
            np.swapaxes(x, -1, -2) if self.adj_x else x,
            np.swapaxes(y, -1, -2) if self.adj_y else y,
        )

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        try:
            x, y = self.matrices(*(np.broadcast_to(np.int8(0), t.shape) for t in inputs))
            batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
            fits = x.shape[-1] == y.shape[-2]
        except (ValueError, IndexError):
            fits = False
        if not fits:
            raise ModelError(f"batch_matmul of {inputs[0].shape} and {inputs[1].shape}")
        return (TensorType((*batch, x.shape[-2], y.shape[-1])),)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, y = self.matrices(*inputs)
        return (x @ y,)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        centred = (q.astype(np.int64) - v.type.zero_point for q, v in zip(inputs, node.inputs, strict=True))
        x, y = self.matrices(*centred)
        return (rescale(node, integer_matmul(x, y), output_multipliers(node)),)

    def cost(self, node: Node) -> Cost:
        depth = node.inputs[0].shape[-2 if self.adj_x else -1]
        return Cost(macs=node.output.type.size * depth, elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "BATCH_MATMUL", options={"AdjX": self.adj_x, "AdjY": self.adj_y})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        def operand(index: int, transposed: bool) -> str:
            value = node.inputs[index]
            swapped = [*range(value.type.rank - 2), value.type.rank - 1, value.type.rank - 2]
            return b.op("Transpose", [b.real(value)], {"perm": swapped}) if transposed else b.real(value)

        b.result(node, b.op("MatMul", [operand(0, self.adj_x), operand(1, self.adj_y)]))

    def to_c(self, node: Node) -> KernelCall:
        x, y = (value.type for value in node.inputs)
        *batch, rows, columns = node.output.shape
        depth = x.shape[-2 if self.adj_x else -1]
        (mantissa,), (shift,) = output_multipliers(node)
        params: dict[str, int | Sequence[int]] = {
            "batches": math.prod(batch),
            "rows": rows,
            "depth": depth,
            "columns": columns,
            "a_steps": [_batch_step(node, x, batch), *((1, rows) if self.adj_x else (depth, 1))],
            "b_steps": [_batch_step(node, y, batch), *((1, depth) if self.adj_y else (columns, 1))],
            "a_offset": -x.zero_point,
            "b_offset": -y.zero_point,
            "mantissa": int(mantissa),
            "shift": int(shift),
            **rescale_params(node),
        }
        return KernelCall(f"batch_matmul_{KERNEL_SUFFIX[x.dtype]}", params, node.inputs)


def _batch_step(node: Node, operand: TensorType, batch: list[int]) -> int:
    """Distance between the matrices of an operand; 0 if all batches share one."""
    own = math.prod(operand.shape[:-2])
    if own == 1:
        return 0
    if own != math.prod(batch):
        raise UnsupportedOpError(f"batch_matmul that repeats some of the axes of {operand.shape}", where=node.name)
    return operand.shape[-2] * operand.shape[-1]
