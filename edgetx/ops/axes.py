"""Loops of the C kernels that walk through tensors of any shape."""

from collections.abc import Sequence

from edgetx.errors import UnsupportedOpError

MAX_AXES = 4


def merge_axes(where: str, sizes: Sequence[int], *steps: Sequence[int]) -> list[tuple[int, ...]]:
    """The fewest axes that visit the same elements in the same order, filled up to `MAX_AXES` at the front.

    Args:
        where: The node, for the error.
        sizes: Size of each axis.
        steps: For each tensor that is walked through, the distance between neighbours along each axis.

    Returns:
        Sizes, then the steps of each tensor.

    Raises:
        UnsupportedOpError: If too many axes are left.
    """
    axes: list[tuple[int, ...]] = []
    for size, *step in zip(sizes, *steps, strict=True):
        if size == 1:
            continue
        if axes and list(axes[-1][1:]) == [s * size for s in step]:
            axes[-1] = (axes[-1][0] * size, *step)
        else:
            axes.append((size, *step))
    if len(axes) > MAX_AXES:
        raise UnsupportedOpError(
            f"moves through {len(axes)} axes, at most {MAX_AXES} are possible in C",
            where=where,
            hint="reshape so that fewer axes differ",
        )
    front = [(1, *[0] * len(steps))] * (MAX_AXES - len(axes))
    return list(zip(*front, *axes, strict=True))
