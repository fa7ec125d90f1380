"""Dilated convolutions as TensorFlow writes them: space to batch, a convolution, batch to space.

Between the two operators a value is the image itself, padded, and its block; nothing is rearranged.
"""

from dataclasses import dataclass
from typing import Any

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value
from edgetx.ops.window import Pair


@dataclass(frozen=True)
class Spread:
    """An image of which every `block`-th element is an image of a batch of its own.

    Attributes:
        block: Rows and columns.
        rank: Axes of what was spread, 3 or 4.
    """

    block: Pair
    rank: int


ELEMENTWISE = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU",
               "QUANTIZE")  # fmt: skip
"""Operators that a value may pass in this form, besides convolutions."""
WITH_CONSTANT = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "SUB", "MUL")
"""Operators that it may pass if their other operands are constants."""
RESHAPING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")


@builtin("SPACE_TO_BATCH_ND")
def _space_to_batch(s: Scope, x: Value, block: Value, paddings: Value) -> Value:
    sizes = s.integers(block, "the block")
    pads = [(int(a), int(b)) for a, b in s.data(paddings, "the padding").reshape(-1, 2)]
    if x.type.rank != len(sizes) + 2 or x.type.rank not in (3, 4) or x.shape[0] != 1 or len(pads) != len(sizes):
        raise UnsupportedOpError(f"space to batch of {x.shape} by {sizes}", hint="use the dilation of convolutions")
    image = s.reshape(x, (1, *[1] * (4 - x.type.rank), *x.shape[1:]))
    rows, columns = ([(0, 0)] * (2 - len(pads)) + pads)[:2]
    height, width = ((1,) * (2 - len(sizes)) + sizes)[:2]
    y = s.op(ops.Pad(((0, 0), rows, columns, (0, 0))), image)
    if y.shape[1] % height or y.shape[2] % width:
        raise ModelError(f"space to batch of {y.shape} by {sizes}")
    s.spread[y.name] = Spread((height, width), x.type.rank)
    return y


@builtin("BATCH_TO_SPACE_ND")
def _batch_to_space(s: Scope, x: Value, block: Value, crops: Value) -> Value:
    spread = s.spread.get(x.name)
    sizes = s.integers(block, "the block")
    if spread is None or spread.block != ((1,) * (2 - len(sizes)) + sizes):
        raise UnsupportedOpError("batch to space without space to batch", hint="use the dilation of convolutions")
    cuts = [(int(a), int(b)) for a, b in s.data(crops, "the crops").reshape(-1, 2)]
    for axis, (before, after) in enumerate([(0, 0)] * (2 - len(cuts)) + cuts, 1):
        x = s.slice(x, axis, before, x.shape[axis] - after)
    return x if spread.rank == 4 else s.reshape(x, (1, *x.shape[2:]))


def dilated(s: Scope, conv: ops.Conv2D | ops.DepthwiseConv2D, x: Value, size: Pair) -> dict[str, Any]:
    """What changes in a convolution that does to a spread image what `conv` does to each image of the batch."""
    spread = s.spread[x.name]
    if conv.stride != (1, 1) or conv.dilation != (1, 1) or (conv.padding == "same" and size != (1, 1)):
        raise UnsupportedOpError("convolution with stride or padding between space to batch and batch to space")
    return {"dilation": spread.block, "padding": "valid"}
