"""The output forms: TFLite, ONNX and C."""
