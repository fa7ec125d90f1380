"""Bilinear interpolation of images."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import Int
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule
from edgetx.ops.window import Pair

FRACTION_BITS = 10
UNIT = 1 << FRACTION_BITS


@register
@dataclass(frozen=True)
class ResizeBilinear(Op):
    """[1, H, W, C] at other rows and columns, each a mean of its neighbours weighted by their nearness.

    `align_corners` puts the corners of both images in one place; `half_pixel_centers` counts from a pixel's middle.
    In integers places have 10 fraction bits, as in TFLite.
    """

    name: ClassVar[str] = "resize_bilinear"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    size: Pair
    align_corners: bool = False
    half_pixel_centers: bool = True

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if x.rank != 4 or min(self.size) < 1:
            raise ModelError(f"resize_bilinear of {x.shape} to {self.size}")
        return (x.with_shape((x.shape[0], *self.size, x.shape[3])),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        rows, columns = self.matrices(x.shape[1:3])
        return (np.einsum("ih,jw,bhwc->bijc", rows, columns, x, optimize=True).astype(np.float32),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (x,) = inputs
        wide = x.astype(np.int64)
        for axis, (low, high, share) in enumerate(self.neighbours(x.shape[1:3]), 1):
            weight = share.reshape(-1, *[1] * (x.ndim - axis - 1))
            wide = wide.take(low, axis) * (UNIT - weight) + wide.take(high, axis) * weight
        half = np.where(wide > 0, UNIT * UNIT // 2, -(UNIT * UNIT // 2))
        rounded = np.trunc((wide + half) / (UNIT * UNIT))  # doubles hold every sum exactly
        return (rounded.astype(x.dtype),)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=6 * node.output.type.size)

    def neighbours(self, sizes: tuple[int, ...]) -> list[tuple[Int, Int, Int]]:
        """For rows and for columns: the element before, the element behind, and the weight of that in 1/1024."""
        found = []
        for n, count in zip(sizes, self.size, strict=True):
            step = (UNIT * n + count // 2) // count
            if self.align_corners and count > 1:
                step = (UNIT * (n - 1) + (count - 1) // 2) // (count - 1)
            place = np.arange(count, dtype=np.int64) * step
            if self.half_pixel_centers:
                place = place + step // 2 - UNIT // 2
            low = np.maximum(np.trunc(place / UNIT).astype(np.int64), 0)
            high = np.minimum(np.trunc((place + UNIT - 1) / UNIT).astype(np.int64), n - 1)
            found.append((low, high, place - UNIT * low))
        return found

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        size = b.const(np.array(self.size, np.int32), f"{node.name}.size")
        options = {"AlignCorners": self.align_corners, "HalfPixelCenters": self.half_pixel_centers}
        b.op(node, "RESIZE_BILINEAR", [node.inputs[0], size], options)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        shape = node.output.shape
        mode = "align_corners" if self.align_corners else "half_pixel" if self.half_pixel_centers else "asymmetric"
        image = b.op("Transpose", [b.real(node.inputs[0])], {"perm": [0, 3, 1, 2]})
        sizes = b.const(np.array([shape[0], shape[3], *self.size], np.int64))
        attributes = {"mode": "linear", "coordinate_transformation_mode": mode}
        y = b.op("Resize", [image, "", "", sizes], attributes)
        b.result(node, b.op("Transpose", [y], {"perm": [0, 2, 3, 1]}))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        rows, columns = (np.stack(parts, 1).astype(np.int32) for parts in self.neighbours(x.shape[1:3]))
        params = {
            "in_width": x.shape[2],
            "channels": x.shape[3],
            "out_height": self.size[0],
            "out_width": self.size[1],
        }
        return KernelCall(f"resize_bilinear_{KERNEL_SUFFIX[x.type.dtype]}", params, (x, rows, columns))

    def matrices(self, sizes: tuple[int, ...]) -> list[Array]:
        """For rows and for columns: the weight of each element of the operand in each of the result."""
        found = []
        for n, count in zip(sizes, self.size, strict=True):
            step = np.float32((n - 1) / (count - 1)) if self.align_corners and count > 1 else np.float32(n / count)
            middle = np.float32(0.5 if self.half_pixel_centers else 0)
            place = (np.arange(count, dtype=np.float32) + middle) * step - middle
            low = np.maximum(np.floor(place), 0).astype(int)
            high = np.minimum(np.ceil(place), n - 1).astype(int)
            share = place - low
            matrix = np.zeros((count, n), np.float32)
            np.add.at(matrix, (np.arange(count), low), 1 - share)
            np.add.at(matrix, (np.arange(count), high), share)
            found.append(matrix)
        return found
