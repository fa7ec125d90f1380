"""ONNX files to float and integer graphs."""

from edgetx.frontends.onnx import activation, arithmetic, convolution, movement, recurrent
from edgetx.frontends.onnx.importer import import_onnx, load_onnx

__all__ = ["activation", "arithmetic", "convolution", "import_onnx", "load_onnx", "movement", "recurrent"]
