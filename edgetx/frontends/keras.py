"""Keras models and SavedModels to float graphs, through TensorFlow's own converter to TFLite."""

import importlib
import os
import tempfile
from pathlib import Path
from types import ModuleType

from edgetx.errors import ModelError, ToolchainError
from edgetx.frontends.tflite import import_tflite
from edgetx.ir import Graph


def load_keras(path: Path) -> Graph:
    """Read a `.keras` or `.h5` file, or the folder of a SavedModel.

    Raises:
        ToolchainError: If TensorFlow is not installed.
        ModelError: If TensorFlow cannot read or convert the model.
        UnsupportedOpError: If it contains an operator without integer form.
    """
    tensorflow = _tensorflow()
    try:
        content = _converted(tensorflow, path)
    except Exception as problem:  # TensorFlow raises whatever its readers and its converter raise
        raise ModelError(f"TensorFlow cannot convert it: {_first_line(problem)}", where=str(path)) from problem
    return import_tflite(content, path.stem)


def _converted(tensorflow: ModuleType, path: Path) -> bytes:
    """The model as float TFLite; a Keras model is exported as a SavedModel first, which freezes its weights."""
    if path.is_dir():
        return bytes(tensorflow.lite.TFLiteConverter.from_saved_model(str(path)).convert())
    model = tensorflow.keras.models.load_model(str(path), compile=False)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        return _converted(tensorflow, Path(folder))


def _tensorflow() -> ModuleType:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return importlib.import_module("tensorflow")
    except ModuleNotFoundError:
        raise ToolchainError(
            "Keras models are read by TensorFlow, which is not installed", hint="pip install 'edgetx[tensorflow]'"
        ) from None


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0]
