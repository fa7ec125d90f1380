"""Fourier transforms as matrices."""

from collections.abc import Callable

import numpy as np

from edgetx.ir import Array


def forward_matrix(taken: int, length: int, bins: int | None = None) -> Array:
    """The transform of real numbers.

    Args:
        taken: Numbers that there are; beyond them are zeros.
        length: Length of the transform.
        bins: Frequencies; those up to half the sampling rate by default.

    Returns:
        [2 · bins, taken]: real and imaginary part of each frequency in turn.
    """
    count = length // 2 + 1 if bins is None else bins
    angle = -2 * np.pi / length * np.outer(np.arange(count), np.arange(taken))
    return np.stack([np.cos(angle), np.sin(angle)], 1).reshape(2 * count, taken).astype(np.float32)


def transform_matrix(transform: Callable[[Array], Array], taken: int, *, of_complex: bool) -> Array:
    """Any linear transform along the last axis; the parts of complex numbers lie side by side.

    Args:
        transform: The transform of rows.
        taken: Numbers in a row.
        of_complex: Whether they are complex.

    Returns:
        [numbers of the result, numbers of the operand], complex ones counted twice.
    """
    basis = np.eye(taken)
    if of_complex:
        basis = np.stack([basis, 1j * basis], 1).reshape(2 * taken, taken)
    made = transform(basis)
    if np.iscomplexobj(made):
        made = np.stack([made.real, made.imag], -1).reshape(len(basis), -1)
    return np.asarray(made.T, np.float32)
