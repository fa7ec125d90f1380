"""What packed forms of kernels have in common: contents of operands, and tables of rescalings."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from edgetx.fixedpoint import Int
from edgetx.ir import Array
from edgetx.ops import KernelCall

Data = Sequence[Array | None]
"""Contents of the operands of a call; None for those computed at run time."""
Packer = Callable[[KernelCall, Data], Sequence[KernelCall]]
Words = npt.NDArray[np.int32]

LANES = 4
"""Outputs, and inputs, that the kernels treat together."""
SUM_LIMIT = 1 << 23
"""Two sums share an accumulator; one of them has its upper 24 bits."""
SHIFT_LIMIT = 20
COPIED_ROWS = 8
"""Constants are copied into RAM if they are used for so many rows."""


def rescaling_table(mantissas: Int, shifts: Int, zero_point: int) -> Words | None:
    """What `etx_rescale.h` reads for each output; None if a multiplier shifts to the left or very far."""
    right = np.where(mantissas == 0, 1, -shifts)
    if right.min() < 1 or right.max() > SHIFT_LIMIT:
        return None
    return np.stack([mantissas, (1 << right - 1) + (zero_point << right), right], 1).astype(np.int32)


def padded(array: Array, *shape: int) -> Int:
    """Zeros behind every axis."""
    return np.pad(array.astype(np.int64), [(0, size - had) for size, had in zip(shape, array.shape, strict=True)])


def round_up(size: int) -> int:
    """To whole words of bytes."""
    return -(-size // LANES) * LANES


def integer(value: int | Sequence[int]) -> int:
    """A parameter that is no list."""
    assert isinstance(value, int)
    return value
