"""TFLite files to float and integer graphs."""

from edgetx.frontends.tflite import (
    activation,
    arithmetic,
    comparison,
    convolution,
    dilation,
    movement,
    recurrent,
    resize,
    spectrum,
    state,
)
from edgetx.frontends.tflite.importer import import_tflite, load_tflite

__all__ = [
    "activation",
    "arithmetic",
    "comparison",
    "convolution",
    "dilation",
    "import_tflite",
    "load_tflite",
    "movement",
    "recurrent",
    "resize",
    "spectrum",
    "state",
]
