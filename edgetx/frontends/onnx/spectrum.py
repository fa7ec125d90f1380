"""ONNX Fourier transforms, as matrix products; a complex number is a real and an imaginary part along the last axis."""

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.frontends.spectra import forward_matrix, transform_matrix
from edgetx.ir import Array, Value


@operator("DFT")
def _dft(s: Scope, x: Value, length: Value | None = None, axis: Value | None = None) -> Value:
    """x [..., n, ..., 1 or 2] along any axis but the last, forwards or back."""
    s.real_only(x)
    along = s.integers(axis, "the axis of a transform")[0] if axis else s.integer("axis", 1 if s.opset < 20 else -2)
    along, parts = s.axis(along, x.type.rank), x.shape[-1]
    inverse, onesided = bool(s.integer("inverse", 0)), bool(s.integer("onesided", 0))
    given = 2 * (x.shape[along] - 1) if inverse and onesided else x.shape[along]
    count = s.integers(length, "the length of a transform")[0] if length else given
    taken = min(x.shape[along], count // 2 + 1 if inverse and onesided else count)
    if along == x.type.rank - 1 or parts not in (1, 2) or not 0 < count * taken <= MAX_ELEMENTS // 4:
        raise UnsupportedOpError(f"transform of {x.shape} along axis {along} to {count}", hint="transform less at once")

    def transform(rows: Array) -> Array:
        if inverse:
            return np.fft.irfft(rows, count) if onesided else np.fft.ifft(rows, count)
        return np.fft.fft(rows, count)[..., : count // 2 + 1 if onesided else count]

    matrix = transform_matrix(transform, taken, of_complex=parts == 2)
    order = [i for i in range(x.type.rank) if i not in (along, x.type.rank - 1)]
    moved = s.transpose(s.slice(x, along, 0, taken), (*order, along, x.type.rank - 1))
    rows = s.reshape(moved, (*moved.shape[:-2], taken * parts))
    y = s.op(ops.FullyConnected(), rows, s.const(matrix, "transform"))
    width = 1 if inverse and onesided else 2
    apart = s.reshape(y, (*moved.shape[:-2], len(matrix) // width, width))
    return s.transpose(apart, np.argsort([*order, along, x.type.rank - 1]).tolist())


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
