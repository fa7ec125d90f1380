"""Files of TensorFlow 1, whose activations and weights are bytes without sign: the same numbers, less 128."""

from dataclasses import replace

import numpy as np

from edgetx.frontends.tflite.file import ABSENT, Subgraph, Tensor

SIGN = 0x80
BORDER = ("QUANTIZE", "DEQUANTIZE")
"""Operators between bytes with and without sign, as newer files have them at their ends."""


def signed(subgraph: Subgraph) -> Subgraph:
    """The subgraph with signed bytes, if it computes with others."""
    computing = [operator for operator in subgraph.operators if operator.builtin not in BORDER]
    touched = {index for o in computing for index in (*o.inputs, *o.outputs) if index != ABSENT}
    if not any(_is_unsigned(subgraph.tensors[index]) for index in touched):
        return subgraph
    return replace(subgraph, tensors=tuple(_signed(t) if _is_unsigned(t) else t for t in subgraph.tensors))


def _is_unsigned(tensor: Tensor) -> bool:
    return tensor.type == "UINT8" and bool(tensor.scale)


def _signed(tensor: Tensor) -> Tensor:
    data = tensor.data and (np.frombuffer(tensor.data, np.uint8) ^ SIGN).tobytes()
    return replace(tensor, type="INT8", zero_point=tuple(z - SIGN for z in tensor.zero_point), data=data)
