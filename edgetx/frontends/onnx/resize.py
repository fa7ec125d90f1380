"""ONNX operators that change the size of images."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Array, Value

NEAREST: Mapping[str, Callable[[Array], Array]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
}


@operator("Resize", "Upsample")
def _resize(
    s: Scope, x: Value, roi: Value | None = None, scales: Value | None = None, sizes: Value | None = None
) -> Value:
    if s.node.op_type == "Upsample" or s.opset < 11:
        scales = roi
    mode = s.text("mode", "nearest")
    default = "asymmetric" if s.opset < 11 else "half_pixel"
    places = s.text("coordinate_transformation_mode", default)
    factors = _factors(s, x, scales, sizes)
    count = [max(int(np.floor(n * f)), 1) for n, f in zip(x.shape, factors, strict=True)]
    if sizes is not None:
        count = list(s.integers(sizes, "the size"))
    if int(np.prod(count, dtype=object)) > MAX_ELEMENTS or len(count) != x.type.rank:
        raise ModelError(f"resizing of {x.shape} to {count}")
    if mode == "nearest":
        rule = s.text("nearest_mode", "round_prefer_floor" if s.opset >= 11 else "floor")
        if rule not in NEAREST:
            raise ModelError(f"resizing by the nearest in mode '{rule}'")
        for axis, (n, m, f) in enumerate(zip(x.shape, count, factors, strict=True)):
            if m != n:
                indices = np.clip(NEAREST[rule](_places(places, n, m, f)), 0, n - 1)
                x = s.gather(x, axis, indices.astype(int).tolist())
        return x
    return _linear(s, x, count, factors, mode, places)


def _linear(s: Scope, x: Value, count: Sequence[int], factors: Sequence[float], mode: str, places: str) -> Value:
    """As channels-last interpolation over the last two axes."""
    known = places in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    exact = all(abs(n * f - m) < 1e-3 for n, f, m in zip(x.shape, factors, count, strict=True))
    if mode not in ("linear", "bilinear") or not known or not exact or x.type.rank not in (3, 4):
        raise UnsupportedOpError(f"resizing in mode '{mode}', {places}", hint="resize by nearest or linear")
    if tuple(count[:2]) != x.shape[:2]:
        raise UnsupportedOpError("resizing of channels", hint="resize rows and columns")
    image = s.reshape(x, (*x.shape[:2], *[1] * (4 - x.type.rank), *x.shape[2:]))
    last = s.transpose(image, (0, 2, 3, 1))
    size = (1, count[2]) if x.type.rank == 3 else (count[2], count[3])
    centred = places in ("half_pixel", "pytorch_half_pixel")
    y = s.result(ops.ResizeBilinear(size, places == "align_corners", centred), last)
    return s.reshape(s.transpose(y, (0, 3, 1, 2)), count)


def _factors(s: Scope, x: Value, scales: Value | None, sizes: Value | None) -> list[float]:
    if sizes is not None:
        return [m / n for m, n in zip(s.integers(sizes, "the size"), x.shape, strict=True)]
    listed = s.attributes.get("scales") if scales is None else s.data(scales, "the scales").ravel().tolist()
    if listed is None or len(listed) != x.type.rank or min(listed) <= 0:
        raise ModelError(f"resizing of {x.shape} by {listed}")
    return [float(f) for f in listed]


def _places(mode: str, n: int, m: int, factor: float) -> Array:
    """Where in the operand the elements of the result lie."""
    at = np.arange(m, dtype=np.float64)
    match mode:
        case "half_pixel":
            return (at + 0.5) / factor - 0.5
        case "pytorch_half_pixel":
            return (at + 0.5) / factor - 0.5 if m > 1 else at
        case "align_corners":
            return at * ((n - 1) / max(m - 1, 1))
        case "asymmetric":
            return at / factor
    raise UnsupportedOpError(f"resizing with places by '{mode}'", hint="use half_pixel, align_corners or asymmetric")


@operator("DepthToSpace")
def _depth_to_space(s: Scope, x: Value) -> Value:
    block = s.integer("blocksize", 1)
    batch, channels, height, width = x.shape
    if block < 1 or channels % block**2:
        raise ModelError(f"blocks of {block} in {channels} channels")
    depth = channels // block**2
    if s.text("mode", "DCR") == "DCR":
        split, order = (batch, block, block, depth, height, width), (0, 3, 4, 1, 5, 2)
    else:
        split, order = (batch, depth, block, block, height, width), (0, 1, 4, 2, 5, 3)
    return s.reshape(s.transpose(s.reshape(x, split), order), (batch, depth, height * block, width * block))


@operator("SpaceToDepth")
def _space_to_depth(s: Scope, x: Value) -> Value:
    block = s.integer("blocksize", 1)
    batch, channels, height, width = x.shape
    if block < 1 or height % block or width % block:
        raise ModelError(f"blocks of {block} in {x.shape}")
    split = s.reshape(x, (batch, channels, height // block, block, width // block, block))
    moved = s.transpose(split, (0, 3, 5, 1, 2, 4))
    return s.reshape(moved, (batch, channels * block**2, height // block, width // block))
