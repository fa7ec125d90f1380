"""TFLite files to float and integer graphs."""

from edgetx.frontends.tflite import activation, arithmetic, convolution, movement, recurrent, state
from edgetx.frontends.tflite.importer import import_tflite, load_tflite

__all__ = ["activation", "arithmetic", "convolution", "import_tflite", "load_tflite", "movement", "recurrent", "state"]
