"""ONNX files to float and integer graphs."""

from edgetx.frontends.onnx import (
    activation,
    arithmetic,
    comparison,
    contrib,
    convolution,
    movement,
    recurrent,
    resize,
    spectrum,
)
from edgetx.frontends.onnx.importer import import_onnx, load_onnx

__all__ = [
    "activation",
    "arithmetic",
    "comparison",
    "contrib",
    "convolution",
    "import_onnx",
    "load_onnx",
    "movement",
    "recurrent",
    "resize",
    "spectrum",
]
