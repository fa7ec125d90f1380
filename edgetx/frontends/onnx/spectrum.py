"""ONNX Fourier transforms, as matrix products; a complex number is a real and an imaginary part along the last axis."""

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.frontends.spectra import forward_matrix
from edgetx.ir import Value


@operator("DFT")
def _dft(s: Scope, x: Value, length: Value | None = None, axis: Value | None = None) -> Value:
    """x [..., n, 1] along the axis before the last."""
    along = s.integers(axis, "the axis of a transform")[0] if axis else s.integer("axis", 1 if s.opset < 20 else -2)
    along = s.axis(along, x.type.rank)
    n = x.shape[along]
    count = s.integers(length, "the length of a transform")[0] if length else n
    if x.shape[-1] != 1 or s.integer("inverse", 0) or along != x.type.rank - 2 or x.type.quant:
        raise UnsupportedOpError(f"transform of {x.shape} along axis {along}", hint="transform real numbers, forwards")
    taken = min(n, count)
    rows = s.reshape(s.slice(x, along, 0, taken), (*x.shape[:-2], taken))
    bins = count // 2 + 1 if s.integer("onesided", 0) else count
    matrix = s.const(forward_matrix(taken, count, bins), "transform")
    return s.reshape(s.op(ops.FullyConnected(), rows, matrix), (*x.shape[:-2], bins, 2))


@operator("STFT")
def _stft(s: Scope, x: Value, step: Value, window: Value | None = None, length: Value | None = None) -> Value:
    """x [1, samples(, 1)] to [1, frames, bins, 2]."""
    hop = s.integers(step, "the step of a transform")[0]
    weights = None if window is None else s.data(window, "the window").ravel()
    count = s.integers(length, "the length of a transform")[0] if length else 0 if weights is None else len(weights)
    samples = x.type.size
    if hop < 1 or not 0 < count <= samples:
        raise UnsupportedOpError(f"transforms of {count} of {samples} samples")
    starts = np.arange(0, samples - count + 1, hop)
    picked = s.gather(s.reshape(x, (samples,)), 0, np.add.outer(starts, np.arange(count)).ravel().tolist())
    frames = s.reshape(picked, (1, len(starts), count))
    bins = count // 2 + 1 if s.integer("onesided", 1) else count
    matrix = forward_matrix(count, count, bins) * (1 if weights is None else weights.astype(np.float32))
    product = s.op(ops.FullyConnected(), frames, s.const(matrix, "transform"))
    return s.reshape(product, (1, len(starts), bins, 2))
