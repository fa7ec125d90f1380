"""Calibration data of models with several inputs."""

from pathlib import Path

import numpy as np
import pytest

from edgetx import ops
from edgetx.compiler.data import inputs_end_to_end
from edgetx.compiler.quantized import as_inputs, quantize_model
from edgetx.errors import DataError, QuantError
from edgetx.ir import Graph, GraphBuilder
from edgetx.quant import QuantRecipe


def graph() -> Graph:
    b = GraphBuilder("two")
    x, y = b.input("x", (1, 3, 2)), b.input("y", (1, 2))
    return b.graph(b.op(ops.Add(), x, y))


def test_each_input_is_calibrated(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {"in0": rng.normal(0, 1, (5, 3, 2)), "in1": rng.normal(0, 9, (5, 2))}
    np.savez(tmp_path / "calib.npz", **arrays)
    samples = inputs_end_to_end(tmp_path / "calib.npz", graph())
    first, second = as_inputs(graph(), samples)[0]
    np.testing.assert_allclose(first, arrays["in0"][:1], rtol=1e-6)
    np.testing.assert_allclose(second, arrays["in1"][:1], rtol=1e-6)
    integer = quantize_model(graph(), samples, QuantRecipe()).graph
    assert integer.inputs[1].type.scale > 3 * integer.inputs[0].type.scale


def test_missing_input_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "calib.npz", in0=np.zeros((5, 3, 2)))
    with pytest.raises(DataError, match="no 'in1' of N × 2"):
        inputs_end_to_end(tmp_path / "calib.npz", graph())


def test_hint_names_the_keys() -> None:
    with pytest.raises(QuantError) as error:
        as_inputs(graph(), np.empty(0))
    assert "in0, in1" in error.value.hint
