"""How an op wants its operands and results quantized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np

from edgetx.fixedpoint import quantize
from edgetx.ir import Array, DType, QuantParams, TensorType

PLACES = 16, QuantParams((1.0,))
"""Width and quantization of whole numbers that are places of elements."""
PLACES_MAX = 1 << 15
"""Places that these can tell apart."""


class Result(Enum):
    """Where the quantization of a result comes from."""

    CALIBRATED = "calibrated"
    SAME_AS_INPUT = "same"


class ConstRule(Protocol):
    """How a constant operand becomes integers, once the types of activations are known."""

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """Integers and their parameters.

        Args:
            data: The real values.
            inputs: Types of the node's operands, quantized up to this one.
            output: Quantized type of the node's result.
        """


DEAD_CHANNEL = 2.0**-12
"""A channel whose weights are smaller than this part of the largest one changes no result visibly."""
BIAS_MAX = 1 << 30
"""Leaves half of an int32 accumulator to the products."""


@dataclass(frozen=True)
class Weight:
    """int8, symmetric, one scale per index of `axis` (per tensor if None).

    The scale of a dead channel is not let down to its weights, so that the channel's bias still fits.
    """

    axis: int | None = 0

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """Scale the largest magnitude of each channel to 127."""
        others = None if self.axis is None else tuple(i for i in range(data.ndim) if i != self.axis % data.ndim)
        peak = np.abs(data).max(axis=others, keepdims=True)
        peak = np.maximum(peak, peak.max() * DEAD_CHANNEL)
        scale = np.where(peak > 0, peak, 1.0).astype(np.float64) / 127
        scale = scale.astype(np.float32).astype(np.float64)
        axis = None if self.axis is None else self.axis % data.ndim
        return quantize(data, scale, 0, "int8"), QuantParams(tuple(map(float, np.ravel(scale))), 0, axis)


@dataclass(frozen=True)
class Bias:
    """int32 in the units of the accumulator: scale of operand `x` times scale of operand `weight`."""

    x: int = 0
    weight: int = 1

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """Scales multiply; int32, or int64 for 16-bit activations, saturated at `BIAS_MAX`."""
        weight = inputs[self.weight].quant
        if weight is None:
            raise ValueError("the weight must be quantized before the bias")
        scale = tuple(inputs[self.x].scale * s for s in weight.scale)
        dtype: DType = "int64" if inputs[self.x].dtype == "int16" else "int32"
        steps = np.clip(data / np.array(scale), -BIAS_MAX, BIAS_MAX)
        return quantize(steps, 1.0, 0, dtype), QuantParams(scale, 0, None if len(scale) == 1 else 0)


@dataclass(frozen=True)
class StateRule:
    """What the state of a recurrence, its last operand, is quantized like, and how wide it is at least.

    Attributes:
        results: Results that have the quantization of the state; the last one always does.
        bits: Width with which the op computes it.
    """

    results: tuple[int, ...]
    bits: int = 16


@dataclass(frozen=True)
class QuantRule:
    """Quantization of one op.

    Attributes:
        result: Calibrated, the operand's own, or, by width of the activations in bits, fixed by the op.
        consts: Operand index to the rule for it when it is a constant; constants at other indices are quantized
            like activations, over their own range.
        symmetric: Operands whose zero point must be 0.
        shared: Whether all activations, operands and results, have one quantization.
        fixed: For the index of a result, the width and the quantization that the op prescribes for it alone.
        fixed_operands: The same for the index of an operand.
        state: The rule for the state, if the op has one.
        own_widths: Whether each operand and result has its own width instead of the widest among them.
    """

    result: Result | Mapping[int, QuantParams] = Result.CALIBRATED
    consts: Mapping[int, ConstRule] = field(default_factory=dict)
    symmetric: tuple[int, ...] = ()
    shared: bool = False
    fixed: Mapping[int, tuple[int, QuantParams]] = field(default_factory=dict)
    fixed_operands: Mapping[int, tuple[int, QuantParams]] = field(default_factory=dict)
    state: StateRule | None = None
    own_widths: bool = False


CALIBRATED = QuantRule()
SAME_AS_INPUT = QuantRule(Result.SAME_AS_INPUT)
