"""Keras models through TensorFlow, where it is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgetx.compiler.source import load_source
from edgetx.errors import ModelError, ToolchainError
from edgetx.frontends import tensorflow_export
from edgetx.frontends.keras import load_keras


def test_missing_tensorflow_is_an_error_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setenv("EDGETX_TENSORFLOW", str(python))
    with pytest.raises(ToolchainError, match="TensorFlow") as error:
        load_keras(tmp_path / "model.keras")
    assert "pip install" in error.value.hint
    assert "EDGETX_TENSORFLOW" in error.value.hint


def test_python_that_does_not_exist_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGETX_TENSORFLOW", str(tmp_path / "nothing"))
    with pytest.raises(ToolchainError, match="cannot run"):
        load_keras(tmp_path / "model.keras")


def test_exporter_without_tensorflow_says_so(tmp_path: Path) -> None:
    """It needs nothing but Python itself to say so."""
    script = Path(tensorflow_export.__file__)
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(script), "a", "b"], capture_output=True, text=True, check=False
    )
    assert run.returncode == tensorflow_export.WITHOUT_TENSORFLOW


MODEL = """
import sys
from tensorflow import keras
layers = keras.layers
keras.utils.set_random_seed(0)
convolutional = keras.Sequential([
    layers.Input((16, 10, 1)), layers.Conv2D(4, 3, padding="same", use_bias=False), layers.BatchNormalization(),
    layers.ReLU(), layers.DepthwiseConv2D(3, strides=2), layers.GlobalAveragePooling2D(), layers.Dense(5),
    layers.Softmax(),
])
recurrent = keras.Sequential([layers.Input((6, 4)), layers.LSTM(5), layers.Dense(3)])
x = keras.Input((None, 4), name="frames")
open_time = keras.Model(x, layers.GlobalAveragePooling1D()(layers.Conv1D(3, 3, padding="same")(x)))
for name, model in (("convolutional", convolutional), ("recurrent", recurrent), ("open", open_time)):
    model.save(f"{sys.argv[1]}/{name}.keras")
    model.save(f"{sys.argv[1]}/{name}.h5")
    model.export(f"{sys.argv[1]}/{name}")
import tensorflow as tf
v1 = tf.compat.v1
with tf.Graph().as_default() as graph:
    v1.placeholder(tf.string, (), name="recording")
    frames = v1.placeholder(tf.float32, (None, 6, 4), name="frames")
    loud = tf.square(frames, name="loud")
    tf.nn.softmax(tf.reshape(loud, (-1, 24)) @ tf.constant([[0.1, -0.2, 0.3]] * 24), name="answers")
    open(f"{sys.argv[1]}/frozen.pb", "wb").write(graph.as_graph_def().SerializeToString())
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, made by the Python that has TensorFlow."""
    python = os.environ.get("EDGETX_TENSORFLOW", sys.executable)
    if subprocess.run([python, "-c", "import tensorflow"], capture_output=True, check=False).returncode:
        pytest.skip("TensorFlow is not installed")
    folder = tmp_path_factory.mktemp("keras")
    subprocess.run([python, "-c", MODEL, str(folder)], capture_output=True, check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5", ""])
@pytest.mark.parametrize("name", ["convolutional", "recurrent"])
def test_imported_model_computes_what_tensorflow_does(models: Path, name: str, suffix: str) -> None:
    """`load_keras` compares and raises; here that it is not a comparison with nothing."""
    graph = load_source(str(models / f"{name}{suffix}")).graph
    assert graph.outputs[0].type.size == (5 if name == "convolutional" else 3)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ""])
def test_open_axis_takes_the_size_that_is_given(models: Path, suffix: str) -> None:
    path = str(models / f"open{suffix}")
    with pytest.raises(ModelError, match="no fixed shape") as error:
        load_source(path)
    assert "--set input." in error.value.hint
    assert load_source(path, {"frames": "7"}).graph.inputs[0].shape == (1, 7, 4)


@pytest.mark.slow
def test_frozen_graph_begins_where_it_is_told_to(models: Path) -> None:
    whole = load_source(str(models / "frozen.pb")).graph
    assert "square" in {node.op.name for node in whole.nodes}
    assert whole.inputs[0].shape == (1, 6, 4)
    part = load_source(str(models / "frozen.pb"), {"loud": "1,6,4"}).graph
    assert "square" not in {node.op.name for node in part.nodes}
    (models / "damaged.pb").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match="not a frozen graph"):
        load_source(str(models / "damaged.pb"))


@pytest.mark.slow
def test_damaged_file_is_refused(models: Path) -> None:
    (models / "damaged.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="TensorFlow cannot convert it"):
        load_keras(models / "damaged.keras")
