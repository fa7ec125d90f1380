"""Patchout: leaving tokens out while training (PaSST: Koutini et al., 2022, arXiv 2110.05069)."""

import torch
from torch import Tensor


class Patchout:
    """Leaves out whole frames, whole bands of features, and single tokens; what is left keeps its order.

    Training gets faster and sees fewer of the accidents of its clips. Evaluation and export see all tokens.

    Args:
        grid: Rows (frames) and columns (features) of patches.
        tokens: How many single tokens go, of those that the others leave.
        rows: How many rows go.
        columns: How many columns go.

    Raises:
        ValueError: If nothing would be left.
    """

    def __init__(self, grid: tuple[int, int], tokens: int, rows: int, columns: int) -> None:
        if rows >= grid[0] or columns >= grid[1] or tokens >= (grid[0] - rows) * (grid[1] - columns):
            raise ValueError(f"patchout leaves nothing of {grid[0]} × {grid[1]} tokens")
        self.grid, self.left_out = grid, (tokens, rows, columns)

    def __call__(self, placed: Tensor) -> Tensor:
        """Some of the placed tokens, the same ones for the whole batch; a class token in front always stays."""
        (rows, columns), (tokens, fewer_rows, fewer_columns) = self.grid, self.left_out
        index = torch.arange(rows * columns).reshape(rows, columns)
        index = index[_some(rows, rows - fewer_rows)][:, _some(columns, columns - fewer_columns)].flatten()
        index = index[_some(len(index), len(index) - tokens)]
        front = placed.shape[1] - rows * columns
        kept = torch.cat((torch.arange(front), index + front)).to(placed.device)
        return placed[:, kept]


def _some(count: int, wanted: int) -> Tensor:
    """Random indices below `count`, in order."""
    return torch.randperm(count)[:wanted].sort().values
