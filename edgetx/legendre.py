"""The memory of a Legendre Memory Unit: its matrices, discretized, and its impulse response."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@lru_cache
def legendre_memory(order: int, theta: float) -> tuple[Matrix, Matrix]:
    """Ā and B̄ of m[t] = Ā m[t−1] + B̄ u[t], which holds the last `theta` steps of u in `order` numbers.

    Continuous matrices (Voelker, Kajić, Eliasmith, 2019), i and j from 0:
    A[i, j] = (2i+1)/θ · (−1 if i < j else (−1)^(i−j+1)), B[i] = (2i+1)/θ · (−1)^i;
    zero-order hold over one step: exp([[A, B], [0, 0]]) = [[Ā, B̄], [0, 1]].
    """
    i, j = np.indices((order, order))
    gain = (2 * np.arange(order)[:, None] + 1) / theta
    a = gain * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    b = gain * (-1.0) ** np.arange(order)[:, None]
    held = matrix_exponential(np.block([[a, b], [np.zeros((1, order + 1))]]))
    return held[:order, :order], held[:order, order]


@lru_cache
def impulse_response(order: int, theta: float, steps: int) -> Matrix:
    """The columns Ā^t B̄ for t = 0 … steps − 1: [order, steps]."""
    a, b = legendre_memory(order, theta)
    columns = [b]
    for _ in range(steps - 1):
        columns.append(a @ columns[-1])
    return np.stack(columns, axis=1)


def matrix_exponential(x: Matrix, degree: int = 8) -> Matrix:
    """The exponential of a square matrix: diagonal Padé approximant, scaling and squaring (Moler, Van Loan, 2003)."""
    squarings = max(0, math.ceil(math.log2(np.abs(x).sum(axis=0).max())) + 1)
    scaled = x / 2.0**squarings
    numerator, denominator, power = (np.eye(len(x)) for _ in range(3))
    coefficient = 1.0
    for k in range(1, degree + 1):
        coefficient *= (degree - k + 1) / (k * (2 * degree - k + 1))
        power = power @ scaled
        numerator += coefficient * power
        denominator += (-1) ** k * coefficient * power
    result: Matrix = np.linalg.solve(denominator, numerator).astype(np.float64)
    for _ in range(squarings):
        result = result @ result
    return result
