"""Operators over constants, such as those that compute shapes, evaluated by ONNX's own reference."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from edgetx.errors import ModelError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.onnx.tensors import held
from edgetx.ir import Array

Sizes = Callable[[Sequence[Array]], int]


def _largest(arrays: Sequence[Array]) -> int:
    return sum(a.size for a in arrays)


def _broadcast(arrays: Sequence[Array]) -> int:
    return math.prod(np.broadcast_shapes(*(a.shape for a in arrays)))


def _indexed(arrays: Sequence[Array]) -> int:
    return arrays[0].size * arrays[1].size


def _multiplied(arrays: Sequence[Array]) -> int:
    a, b = arrays
    return a.size * (b.shape[-1] if b.ndim > 1 else 1) + b.size


def _listed(arrays: Sequence[Array]) -> int:
    return math.prod(map(int, arrays[0].ravel()))


def _expanded(arrays: Sequence[Array]) -> int:
    return arrays[0].size * max(1, math.prod(map(int, arrays[1].ravel())))


def _range(arrays: Sequence[Array]) -> int:
    start, limit, step = (a.item() for a in arrays)
    return abs(int((limit - start) / step)) + 1


FOLDED: Mapping[str, Sizes] = {
    **dict.fromkeys(
        ("Cast", "Ceil", "Concat", "Flatten", "Floor", "Identity", "Neg", "Not", "Reshape", "Shape", "Size", "Slice",
         "Squeeze", "Transpose", "Unsqueeze", "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin", "Sqrt", "Exp", "Log",
         "Abs", "Reciprocal", "Split", "Erf", "Sin", "Cos", "Round", "CumSum", "IsNaN", "NonZero", "Trilu", "Sigmoid",
         "Tanh", "Softmax", "Softplus", "Sign", "Clip", "ReduceMean"), _largest
    ),
    **dict.fromkeys(
        ("Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mod", "Mul",
         "Or", "Pow", "Sub", "Where"), _broadcast
    ),
    "ConstantOfShape": _listed,
    "Expand": _expanded,
    **dict.fromkeys(("Gather", "GatherND", "GatherElements"), _indexed),
    **dict.fromkeys(("ScatterND", "ScatterElements"), _largest),
    "MatMul": _multiplied,
    "Range": _range,
    "Tile": _expanded,
}  # fmt: skip
"""Operators that are evaluated, and what bounds the size of their result."""


def folded(node: onnx.NodeProto, operands: Mapping[str, Array], opset: int) -> Sequence[Array]:
    """The results of an operator of `FOLDED` over constants.

    Raises:
        ModelError: If they would be absurdly large, or the operator does not take these operands.
    """
    if node.op_type == "CumSum":  # its reference takes no axis in a list, as exporters write it
        operands = {name: data.reshape(()) if name == node.input[1] else data for name, data in operands.items()}
    arrays = [operands[name] for name in node.input if name]
    try:
        if FOLDED[node.op_type](arrays) > MAX_ELEMENTS:
            raise ModelError(f"{node.op_type} of constants is absurdly large")
        inputs = [onnx.helper.make_empty_tensor_value_info(name) for name in operands]
        outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output]
        graph = onnx.helper.make_graph([node], "constants", inputs, outputs)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
        return [held(np.asarray(array)) for array in ReferenceEvaluator(model).run(None, dict(operands))]
    except ModelError:
        raise
    except Exception as problem:  # the reference raises whatever numpy does, and errors of its own
        raise ModelError(f"{node.op_type} cannot take these constants: {problem}") from problem
