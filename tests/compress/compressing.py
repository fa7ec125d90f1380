"""The recipe of a model that tells two tones apart, and how it is compressed."""

import numpy as np
import onnx
from onnx import TensorProto, helper
from tones import tones_recipe

RECIPE = (
    tones_recipe(
        "ds-cnn",
        "channels = 12, layers = 2, kernel = [3, 3], stride = [2, 4], dropout = 0.0",
        epochs=12,
        batch=6,
        augmentation="shift_ms = 20, gain_db = 6",
    )
    + """
[distillation]
teachers = []
views = 3

[pruning]
step = 2
keep = 0.7
rounds = 2
epochs = 4
learning_rate = 1e-2

[quantization_aware]
epochs = 2
batch = 4
"""
)


def linear_onnx(path, size, outputs):
    """Write a model of one softmax regression; returns its path and weights."""
    weight = np.random.default_rng(0).normal(size=(size, outputs)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Softmax", ["m"], ["y"], axis=-1)]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path, weight
