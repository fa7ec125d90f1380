"""Quantized operators of ONNX Runtime as what they stand for: DequantizeLinear, a standard operator, QuantizeLinear.

Contracts of the operators: `ContribOperators.md` of ONNX Runtime, and the ONNX specification for QLinearConv and
QLinearMatMul. A quantized operand is followed by its scale and its zero point.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import NodeProto
from onnx.helper import make_node

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx.scope import MICROSOFT


@dataclass(frozen=True)
class Form:
    """Where a quantized operator has what its standard operator takes.

    Attributes:
        op: The standard operator.
        operands: Places of quantized operands.
        result: Place of the scale of the result.
        bias: Place of a bias of 32 bits, in units of the product of the operands' scales.
        channels: Axis of the scales of the second operand, if it has several.
    """

    op: str
    operands: tuple[int, ...] = (0,)
    result: int = 3
    bias: int | None = None
    channels: int = -1


PAIR = (0, 3)
FORMS: Mapping[str, Form] = {
    "QGemm": Form("Gemm", PAIR, 7, bias=6),
    "QLinearAdd": Form("Add", PAIR, 6),
    "QLinearAveragePool": Form("AveragePool"),
    "QLinearConcat": Form("Concat", (), 0),
    "QLinearConv": Form("Conv", PAIR, 6, bias=8, channels=0),
    "QLinearGlobalAveragePool": Form("GlobalAveragePool"),
    "QLinearLeakyRelu": Form("LeakyRelu"),
    "QLinearMatMul": Form("MatMul", PAIR, 6),
    "QLinearMul": Form("Mul", PAIR, 6),
    "QLinearReduceMean": Form("ReduceMean"),
    "QLinearSigmoid": Form("Sigmoid"),
    "QLinearSoftmax": Form("Softmax"),
}


def standard_nodes(nodes: Sequence[NodeProto]) -> Iterator[NodeProto]:
    """The nodes with quantized operators taken apart."""
    zeros: dict[str, str] = {}
    for node in nodes:
        if node.op_type in FORMS:
            made = list(_static(node, FORMS[node.op_type]))
        elif node.op_type in DYNAMIC:
            made = list(DYNAMIC[node.op_type](node))
        elif node.domain == MICROSOFT and node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            made = [_made(node, node.op_type, node.input, node.output)]
        elif node.op_type == "Pad" and len(node.input) > 2 and node.input[2] == zeros.get(node.input[0], ""):
            made = [_made(node, "Pad", [*node.input[:2], "", *node.input[3:]], node.output)]  # with zeros
        else:
            made = [node]
        zeros.update((n.output[0], n.input[2]) for n in made if n.op_type == "QuantizeLinear" and len(n.input) > 2)
        yield from made


def _made(node: NodeProto, op: str, inputs: Sequence[str], outputs: Sequence[str]) -> NodeProto:
    """A standard operator with the attributes of a node."""
    standard = make_node(op, inputs, outputs, node.name)
    standard.attribute.extend(node.attribute)
    return standard


def _static(node: NodeProto, form: Form) -> Iterator[NodeProto]:
    names, result, operands = list(node.input), node.output[0], list[str]()
    attributes = {a.name: a.i for a in node.attribute}
    if attributes.get("channels_last"):
        raise UnsupportedOpError(f"{node.op_type} with channels last", where=result)
    for place in form.operands or range(2, len(names), 3):
        axis = -1 if not operands else 0 if attributes.get("transB") else form.channels
        operands.append(f"{result}.operand{place}")
        yield make_node("DequantizeLinear", names[place : place + 3], operands[-1:], axis=axis)
    if form.bias is not None and any(names[form.bias : form.bias + 1]):
        scale, bias = f"{result}.scale", f"{result}.bias"
        yield make_node("Mul", [names[place + 1] for place in form.operands], [scale])
        yield make_node("DequantizeLinear", [names[form.bias], scale], [bias], axis=0)
        operands.append(bias)
    quantization = names[form.result : form.result + 2]
    real = f"{result}.real" if any(quantization) else result
    yield _made(node, form.op, operands, [real])
    if any(quantization):
        yield make_node("QuantizeLinear", [real, *quantization], [result])


def _as_it_runs(name: str, result: str) -> Iterator[NodeProto]:
    """A real operand that is quantized when the model runs."""
    parts = [f"{result}.{part}" for part in ("integers", "scale", "zero")]
    yield make_node("DynamicQuantizeLinear", [name], parts)
    yield make_node("DequantizeLinear", parts, [f"{result}.operand"])


def _matmul(node: NodeProto) -> Iterator[NodeProto]:
    """DynamicQuantizeMatMul: a, b, and scale and zero point of b."""
    a, *b, bias = [*node.input, *[""] * 5][:5]
    yield from _as_it_runs(a, node.output[0])
    yield from _product(node, f"{node.output[0]}.operand", b, bias)


def _matmul_to_float(node: NodeProto) -> Iterator[NodeProto]:
    """MatMulIntegerToFloat: integers a and b, their scales, and their zero points."""
    a, b, a_scale, b_scale, a_zero, b_zero, bias = [*node.input, *[""] * 7][:7]
    operand = f"{node.output[0]}.operand"
    yield make_node("DequantizeLinear", [a, a_scale, a_zero], [operand])
    yield from _product(node, operand, [b, b_scale, b_zero], bias)


def _product(node: NodeProto, a: str, b: Sequence[str], bias: str) -> Iterator[NodeProto]:
    result = node.output[0]
    weight, product = f"{result}.weight", f"{result}.product" if bias else result
    yield make_node("DequantizeLinear", b, [weight], axis=-1)
    yield make_node("MatMul", [a, weight], [product])
    if bias:
        yield make_node("Add", [product, bias], [result])


LSTM_SCALES = {1: 8, 2: 10}
"""Places of weights, and those of their scales and zero points."""


def _lstm(node: NodeProto) -> Iterator[NodeProto]:
    """DynamicQuantizeLSTM: weights [directions, in, gates · size] with a scale for each direction, or each column."""
    names, result = list(node.input), next((name for name in node.output if name), None)
    if result is None:
        raise ModelError("damaged ONNX file: DynamicQuantizeLSTM without a result")
    yield from _as_it_runs(names[0], result)
    names[0], shape = f"{result}.operand", f"{result}.shape"
    yield make_node("Constant", [], [shape], value_ints=[0, 1, -1])
    for place, scale in LSTM_SCALES.items():
        held = f"{result}.weight{place}"
        for part, name in (("scale", names[scale]), ("zero", names[scale + 1])):
            yield make_node("Cast", [name], [f"{held}.{part}.real"], to=onnx.TensorProto.FLOAT)
            yield make_node("Reshape", [f"{held}.{part}.real", shape], [f"{held}.{part}"])
        yield make_node("Cast", [names[place]], [f"{held}.real"], to=onnx.TensorProto.FLOAT)
        yield make_node("Sub", [f"{held}.real", f"{held}.zero"], [f"{held}.centred"])
        yield make_node("Mul", [f"{held}.centred", f"{held}.scale"], [f"{held}.scaled"])
        yield make_node("Transpose", [f"{held}.scaled"], [held], perm=[0, 2, 1])
        names[place] = held
    yield _made(node, "LSTM", names[: min(LSTM_SCALES.values())], node.output)


def _attention(node: NodeProto) -> Iterator[NodeProto]:
    """QAttention: integers of operand and weight, a real bias, the two scales, a mask, and the two zero points."""
    x, weight, bias, x_scale, weight_scale, mask, x_zero, weight_zero = [*node.input, *[""] * 8][:8]
    result = node.output[0]
    yield make_node("DequantizeLinear", [x, x_scale, x_zero], [f"{result}.operand"])
    yield make_node("DequantizeLinear", [weight, weight_scale, weight_zero], [f"{result}.weight"], axis=-1)
    made = _made(node, "Attention", [f"{result}.operand", f"{result}.weight", bias, mask], node.output)
    made.domain = MICROSOFT
    yield made


DYNAMIC: Mapping[str, Callable[[NodeProto], Iterator[NodeProto]]] = {
    "DynamicQuantizeLSTM": _lstm,
    "DynamicQuantizeMatMul": _matmul,
    "MatMulIntegerToFloat": _matmul_to_float,
    "QAttention": _attention,
}
