"""Constants that a file keeps without most of their zeros."""

from typing import Any

import numpy as np
import tflite

from edgetx.errors import ModelError
from edgetx.ir import Array

LARGEST = 1 << 22
"""Places that are walked at most."""
SEGMENTS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


def densified(sparsity: Any, values: Array, shape: tuple[int, ...]) -> Array:
    """The whole constant.

    Its axes, and behind them those of the blocks that it is divided into, are walked in the order that the file says;
    along a sparse one only some places are there.

    Raises:
        ModelError: If the description does not fit the values.
    """
    order = [sparsity.TraversalOrder(i) for i in range(sparsity.TraversalOrderLength())]
    of_block = [sparsity.BlockMap(i) for i in range(sparsity.BlockMapLength())]
    levels = [sparsity.DimMetadata(i) for i in range(sparsity.DimMetadataLength())]
    if sorted(order) != list(range(len(shape) + len(of_block))) or len(levels) != len(order):
        raise ModelError(f"damaged TFLite file: axes {order} of a sparse tensor")
    places = np.zeros((1, 0), np.int64)
    for level in levels:
        places = _walked(places, level)
    sizes = {axis: levels[order.index(len(shape) + i)].DenseSize() for i, axis in enumerate(of_block)}
    index = [places[:, order.index(axis)] for axis in range(len(shape))]
    for i, axis in enumerate(of_block):
        index[axis] = index[axis] * sizes[axis] + places[:, order.index(len(shape) + i)]
    if any(((i < 0) | (i >= n)).any() for i, n in zip(index, shape, strict=True)):
        raise ModelError(f"damaged TFLite file: an element outside of a sparse tensor of {shape}")
    if len(places) != len(values):
        raise ModelError(f"damaged TFLite file: {len(values)} values for {len(places)} places of a sparse tensor")
    whole = np.zeros(shape, values.dtype)
    whole[tuple(index)] = values
    return whole


def _walked(places: Array, level: Any) -> Array:
    """Every place so far, with each of the places along one more axis."""
    if level.Format() == tflite.DimensionType.DENSE:
        size = level.DenseSize()
        if not 0 <= size * len(places) <= LARGEST:
            raise ModelError("damaged TFLite file: a sparse tensor of absurd size")
        counts, last = np.full(len(places), size), np.tile(np.arange(size), len(places))
    else:
        ends, last = (_integers(level, part) for part in ("ArraySegments", "ArrayIndices"))
        counts = np.diff(ends)
        if len(counts) != len(places) or (counts < 0).any() or ends[0] or ends[-1] != len(last):
            raise ModelError("damaged TFLite file: segments of a sparse tensor")
    return np.concatenate([np.repeat(places, counts, 0), last[:, None]], 1)


def _integers(level: Any, part: str) -> Array:
    kind, table = getattr(level, f"{part}Type")(), getattr(level, part)()
    if kind not in SEGMENTS or table is None:
        raise ModelError("damaged TFLite file: a sparse tensor without indices")
    vector = SEGMENTS[kind]()
    vector.Init(table.Bytes, table.Pos)
    return np.array(vector.ValuesAsNumpy(), np.int64).reshape(-1)
