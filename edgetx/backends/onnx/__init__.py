"""ONNX output: the integer graph between QuantizeLinear and DequantizeLinear."""

from edgetx.backends.onnx.writer import write_onnx

__all__ = ["write_onnx"]
