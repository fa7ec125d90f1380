"""TFLite convolutions of volumes: each plane of the result is one of images, with the planes it reads as channels."""

from dataclasses import replace

import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import TensorType, Value
from edgetx.ops.window import Window

LARGEST_DEPTH = 128
"""Planes that are written out."""


@builtin("CONV_3D")
def _conv_3d(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    """x [1, depth, height, width, in]; w [depth, height, width, in, out]."""
    options = s.options(tflite.Conv3DOptions)
    weight = s.data(w, "the weight of a convolution")
    if weight.ndim != 5 or x.type.rank != 5 or x.shape[0] != 1 or x.shape[4] != weight.shape[3]:
        raise ModelError(f"convolution of {x.shape} with a weight {weight.shape}")
    depth, stride, dilation = weight.shape[0], options.StrideD(), options.DilationDFactor()
    padding = s.padding(options.Padding())
    window = Window((depth, 1), (stride, 1), (dilation, 1), padding)
    column = TensorType((1, x.shape[1], 1, 1))
    planes, pads = window.output(column)[0], window.pads(column)[0]
    if planes > LARGEST_DEPTH:
        raise UnsupportedOpError(f"convolution to {planes} planes", hint=f"{LARGEST_DEPTH} at most")
    conv = ops.Conv2D(
        (options.StrideH(), options.StrideW()), (options.DilationHFactor(), options.DilationWFactor()), padding
    )
    x = s.op(ops.Pad(((0, 0), pads, (0, 0), (0, 0), (0, 0))), x) if any(pads) else x
    images = [s.reshape(s.slice(x, 1, i, i + 1), (1, *x.shape[2:])) for i in range(x.shape[1])]
    flat = s.const(weight.transpose(4, 1, 2, 0, 3).reshape(weight.shape[4], *weight.shape[1:3], -1), "weight")

    def plane(first: int) -> Value:
        read = [images[first + i * dilation] for i in range(depth)]
        whole = read[0] if depth == 1 else s.op(ops.Concatenation(3), *read)
        y = s.clamped(lambda a: replace(conv, activation=a), options.FusedActivationFunction(), whole, flat, *biases)
        return s.reshape(y, (1, *y.shape))

    biases = [bias] if bias else []
    found = [plane(i * stride) for i in range(planes)]
    return found[0] if planes == 1 else s.op(ops.Concatenation(1), *found)
