import numpy as np
import pytest
import torch
from encoders import ENCODERS, FEATURES, FRAMES, imported
from torch import nn
from torch.nn import functional as F

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.torch import export_module, import_program, load_pt2
from edgetx.passes.pipeline import canonicalize
from edgetx.reference import execute


@pytest.mark.parametrize("name", ENCODERS)
def test_imported_graph_computes_what_torch_does(name):
    graph, x, expected = imported(name)
    np.testing.assert_allclose(execute(graph, [x])[0], expected, atol=2e-5)


@pytest.mark.parametrize("name", ENCODERS)
def test_canonical_graph_computes_what_torch_does(name):
    graph, x, expected = imported(name)
    np.testing.assert_allclose(execute(canonicalize(graph), [x])[0], expected, atol=2e-5)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "small cnn"])
def test_attention_is_fused_and_no_transpose_survives(name):
    graph = canonicalize(imported(name)[0])
    kinds = {type(node.op) for node in graph.nodes}
    assert ops.Attention in kinds
    assert not kinds & {ops.Softmax, ops.BatchMatmul, ops.Transpose}


def test_class_token_makes_the_last_layer_compute_one_row():
    graph = canonicalize(imported("one head no bias")[0])
    (attention,) = (node for node in graph.nodes if isinstance(node.op, ops.Attention))
    assert attention.output.shape == (1, 1, 16)
    assert attention.inputs[1].shape == (1, FRAMES + 1, 16)


class Wrapped(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function, self.layer = function, nn.Linear(FEATURES, 4)

    def forward(self, x):
        return self.function(self.layer(x))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: torch.cumprod(x, 1), "cumprod"),
        (lambda x: torch.nn.functional.pad(x, (1, 1), value=-torch.inf), "padding with -inf"),
        (lambda x: torch.linalg.vector_norm(x, ord=3), "norm of order 3"),
        (lambda x: torch.where(x > 0, x, -torch.inf).softmax(-1), "by what is computed"),
        (lambda x: torch.fft.rfft(x).angle(), "of complex numbers"),
        (lambda x: torch.prod(x.flatten(1).repeat(1, 9), 1), "factors"),
        (lambda x: torch.max(x, 1).indices + x.mean(1), "place of a largest"),
        (lambda x: F.scaled_dot_product_attention(x, x, x, x @ x.mT > 0), "computed mask"),
    ],
)
def test_unsupported_op_is_named(function, message):
    with pytest.raises(UnsupportedOpError, match=message):
        export_module(Wrapped(function), torch.randn(1, FRAMES, FEATURES), "model")


def clamped_in_place(x):
    x.clamp_(min=0)
    return x


def doubled_through_a_view(x):
    x[:, 2:4].mul_(2)
    return x - 1


def zero_in_the_first_row(x):
    x[:, 0] = 0
    return x * 2


def assembled(x):
    y = torch.zeros(1, FRAMES, 8)
    y[..., :4] = x
    y[..., 4:] = x.mean(1, keepdim=True)
    return y + 1


def hand_written_norm(x):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6)


def masked(x, mask, fill):
    return (x @ x.mT).masked_fill(mask, fill).softmax(-1) @ x


def written(x):
    y = torch.zeros(1, FRAMES + 1, 5)
    y[:, ::2, 4] = x[:, : FRAMES // 2 + 1, 0]
    y[:, torch.tensor([1, 3])[:, None], torch.tensor([0, 2])] = x[:, :2, :2]
    return y.scatter(2, torch.full((1, 2, 1), 3), x[:, :2, :1]) + y.diagonal(0, 1, 2).sum()


def turned(x):
    z = torch.view_as_complex(x.reshape(1, FRAMES, 2, 2)) * torch.polar(torch.ones(2), torch.tensor([0.3, 1.2]))
    return torch.view_as_real(z + z.conj() * 0.5).flatten(2)


def filtered(x):
    spectrum = torch.fft.rfft(x.mT, n=16)
    return torch.fft.irfft(spectrum * torch.fft.rfft(torch.linspace(0, 1, FRAMES), n=16), n=16) + spectrum.abs().mean()


FUNCTIONS = {
    "masked by minus infinity": lambda x: masked(x, torch.ones(FRAMES, FRAMES).triu(1).bool(), -torch.inf),
    "masked without a band": lambda x: masked(x, torch.eye(FRAMES).flip(0) > 0, -1e9),
    "attention masked without a band": lambda x: F.scaled_dot_product_attention(x, x, x, torch.eye(FRAMES).flip(0) < 1),
    "attention with a bias": lambda x: F.scaled_dot_product_attention(x, x, x, torch.eye(FRAMES) * 2),
    "grouped attention": lambda x: F.scaled_dot_product_attention(
        x.view(1, FRAMES, 4, 1).mT.permute(0, 3, 1, 2).expand(1, 4, FRAMES, 4),
        x[:, None].repeat(1, 2, 1, 1),
        x[:, None].repeat(1, 2, 1, 1),
        enable_gqa=True,
    ),
    "written into": written,
    "turned in the plane": turned,
    "filtered by its spectrum": filtered,
    "spectrum of complex numbers": lambda x: torch.view_as_real(torch.fft.ifft(torch.fft.fft(x, dim=1) * 1j, dim=1)),
    "short-time spectrum": lambda x: torch.stft(
        x.flatten(1), 8, 4, window=torch.hann_window(8), return_complex=True
    ).abs(),
    "vectors": lambda x: x @ torch.ones(4) + torch.mv(x[0], torch.arange(4.0)) + torch.dot(x[0, 0], x[0, 1]),
    "remainders": lambda x: torch.remainder(x, 0.3) + torch.fmod(x, 0.3) + x.trunc() + x.frac() + x.ceil() + x.round(),
    "angles": lambda x: x.sin() + x.cos() + x.atan() + x.sinh() - torch.log10(x.abs() + 1) + torch.log2(x.abs() + 1),
    "powers": lambda x: x.abs() ** torch.linspace(0.5, 2, 4) + 2.0**x,
    "equal": lambda x: (x.sign() == 1).float() + (x.sign() != 1) * x + torch.isnan(x),
    "distances": lambda x: torch.cdist(x, torch.eye(4)) + torch.linalg.vector_norm(x, ord=1) + x[..., :2].prod(1)[0, 0],
    "padded with a number": lambda x: F.pad(F.pad(x, (1, 1, 2, 0), value=0.5), (0, 0, 1, -2)),
    "pooling to any size": lambda x: F.adaptive_avg_pool2d(x[None], (3, 3)) + F.adaptive_max_pool2d(x[None], (3, 3)),
    "pooling with gaps": lambda x: F.max_pool2d(x[None], (3, 2), 1, 1, (2, 1)) + F.max_pool1d(x.mT, 2, 1, 0, 3).sum(),
    "pooling by another count": lambda x: F.avg_pool2d(x[None], 2, 1, 1, divisor_override=3),
    "enlarged by cubics": lambda x: (
        F.interpolate(x[None], (9, 7), mode="bicubic") + F.interpolate(x[None], (9, 7), mode="area")
    ),
    "patches": lambda x: F.unfold(x[None], (3, 2), padding=1, stride=2),
    "neighbours": lambda x: F.local_response_norm(x.mT[..., None], 3),
    "bilinear": lambda x: F.bilinear(x, x.flip(1), torch.linspace(-1, 1, 48).view(3, 4, 4)),
    "clamped by what is computed": lambda x: x.clamp(x.mean(1, keepdim=True) - 0.1, x.amax(-1, keepdim=True) * 0.5),
    "filled": lambda x: torch.full_like(x, 0.5) * x + torch.zeros_like(x) + x.new_ones(4) * x,
    "looked up": lambda x: F.embedding((x.abs() * 3).long() % 7, torch.linspace(-1, 1, 14).view(7, 2)).flatten(2),
    "looked up in eight rows": lambda x: F.embedding((x.abs() * 3).long() % 8, torch.linspace(-1, 1, 16).view(8, 2))[0],
    "whole remainders": lambda x: (49 * (x * 3).int()) % 49 + (x * 9).int() % 7,
    "places": lambda x: (
        x.argmax(-1, keepdim=True) + x.argmin(1, keepdim=True).float().mean() + x.int() + (x > 0).long().sum()
    ),
    "picked": lambda x: (
        x.gather(2, torch.tensor([[[1, 0]]]).expand(1, FRAMES, 2)).sum(-1) + x.roll(3)[..., 0] + x.tril()[..., 0]
    ),
    "clamped in place": clamped_in_place,
    "write through a view": doubled_through_a_view,
    "write of a constant": zero_in_the_first_row,
    "tensor filled by slices": assembled,
    "positions by number": lambda x: x + torch.arange(FRAMES)[:, None] / 4,
    "embedded positions": lambda x: x + F.embedding(torch.arange(FRAMES), torch.eye(FRAMES, 4)),
    "repeated token": lambda x: torch.cat([x, torch.ones(1, 1, 4).repeat(x.shape[0], 1, 1)], 1),
    "double precision within": lambda x: (x.double() * 2).float(),
    "softmax in single precision": lambda x: torch.softmax(x, -1, dtype=torch.float32),
    "softmax over frames": lambda x: torch.softmax(x, 1) * x,
    "softmax by hand": lambda x: (x - x.amax(-1, True)).exp() / (x - x.amax(-1, True)).exp().sum(-1, True),
    "layer norm by hand": hand_written_norm,
    "variance over frames": lambda x: x.var(1) + x.std(1, correction=0) + x.sum(1),
    "unit rows": lambda x: F.normalize(x, dim=-1),
    "quotient": lambda x: x / (1 + x * x),
    "largest and smallest": lambda x: torch.max(x, 1).values - x.min(1)[0] + torch.maximum(x, -x).amin(1),
    "clamped": lambda x: x.clamp(-0.3, 0.2) + x.clamp(max=0.1) + x.clamp(min=-0.1),
    "rectifiers": lambda x: F.leaky_relu(x) + F.elu(x) + F.selu(x) + F.hardsigmoid(x) + F.prelu(x, torch.tensor([0.2])),
    "slopes by frame": lambda x: F.prelu(x, torch.linspace(0, 1, FRAMES)),
    "expanded": lambda x: torch.cat([x, x.mean(1, keepdim=True).expand(-1, FRAMES, -1)], -1),
    "rolled and flipped": lambda x: torch.roll(x, 2, 1) + x.flip(1) + x[:, list(range(0, FRAMES, 2)) * 2],
    "windows": lambda x: x.unfold(1, 3, 2).flatten(2),
    "padded": lambda x: F.pad(F.pad(x, (2, 1), mode="reflect").mT, (1, 2), mode="replicate"),
    "padded pooling": lambda x: F.max_pool2d(x, 3, 2, 1) + F.avg_pool2d(x, 3, 2, 1),
    "largest of each channel": lambda x: F.adaptive_max_pool1d(x, 1),
    "pooling of what there is": lambda x: F.avg_pool2d(x[None], 3, 2, 1, count_include_pad=False),
    "pooling beyond the end": lambda x: F.max_pool1d(x.mT, 3, 2, ceil_mode=True),
    "pooling to a size": lambda x: F.adaptive_avg_pool1d(x.mT[..., :6], 3),
    "log of softmax": lambda x: torch.log_softmax(x, -1),
    "comparisons": lambda x: torch.where((x > 0.1) & (x <= 0.5), x, -x) + (x >= x.mean(1, keepdim=True)) * x.sign(),
    "logarithms near one": lambda x: torch.log1p(x * x) + torch.expm1(x) + torch.cumsum(x, 1),
    "groups normalized": lambda x: F.group_norm(x.mT, 2, torch.arange(4.0), torch.ones(4)),
    "instances normalized": lambda x: F.instance_norm(x.mT),
    "transposed convolution": lambda x: F.conv_transpose1d(
        x.mT, torch.linspace(-1, 1, 48).view(4, 3, 4), None, 2, 1, 1
    ),
    "transposed in groups": lambda x: F.conv_transpose2d(
        x.mT[..., None], torch.linspace(-1, 1, 48).view(4, 2, 3, 2), stride=2, groups=2, dilation=(2, 1)
    ),
    "upsampled": lambda x: F.interpolate(x.mT, scale_factor=2) + F.interpolate(x.mT, 2 * FRAMES, mode="linear"),
    "upsampled images": lambda x: F.interpolate(x[None], (7, 9), mode="bilinear", align_corners=True),
    "image without batch": lambda x: F.conv2d(x, torch.ones(2, 1, 3, 2) / 6, padding=1),
    "groups": lambda x: F.conv1d(x, torch.arange(48.0).reshape(4, 6, 2) / 48, groups=2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_imported_function_computes_what_torch_does(name):
    torch.manual_seed(0)
    model, x = Wrapped(FUNCTIONS[name]), torch.randn(1, FRAMES, FEATURES)
    graph = export_module(model, x, "model")
    expected = model(x).detach().numpy()
    for form in (graph, canonicalize(graph)):
        np.testing.assert_allclose(execute(form, [x.numpy()])[0], expected, atol=2e-5, rtol=1e-4)


CORE = (
    "layer norm by hand", "groups normalized", "instances normalized", "transposed in groups", "image without batch",
    "masked by minus infinity", "attention masked without a band", "grouped attention", "upsampled images", "padded",
    "filtered by its spectrum", "enlarged by cubics", "log of softmax", "largest of each channel",
)  # fmt: skip


@pytest.mark.parametrize("name", CORE)
def test_program_that_was_decomposed_before_computes_what_torch_does(name):
    torch.manual_seed(0)
    model, x = Wrapped(FUNCTIONS[name]).eval(), torch.randn(1, FRAMES, FEATURES)
    graph = import_program(torch.export.export(model, (x,)).run_decompositions(), "model")
    np.testing.assert_allclose(execute(graph, [x.numpy()])[0], model(x).detach().numpy(), atol=2e-5, rtol=1e-4)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(FEATURES))

    def forward(self, x):
        self.seen.add_(x.mean((0, 1)))
        return x - self.seen


def test_model_that_remembers_is_refused():
    with pytest.raises(ModelError, match="changes 'seen'"):
        export_module(Counting(), torch.randn(1, FRAMES, FEATURES), "model")


def test_output_without_input_is_refused():
    with pytest.raises(ModelError, match="does not depend on the input"):
        export_module(Wrapped(lambda x: (x, torch.ones(1, 2) * 2)), torch.randn(1, FRAMES, FEATURES), "model")


def test_dynamic_shape_is_refused_with_a_way_out(tmp_path):
    program = torch.export.export(
        Wrapped(torch.relu), (torch.randn(2, FRAMES, FEATURES),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    torch.export.save(program, tmp_path / "dynamic.pt2")
    with pytest.raises(ModelError, match="dynamic shape") as error:
        load_pt2(tmp_path / "dynamic.pt2")
    assert "dynamic_shapes" in error.value.hint


def test_batch_of_several_is_refused(tmp_path):
    program = torch.export.export(Wrapped(torch.relu), (torch.randn(3, FRAMES, FEATURES),))
    torch.export.save(program, tmp_path / "batch.pt2")
    with pytest.raises(ModelError, match="batch size 3"):
        load_pt2(tmp_path / "batch.pt2")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x00" * 100])
def test_damaged_program_is_refused_without_tracebacks_of_torch(tmp_path, caplog, content):
    path = tmp_path / "damaged.pt2"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a program"):
        load_pt2(path)
    assert not caplog.records
