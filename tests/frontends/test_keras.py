"""Keras models through TensorFlow, where it is installed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from edgetx.compiler.source import load_source
from edgetx.errors import ModelError, ToolchainError
from edgetx.frontends.keras import load_keras
from edgetx.reference import execute


def test_missing_tensorflow_is_an_error_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ToolchainError, match="TensorFlow") as error:
        load_keras(tmp_path / "model.keras")
    assert "pip install" in error.value.hint


@pytest.fixture
def model(tmp_path: Path):
    keras = pytest.importorskip("tensorflow").keras
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential([
        layers.Input((16, 10, 1)), layers.Conv2D(4, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.ReLU(), layers.DepthwiseConv2D(3, strides=2), layers.GlobalAveragePooling2D(), layers.Dense(5),
        layers.Softmax(),
    ])  # fmt: skip


@pytest.mark.parametrize("kind", ["model.keras", "model.h5", "saved"])
def test_imported_model_computes_what_keras_does(model, tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    model.save(path) if path.suffix else model.export(path)
    x = np.random.default_rng(0).normal(0, 1, (1, 16, 10, 1)).astype(np.float32)
    (found,) = execute(load_source(str(path)).graph, [x])
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=1e-5)


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    (tmp_path / "model.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="TensorFlow cannot convert it"):
        load_keras(tmp_path / "model.keras")
