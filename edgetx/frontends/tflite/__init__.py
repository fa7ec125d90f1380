"""TFLite files to float and integer graphs."""

from edgetx.frontends.tflite import (
    activation,
    arithmetic,
    comparison,
    convolution,
    dilation,
    movement,
    places,
    recurrent,
    resize,
    rounding,
    spectrum,
    state,
    volume,
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
    "places",
    "recurrent",
    "resize",
    "rounding",
    "spectrum",
    "state",
    "volume",
]
