"""The floating-point meaning against PyTorch."""

from collections.abc import Callable

import numpy as np
import pytest

from edgetx import ops
from edgetx.ops import Op

torch = pytest.importorskip("torch")
F = torch.nn.functional
RNG = np.random.default_rng(0)


def channels_first(function: Callable[..., "torch.Tensor"]) -> Callable[..., "torch.Tensor"]:
    return lambda x, *rest: function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)


def conv(x: "torch.Tensor", w: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    return F.conv2d(x, w.permute(0, 3, 1, 2), b, stride=(2, 1), dilation=(1, 2)).relu()


def depthwise(x: "torch.Tensor", w: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    return F.conv2d(x, w.permute(3, 0, 1, 2), b, stride=(1, 2), groups=x.shape[1])


def same(x: "torch.Tensor", w: "torch.Tensor") -> "torch.Tensor":
    return F.conv2d(x, w.permute(0, 3, 1, 2), padding="same")


def attention(q: "torch.Tensor", k: "torch.Tensor", v: "torch.Tensor") -> "torch.Tensor":
    q, k, v = (t.unflatten(2, (2, -1)).transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


IMAGE, TOKENS = (1, 9, 8, 4), (1, 7, 6)

PAIRS: list[tuple[Op, list[tuple[int, ...]], Callable[..., "torch.Tensor"]]] = [
    (ops.FullyConnected("relu"), [TOKENS, (5, 6), (5,)], lambda x, w, b: F.linear(x, w, b).relu()),
    (ops.FullyConnected(), [TOKENS, (5, 6)], F.linear),
    (ops.Conv2D((2, 1), (1, 2), "valid", "relu"), [IMAGE, (3, 3, 2, 4), (3,)], channels_first(conv)),
    (ops.Conv2D(padding="same"), [IMAGE, (3, 4, 3, 4)], channels_first(same)),
    (ops.DepthwiseConv2D((1, 2)), [IMAGE, (1, 3, 2, 8), (8,)], channels_first(depthwise)),
    (ops.AveragePool2D((3, 2), (2, 1)), [IMAGE], channels_first(lambda x: F.avg_pool2d(x, (3, 2), (2, 1)))),
    (ops.MaxPool2D((3, 2), (2, 1)), [IMAGE], channels_first(lambda x: F.max_pool2d(x, (3, 2), (2, 1)))),
    (ops.Add(), [TOKENS, (6,)], torch.add),
    (ops.Sub("relu6"), [TOKENS, (1, 7, 1)], lambda a, b: F.relu6(a - b)),
    (ops.Mul(), [TOKENS, (1,)], torch.mul),
    (ops.BatchMatmul(), [(2, 3, 4), (2, 4, 5)], torch.matmul),
    (ops.BatchMatmul(True, True), [(2, 4, 3), (1, 5, 4)], lambda a, b: a.mT @ b.mT),
    (ops.Softmax(), [TOKENS], lambda x: x.softmax(-1)),
    (ops.WideSoftmax(), [TOKENS], lambda x: x.softmax(-1)),
    (ops.Softmax(0.3), [TOKENS], lambda x: (0.3 * x).softmax(-1)),
    (ops.LayerNorm(1e-5), [TOKENS, (6,), (6,)], lambda x, g, b: F.layer_norm(x, (6,), g, b, 1e-5)),
    (ops.RmsNorm(1e-5), [TOKENS, (6,)], lambda x, g: F.rms_norm(x, (6,), g, 1e-5)),
    (ops.L2Normalization(), [TOKENS], lambda x: F.normalize(x, dim=-1)),
    (ops.Attention(2, 3**-0.5), [TOKENS] * 3, attention),
    (ops.Mean((1,)), [TOKENS], lambda x: x.mean(1)),
    (ops.Mean((1, 2), True), [IMAGE], lambda x: x.mean((1, 2), keepdim=True)),
    (ops.Pad(((0, 0), (1, 2), (0, 3))), [TOKENS], lambda x: F.pad(x, (0, 3, 1, 2))),
    (ops.Transpose((0, 2, 1)), [TOKENS], lambda x: x.mT),
    (ops.Reshape((1, 42)), [TOKENS], lambda x: x.flatten(1)),
    (ops.StridedSlice((0, 1, 0), (1, 7, 6), (1, 2, 3)), [TOKENS], lambda x: x[:, 1::2, ::3]),
    (ops.Concatenation(1), [TOKENS, TOKENS], lambda a, b: torch.cat([a, b], 1)),
    (ops.Quantize(), [TOKENS], torch.clone),
    (ops.Gelu(), [TOKENS], F.gelu),
    (ops.Gelu("tanh"), [TOKENS], lambda x: F.gelu(x, approximate="tanh")),
    (ops.Silu(), [TOKENS], F.silu),
    (ops.Softplus(), [TOKENS], F.softplus),
    (ops.Step(), [TOKENS], lambda x: (x > 0).to(x.dtype)),
    (ops.TableSoftmax(0.3), [TOKENS], lambda x: (0.3 * x).softmax(-1)),
    (
        ops.ResizeBilinear((9, 4), half_pixel_centers=True),
        [(1, 7, 5, 3)],
        lambda x: F.interpolate(x.permute(0, 3, 1, 2), (9, 4), mode="bilinear").permute(0, 2, 3, 1),
    ),
    (ops.WideExp(), [TOKENS], torch.exp),
    (ops.HardSwish(), [TOKENS], F.hardswish),
    (ops.Logistic(), [TOKENS], torch.sigmoid),
    (ops.Tanh(), [TOKENS], torch.tanh),
    (ops.Relu(), [TOKENS], F.relu),
    (ops.Relu6(), [TOKENS], F.relu6),
    (ops.Erf(), [TOKENS], torch.erf),
    (ops.Floor(), [TOKENS], torch.floor),
    (ops.Sin(), [TOKENS], torch.sin),
    (ops.ArgMax(1), [TOKENS], lambda x: x.argmax(1).float()),
    (ops.Lookup(wraps=True), [(5, 6), (1, 7)], lambda table, i: table[i.round().long() % 5]),
    (ops.Lookup(), [(5, 6), (1, 7)], lambda table, i: table[i.round().clamp(0, 4).long()]),
    (ops.Atan(), [TOKENS], torch.atan),
    (ops.Round(), [TOKENS], torch.round),
    (ops.Exp(), [TOKENS], torch.exp),
    (ops.Neg(), [TOKENS], torch.neg),
    (ops.Abs(), [TOKENS], torch.abs),
    (ops.Elu(), [TOKENS], F.elu),
    (ops.Clip(-0.5, 1.25), [TOKENS], lambda x: x.clamp(-0.5, 1.25)),
    (ops.LeakyRelu(0.2), [TOKENS], lambda x: F.leaky_relu(x, 0.2)),
    (ops.Log(), [TOKENS], lambda x: x.clamp(min=torch.finfo(x.dtype).tiny).log()),
    (ops.Hypot(), [TOKENS, TOKENS], torch.hypot),
    (ops.Power(3.0), [TOKENS], lambda x: x**3),
    (ops.Power(-0.5), [TOKENS], lambda x: (x**-0.5).nan_to_num(0)),
    (ops.Maximum(), [TOKENS, (6,)], torch.maximum),
    (ops.Minimum(), [TOKENS, (1, 7, 1)], torch.minimum),
    (ops.ReduceMax((1,)), [TOKENS], lambda x: x.amax(1)),
    (ops.Gather(1, (2, 0, 2)), [TOKENS], lambda x: x[:, [2, 0, 2]]),
    (ops.Square(), [TOKENS], torch.square),
    (ops.Sqrt(), [TOKENS], lambda x: x.clamp(min=0).sqrt()),
    (ops.Rsqrt(), [TOKENS], lambda x: x.clamp(min=torch.finfo(x.dtype).tiny).rsqrt()),
]


@pytest.mark.parametrize(("op", "shapes", "function"), PAIRS, ids=lambda value: getattr(value, "name", ""))
def test_float_reference_equals_torch(
    op: Op, shapes: list[tuple[int, ...]], function: Callable[..., "torch.Tensor"]
) -> None:
    operands = [RNG.normal(0, 3, shape).astype(np.float32) for shape in shapes]
    (found,) = op.float_ref(*operands)
    expected = function(*map(torch.from_numpy, operands)).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_every_op_is_compared() -> None:
    elsewhere = {"lif", "linear_recurrence", "lmu", "lstm_cell", "shift_in"}  # they have tests of their own
    assert {op.name for op, *_ in PAIRS} == set(ops.REGISTRY) - elsewhere
