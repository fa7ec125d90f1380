"""TFLite output: the flatbuffer, its C array and op resolver."""

from edgetx.backends.tflite.writer import write_tflite

__all__ = ["write_tflite"]
