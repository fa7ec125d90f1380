"""Keras models and SavedModels to float graphs, through TensorFlow's own converter to TFLite."""

import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

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
        content = bytes(_converter(tensorflow, path).convert())
    except Exception as problem:  # TensorFlow raises whatever its readers and its converter raise
        raise ModelError(f"TensorFlow cannot convert it: {_first_line(problem)}", where=str(path)) from problem
    return import_tflite(content, path.stem)


def _converter(tensorflow: ModuleType, path: Path) -> Any:
    """A converter with a batch of 1."""
    if path.is_dir():
        return tensorflow.lite.TFLiteConverter.from_saved_model(str(path))
    model = tensorflow.keras.models.load_model(str(path), compile=False)
    signatures = [tensorflow.TensorSpec((1, *x.shape[1:]), x.dtype) for x in model.inputs]
    function = tensorflow.function(lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0]))
    return tensorflow.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function(*signatures)], model)


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
