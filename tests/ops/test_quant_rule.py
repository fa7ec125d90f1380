"""Constants as integers."""

import numpy as np

from edgetx.ir import QuantParams, TensorType
from edgetx.ops.quant_rule import BIAS_MAX, Bias, Weight

X = TensorType((1, 4), "int8", QuantParams((0.05,), 3))
Y = TensorType((1, 2), "int8", QuantParams((0.1,), 0))


def bias_for(weight: np.ndarray, bias: list[float]) -> tuple[np.ndarray, QuantParams]:
    integers, quant = Weight(0).quantize(weight, [X], Y)
    return Bias().quantize(np.array(bias), [X, TensorType(integers.shape, "int8", quant)], Y)


def test_largest_weight_of_each_channel_becomes_127() -> None:
    integers, quant = Weight(0).quantize(np.array([[0.5, -1.0], [0.25, 0.0]]), [X], Y)
    assert integers.tolist() == [[64, -127], [127, 0]]
    assert quant.axis == 0
    np.testing.assert_allclose(quant.scale, [1 / 127, 0.25 / 127], rtol=1e-6)


def test_all_zero_weight_stays_finite() -> None:
    integers, quant = Weight(0).quantize(np.zeros((2, 3)), [X], Y)
    assert not integers.any()
    assert all(np.isfinite(quant.scale))


def test_bias_of_a_dead_channel_survives() -> None:
    integers, quant = bias_for(np.array([[1.0, -0.5], [1e-9, 0.0]]), [0.7, 5.0])
    np.testing.assert_allclose(integers * np.array(quant.scale), [0.7, 5.0], rtol=1e-4)


def test_bias_leaves_room_in_the_accumulator() -> None:
    integers, _ = bias_for(np.array([[1e-6, 0.0], [1e-6, 0.0]]), [1e6, -1e6])
    assert integers.tolist() == [BIAS_MAX, -BIAS_MAX]
    assert integers.dtype == np.int32
