"""Tensor types: shape, element type and quantization, all static."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = tuple[Array, ...]
DType: TypeAlias = Literal["float32", "int8", "int16", "int32", "int64", "uint8", "bool"]

DTYPE_BYTES: dict[DType, int] = {
    "float32": 4, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "bool": 1,
}  # fmt: skip


_BY_NAME: dict[str, DType] = {dtype: dtype for dtype in DTYPE_BYTES}


def dtype_of(data: Array) -> DType:
    """Element type of an array."""
    return _BY_NAME[data.dtype.name]


@dataclass(frozen=True)
class QuantParams:
    """Affine quantization: real = scale · (q − zero_point).

    Attributes:
        scale: One scale per tensor, or one per index of `axis`.
        zero_point: The integer that stands for 0.0; 0 for symmetric and for per-axis quantization.
        axis: The quantized axis of per-axis quantization, else None.
    """

    scale: tuple[float, ...]
    zero_point: int = 0
    axis: int | None = None

    def __str__(self) -> str:
        spread = f"{min(self.scale):.6g}..{max(self.scale):.6g}@{self.axis}"
        return f"{self.scale[0]:.6g}:{self.zero_point}" if self.axis is None else spread


@dataclass(frozen=True)
class TensorType:
    """Shape, element type and (for integer graphs) quantization of a tensor."""

    shape: tuple[int, ...]
    dtype: DType = "float32"
    quant: QuantParams | None = None

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor in memory."""
        return self.size * DTYPE_BYTES[self.dtype]

    @property
    def is_float(self) -> bool:
        """Whether elements are floating point."""
        return self.dtype == "float32"

    @property
    def scale(self) -> float:
        """The scale of per-tensor quantization."""
        return self.per_tensor.scale[0]

    @property
    def zero_point(self) -> int:
        """The zero point of per-tensor quantization."""
        return self.per_tensor.zero_point

    @property
    def per_tensor(self) -> QuantParams:
        """The per-tensor quantization parameters; asking for absent ones is a bug."""
        if self.quant is None or self.quant.axis is not None:
            raise ValueError(f"{self} has no per-tensor quantization")
        return self.quant

    @property
    def qmin(self) -> int:
        """Smallest integer of the element type."""
        return int(np.iinfo(self.dtype).min)

    @property
    def qmax(self) -> int:
        """Largest integer of the element type."""
        return int(np.iinfo(self.dtype).max)

    def with_shape(self, shape: tuple[int, ...]) -> "TensorType":
        """The same element type and quantization in another shape."""
        return replace(self, shape=shape)

    def with_quant(self, dtype: DType, quant: QuantParams | None) -> "TensorType":
        """The same shape with another element type and quantization."""
        return replace(self, dtype=dtype, quant=quant)

    def __str__(self) -> str:
        text = f"{self.dtype}[{'x'.join(map(str, self.shape))}]"
        return text if self.quant is None else f"{text}<{self.quant}>"


@dataclass(frozen=True)
class Value:
    """A named tensor: a graph input, a constant, a state or the result of a node."""

    name: str
    type: TensorType

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.type.shape

    def __str__(self) -> str:
        return f"%{self.name}"
