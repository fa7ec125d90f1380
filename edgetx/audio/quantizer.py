"""From features in Q9 straight to the int8 inputs of a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.errors import QuantError
from edgetx.fixedpoint import quantize

_MANTISSA_BITS = 30


@dataclass(frozen=True)
class FeatureQuantizer:
    """(feature · mantissa + offset) >> shift, saturated to int8."""

    mantissa: int
    offset: int
    shift: int

    def __call__(self, features: NDArray[np.generic]) -> NDArray[np.int8]:
        """Model inputs of features in Q9."""
        value = (np.asarray(features, np.int64) * self.mantissa + self.offset) >> self.shift
        return np.asarray(np.clip(value, -128, 127), np.int8)


def fit_quantizer(front: FixedPointFrontEnd, scale: float, zero_point: int) -> FeatureQuantizer:
    """The multiplication that gives every possible feature the value that floating point gives it.

    Raises:
        QuantError: If there is none: rounding errors of floating point leave no straight line.
    """
    features = np.arange(*front.range)
    wanted = quantize(front.normalize(features).astype(np.float32), scale, zero_point, "int8")
    slope = 1 / (2**9 * front.frontend.std * scale)
    shift = _MANTISSA_BITS - int(np.floor(np.log2(slope)))
    mantissa = round(slope * 2.0**shift)
    steps = np.flatnonzero(np.diff(wanted))
    below, above = wanted[steps].astype(np.int64), wanted[steps + 1].astype(np.int64)
    least = max(((above << shift) - features[steps + 1] * mantissa).tolist(), default=0)
    most = min((((below + 1) << shift) - features[steps] * mantissa).tolist(), default=1) - 1
    quantizer = FeatureQuantizer(mantissa, (least + most) // 2, shift)
    if (quantizer(features) != wanted).any():
        raise QuantError(
            "features at rounding ties of the model's input",
            hint="calibrate otherwise: --set quantization.calibration=minmax, percentile or mse",
        )
    return quantizer
