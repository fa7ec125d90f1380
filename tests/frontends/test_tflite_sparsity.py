"""Sparse constants come back whole, and damaged ones are refused."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import tflite

from edgetx.errors import ModelError
from edgetx.frontends.tflite.sparsity import densified

DENSE, SPARSE = tflite.DimensionType.DENSE, tflite.DimensionType.SPARSE_CSR


@dataclass
class Level:
    """Stands for `DimensionMetadata`."""

    kind: int
    size: int = 0
    segments: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)

    def Format(self) -> int:  # noqa: N802
        return self.kind

    def DenseSize(self) -> int:  # noqa: N802
        return self.size


@dataclass
class Sparsity:
    """Stands for `SparsityParameters`."""

    order: list[int]
    levels: list[Level]
    blocks: list[int] = field(default_factory=list)

    def TraversalOrder(self, i: int) -> int:  # noqa: N802
        return self.order[i]

    def TraversalOrderLength(self) -> int:  # noqa: N802
        return len(self.order)

    def BlockMap(self, i: int) -> int:  # noqa: N802
        return self.blocks[i]

    def BlockMapLength(self) -> int:  # noqa: N802
        return len(self.blocks)

    def DimMetadata(self, i: int) -> Level:  # noqa: N802
        return self.levels[i]

    def DimMetadataLength(self) -> int:  # noqa: N802
        return len(self.levels)


@pytest.fixture(autouse=True)
def plain_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def integers(level: Level, part: str) -> np.ndarray:
        return np.array(level.segments if part == "ArraySegments" else level.indices, np.int64)

    monkeypatch.setattr("edgetx.frontends.tflite.sparsity._integers", integers)


def rows(segments: list[int], indices: list[int]) -> Sparsity:
    return Sparsity([0, 1], [Level(DENSE, 3), Level(SPARSE, 0, segments, indices)])


def test_rows_of_which_some_elements_are_there() -> None:
    found = densified(rows([0, 1, 1, 3], [2, 0, 3]), np.array([5, 6, 7], np.int8), (3, 4))
    np.testing.assert_array_equal(found, [[0, 0, 5, 0], [0, 0, 0, 0], [6, 0, 0, 7]])


def test_blocks_walked_by_columns() -> None:
    """Blocks of 2 x 2 in a matrix of 4 x 4, column by column; the block itself row by row."""
    sparsity = Sparsity(
        [1, 0, 2, 3],
        [Level(DENSE, 2), Level(SPARSE, 0, [0, 1, 2], [1, 0]), Level(DENSE, 2), Level(DENSE, 2)],
        [0, 1],
    )
    found = densified(sparsity, np.arange(1, 9, dtype=np.int8), (4, 4))
    np.testing.assert_array_equal(found, [[0, 0, 5, 6], [0, 0, 7, 8], [1, 2, 0, 0], [3, 4, 0, 0]])


@pytest.mark.parametrize(
    ("sparsity", "message"),
    [
        (rows([0, 1, 1], [0]), "segments"),
        (rows([0, 2, 1, 3], [0, 1, 2]), "segments"),
        (rows([0, 1, 2, 3], [0, 1]), "segments"),
        (rows([0, 1, 1, 2], [0, 1]), "3 values for 2 places"),
        (Sparsity([0, 0], rows([0, 1, 1, 3], [0, 1, 2]).levels), "axes"),
        (Sparsity([0, 1], [Level(DENSE, 1 << 20), Level(DENSE, 1 << 20)]), "absurd size"),
    ],
)
def test_damage_is_reported(sparsity: Sparsity, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        densified(sparsity, np.array([5, 6, 7], np.int8), (3, 4))


@pytest.mark.parametrize("index", [4, -1])
def test_index_outside_is_reported(index: int) -> None:
    with pytest.raises(ModelError, match="outside"):
        densified(rows([0, 1, 1, 3], [index, 0, 3]), np.array([5, 6, 7], np.int8), (3, 4))
