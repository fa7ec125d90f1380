"""TFLite operators that change the size of images."""

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("RESIZE_NEAREST_NEIGHBOR")
def _nearest(s: Scope, x: Value, size: Value) -> Value:
    options = s.options(tflite.ResizeNearestNeighborOptions)
    align, centred = bool(options.AlignCorners()), bool(options.HalfPixelCenters())
    for axis, count in enumerate(_size(s, x, size), 1):
        n = x.shape[axis]
        scale = np.float32((n - 1) / (count - 1)) if align and count > 1 else np.float32(n) / np.float32(count)
        places = (np.arange(count, dtype=np.float32) + np.float32(0.5 if centred else 0)) * scale
        nearest = np.floor(places + np.float32(0.5)) if align else np.floor(places)
        x = s.gather(x, axis, np.clip(nearest, 0, n - 1).astype(int).tolist())
    return x


@builtin("RESIZE_BILINEAR")
def _bilinear(s: Scope, x: Value, size: Value) -> Value:
    options = s.options(tflite.ResizeBilinearOptions)
    s.same_quantization(x)
    align, centred = bool(options.AlignCorners()), bool(options.HalfPixelCenters())
    return s.result(ops.ResizeBilinear(_size(s, x, size), align, centred), x)


def _size(s: Scope, x: Value, size: Value) -> tuple[int, int]:
    wanted = s.integers(size, "the size")
    if x.type.rank != 4 or len(wanted) != 2 or min(wanted) < 1 or max(wanted) > MAX_ELEMENTS:
        raise ModelError(f"resizing of {x.shape} to {wanted}")
    return wanted[0], wanted[1]
