"""How closely an imported graph must agree with what its file computes."""

from collections.abc import Mapping

import numpy as np

from edgetx.ir import Array

LEAST_DB: Mapping[str, float] = {"float": 60.0, "hybrid": 20.0, "integer": 20.0, "requantized": 8.0}
"""Ratio of signal to difference below which an import is wrong: rounding of single precision, or of 8 bits.

Where the file computes in integers and the graph in real numbers, the ratio is what these integers cost the file; the
worst of the sound files surveyed has 11 dB.
"""
SILENCE = 1e-6
"""What is smaller is neither signal nor error."""


def ratio_db(expected: Array, found: Array) -> float | None:
    """Ratio of signal to error; None if there is no error."""
    floor = SILENCE * expected.size**0.5
    error, signal = (float(np.linalg.norm(x.astype(np.float64).ravel())) for x in (expected - found, expected))
    if not np.isfinite(error):
        return -np.inf
    return None if error <= floor else round(20 * float(np.log10(max(signal, floor) / error)), 1)


def is_wrong(ratio: float | None, kind: str) -> bool:
    """Whether a graph with that ratio computes something else than its file.

    Args:
        ratio: As of `ratio_db`.
        kind: In what the two compute, a key of `LEAST_DB`.
    """
    return ratio is not None and ratio < LEAST_DB[kind]
