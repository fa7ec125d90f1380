"""TFLite output: the flatbuffer, and the sources that put it into a TFLite Micro firmware."""

from edgetx.backends.tflite.micro import micro_sources
from edgetx.backends.tflite.writer import write_tflite

__all__ = ["micro_sources", "write_tflite"]
